"""Trainings repeated with other seeds: what a configuration reaches, and how far two of them differ.

Every run of a study answers the same held-out samples, so that what is right is a table, seed by sample, and
what two configurations differ in is one, too: d[s, i] = right after - right before, of the same seed and the
same sample, which is -1, 0 or 1. Another experiment would have other seeds and other samples, so an interval
has to say how far the mean of d would move with both. They are crossed, not nested: all seeds see all samples.

The interval [ours, from textbooks: Searle, Casella and McCulloch, Variance Components, 1992] is that of the mean
in the mixed model d = difference + seed + sample + rest, all three random, which has a closed form where no cell
is missing. With the mean squares A of seeds, B of samples and R of the rest, its squared standard error is
(A + B - R) / (S I), and its t quantile has Satterthwaite's degrees of freedom. Chosen among three:

- a bootstrap of seeds and of samples (Owen's pigeonhole bootstrap): where trainings differ its percentiles cover
  85 % instead of 95 % with 5 seeds and 72 % with 3, as those of any bootstrap of so few things; where they do
  not it covers 99 %, with intervals that are too wide;
- statsmodels' MixedLM has crossed effects only as dense matrices of all samples, which takes minutes where the
  closed form takes a millisecond, and its normal quantiles are too narrow for 5 seeds;
- this one covers 94 to 98 % with 5 seeds, 93 to 98 % with 3, and 88 to 98 % with 2, in simulations of right and
  wrong answers with 200 and 1000 samples (``tests/test_seeds.py`` has some of them).

With one seed it speaks of other samples only, and says so. No seed is chosen: there is no best of anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dista.measures.lookup import MeasureError
from dista.measures.paired import Answers
from dista.measures.tables import Columns, Result

LEVEL = 0.95


@dataclass(frozen=True)
class SeedAccuracy(Result):
    """Accuracies of the runs of a configuration: ``mean`` lies in ``low`` .. ``high`` (95 %, seeds and samples).

    ``seeds``, ``accuracy`` and ``most_frequent`` are of each run (seed,). ``spread`` is the standard deviation over
    seeds, nan for one. ``most_frequent`` is the share of the answer that is given most often: near 1 the network says
    the same to all. ``chance`` is the share of the most frequent label, which one answer to all would reach.
    """

    seeds: tuple[int, ...]
    accuracy: np.ndarray
    samples: int
    mean: float
    spread: float
    low: float
    high: float
    most_frequent: np.ndarray
    chance: float

    def columns(self) -> Columns:
        """A row for each seed."""
        return super().columns() | {"seeds": len(self.seeds), "seed": np.array(self.seeds)}


@dataclass(frozen=True)
class SeedDifference(Result):
    """A difference of accuracies, paired by seed and sample: it lies in ``low`` .. ``high`` (95 %).

    ``differences`` are those of each seed that both configurations have (seed,). ``p`` is that of no difference,
    two-sided; ``holm`` is p after Holm's correction for all differences that are looked at together. With one
    seed the interval is over samples alone.
    """

    seeds: tuple[int, ...]
    differences: np.ndarray
    samples: int
    difference: float
    low: float
    high: float
    p: float
    holm: float

    def columns(self) -> Columns:
        """A row for each seed."""
        return super().columns() | {"seeds": len(self.seeds), "seed": np.array(self.seeds)}

    @property
    def certain(self) -> bool:
        """Whether no difference is unlikely: below 5 %, all that are looked at together counted."""
        return self.holm < 1 - LEVEL


@dataclass(frozen=True)
class SeedCurve(Result):
    """Accuracies of the runs of a configuration where the input has noise of a kind, (level,) over seeds and samples.

    ``mean`` lies in ``low`` .. ``high`` (95 %), ``accuracy`` (level, seed) is of each run. ``difference`` is that to
    ``against``, paired by seed and sample at the same noise, in its own interval; None and "" for what all others
    are compared with.
    """

    kind: str
    levels: np.ndarray
    seeds: tuple[int, ...]
    accuracy: np.ndarray
    samples: int
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    against: str = ""
    difference: np.ndarray | None = None
    difference_low: np.ndarray | None = None
    difference_high: np.ndarray | None = None

    def columns(self) -> Columns:
        """A row for each level; ``seed_0`` and so on are the accuracies of the runs."""
        names = ("mean", "low", "high", "difference", "difference_low", "difference_high")
        each = {f"seed_{seed}": self.accuracy[:, i] for i, seed in enumerate(self.seeds)}
        facts = {"noise": self.kind, "level": self.levels, "seeds": len(self.seeds)}
        facts |= {"samples": self.samples, "against": self.against}
        return facts | {name: getattr(self, name) for name in names} | each


def seed_curve(
    kind: str,
    answers: Mapping[float, Mapping[int, Answers]],
    before: Mapping[float, Mapping[int, Answers]] | None = None,
    against: str = "",
) -> SeedCurve:
    """The curve of ``answers`` by level and seed, and its differences to those ``before`` at the same levels.

    MeasureError where the samples are not the same.
    """
    reached = [seed_accuracy(runs) for runs in answers.values()]
    ends = {name: np.array([getattr(r, name) for r in reached]) for name in ("mean", "low", "high")}
    curve = SeedCurve(
        kind, np.array(list(answers)), reached[0].seeds, np.array([r.accuracy for r in reached]),
        reached[0].samples, ends["mean"], ends["low"], ends["high"],
    )  # fmt: skip
    if before is None:
        return curve
    pairs = {str(level): [(before[level], answers[level])] for level in answers}
    differences = list(mean_differences(pairs).values())
    if len(differences) < len(answers):  # no seed in common
        return curve
    return replace(
        curve,
        against=against,
        difference=np.array([d.difference for d in differences]),
        difference_low=np.array([d.low for d in differences]),
        difference_high=np.array([d.high for d in differences]),
    )


def seed_accuracy(answers: Mapping[int, Answers]) -> SeedAccuracy:
    """Mean and spread of the accuracies of runs by their seed; MeasureError where the samples are not the same."""
    seeds = tuple(sorted(answers))
    right = _right([answers[seed] for seed in seeds])
    accuracy = right.mean(1)
    mean, error, degrees = crossed(right)
    half = _half(error, degrees)
    spread = float(accuracy.std(ddof=1)) if len(seeds) > 1 else math.nan
    low, high = max(0.0, mean - half), min(1.0, mean + half)
    labels = answers[seeds[0]].label
    chance = float(np.unique_counts(labels).counts.max() / len(labels))
    frequent = np.array([answers[seed].most_frequent for seed in seeds])
    return SeedAccuracy(seeds, accuracy, right.shape[1], mean, spread, low, high, frequent, chance)


def seed_differences(
    before: Mapping[int, Answers], after: Mapping[str, Mapping[int, Answers]]
) -> dict[str, SeedDifference]:
    """How far configurations, by name, differ from the one ``before``, each over the seeds that both have.

    ``holm`` counts all of them. Those without a seed in common are left out. MeasureError where the samples are
    not the same.
    """
    return mean_differences({name: [(before, answers)] for name, answers in after.items()})


def mean_differences(
    pairs: Mapping[str, Sequence[tuple[Mapping[int, Answers], Mapping[int, Answers]]]],
) -> dict[str, SeedDifference]:
    """The mean over some pairs of configurations, (before, after), of how far they differ; by name.

    As in ``seed_differences``, over the seeds that all of the pairs have.
    """
    differences: dict[str, SeedDifference] = {}
    for name, some in pairs.items():
        seeds = sorted(set.intersection(*(set(a.keys() & b.keys()) for a, b in some)))
        if seeds:
            parts = [_right([runs[s] for runs in pair for s in seeds]) for pair in some]
            d = np.mean([right[len(seeds) :] - right[: len(seeds)] for right in parts], 0)
            differences[name] = seed_difference(d, seeds)
    corrected = holm([one.p for one in differences.values()])
    return {name: replace(one, holm=p) for (name, one), p in zip(differences.items(), corrected)}


def seed_difference(d: np.ndarray, seeds: Sequence[int]) -> SeedDifference:
    """The difference whose parts are ``d`` (seed, sample), each in -1 .. 1, looked at alone."""
    from scipy import stats

    mean, error, degrees = crossed(d)
    half = _half(error, degrees)
    p = float(2 * stats.t.sf(abs(mean) / error, degrees))
    low, high = max(-1.0, mean - half), min(1.0, mean + half)
    return SeedDifference(tuple(seeds), d.mean(1), d.shape[1], mean, low, high, p, p)


def holm(p: Sequence[float]) -> list[float]:
    """The p of several tests after Holm's correction, which holds whatever they have in common."""
    order, corrected, largest = np.argsort(p), [0.0] * len(p), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = largest
    return corrected


def crossed(d: np.ndarray) -> tuple[float, float, float]:
    """Mean, its standard error and degrees of freedom, of ``d`` (seed, sample) over other seeds and samples.

    A variance component whose estimate is negative is 0. An error is never below that of Bonett and Price (see
    ``dista.measures.paired``) for no sample lost or gained: that nothing differs here says not that nothing does.
    With one seed it is over samples.
    """
    seeds, samples = d.shape
    mean, by_seed, by_sample = float(d.mean()), d.mean(1), d.mean(0)
    least = math.sqrt(2) / (samples + 2)
    between = seeds * float(((by_sample - mean) ** 2).sum()) / max(1, samples - 1)
    if seeds == 1:
        return mean, max(least, math.sqrt(between / samples)), max(1, samples - 1)
    among = samples * float(((by_seed - mean) ** 2).sum()) / (seeds - 1)
    freedom = (seeds - 1) * max(1, samples - 1)
    rest = float(((d - by_seed[:, None] - by_sample + mean) ** 2).sum()) / freedom
    parts = [(among, seeds - 1)]
    if between > rest:
        parts += [(between, samples - 1), (-rest, freedom)]
    if among <= rest < between:
        parts = [(between, samples - 1)]
    total = sum(square for square, _ in parts)
    if not total:
        return mean, least, seeds - 1
    degrees = total**2 / sum(square**2 / count for square, count in parts)
    return mean, max(least, math.sqrt(total / d.size)), degrees


def _half(error: float, degrees: float) -> float:
    from scipy import stats

    return float(error * stats.t.ppf((1 + LEVEL) / 2, degrees))


def _right(answers: Sequence[Answers]) -> np.ndarray:
    """Which answers are right (run, sample), as numbers."""
    labels = answers[0].label
    for one in answers:
        if not len(labels) or not np.array_equal(one.label, labels):
            raise MeasureError(
                f"runs were asked about {len(labels)} and {len(one.label)} samples that are not the same; "
                "compare runs of one task"
            )
    return np.array([one.correct for one in answers], dtype=float)
