"""A study under other conditions, over seeds and samples: accuracy against noise, and what cuts cost.

    noise = dista.studies.robustness.noise("runs/match-noise")    # {kind: {configuration: SeedCurve}}
    dista.figures.seed_curves(noise["gaussian"])
    cuts = dista.studies.robustness.cuts("runs/match-ablation")   # a row for each configuration and cut
    dista.figures.seed_differences(cuts.differences)

Everything is read from what ``dista noise`` and ``dista cuts`` keep beside the runs; no weights are needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dista.files.facts import Damaged
from dista.measures import (
    Answers,
    SeedCurve,
    SeedDifference,
    mean_differences,
    seed_accuracy,
    seed_curve,
)
from dista.runs import RunConfig, RunError
from dista.runs.differences import differences
from dista.studies import conditions, places
from dista.studies.conditions import AS_TRAINED, Condition, Conditions
from dista.studies.study import Planned, Study

if TYPE_CHECKING:
    import pandas as pd

BySeed = dict[int, Answers]


def of_runs(study: Study) -> tuple[dict[str, dict[int, Conditions]], dict[str, str]]:
    """What finished runs have answered, by configuration and seed; and why others of them are left out."""
    answered: dict[str, dict[int, Conditions]] = {}
    left_out = {}
    for run in study.planned():
        try:
            if not run.finished:
                continue
            if (there := conditions.read(run.path)) is not None:
                answered.setdefault(run.configuration.name, {})[run.seed] = there
            else:
                left_out[run.name] = "it was not asked yet; dista noise and dista cuts do that"
        except (Damaged, RunError) as error:
            left_out[run.name] = str(error)
    in_order = [one.name for one in study.configurations() if one.name in answered]
    return {name: answered[name] for name in in_order}, left_out


def _under(runs: Mapping[int, Conditions], condition: Condition, samples: int) -> BySeed:
    """The answers to the first ``samples`` of those runs that met the condition."""
    answers = {s: r.of(condition) for s, r in runs.items() if condition in r.answers}
    return {s: Answers(a.answer[:samples], a.label[:samples]) for s, a in answers.items()}


def _samples(answered: Mapping[str, Mapping[int, Conditions]]) -> int:
    """As many as all runs have answered."""
    return min((len(one.label) for runs in answered.values() for one in runs.values()), default=0)


# Noise ----------------------------------------------------------------------------------------------


def noise(study: Study | str | os.PathLike[str]) -> dict[str, dict[str, SeedCurve]]:
    """Curves by kind of noise and name: of each configuration, and with each u that it was given afterwards.

    Configurations are compared with the baseline, other thresholds with the configuration as it was trained; of
    these seeds alone that met all levels. Empty where nothing was measured.
    """
    study = study if isinstance(study, Study) else Study(places.find(study))
    answered, _ = of_runs(study)
    samples, met = _samples(answered), [r for runs in answered.values() for r in runs.values()]
    kinds = dict.fromkeys(c.kind for one in met for c in one.answers if c.kind)
    every = {kind: _of_kind(study, answered, kind, samples) for kind in kinds}
    return {kind: curves for kind, curves in every.items() if curves}


def _of_kind(
    study: Study, answered: Mapping[str, Mapping[int, Conditions]], kind: str, samples: int
) -> dict[str, SeedCurve]:
    runs_at: dict[tuple[str, tuple[str, ...]], dict[float, BySeed]] = {}
    for name, runs in answered.items():
        asked = [c for one in runs.values() for c in one.answers if c.kind == kind]
        for switches in dict.fromkeys(c.switches for c in asked):
            levels = sorted({c.level for c in asked if c.switches == switches})
            there = [Condition(switches), *(Condition(switches, kind, a) for a in levels)]
            each = [_under(runs, one, samples) for one in there]
            seeds = set.intersection(*map(set, each))
            if seeds:
                runs_at[name, switches] = {
                    one.level: {s: by[s] for s in sorted(seeds)} for one, by in zip(there, each)
                }
    curves = {}
    for (name, switches), by_level in runs_at.items():
        against = name if switches else study.grid.baseline
        before = None if (against, ()) == (name, switches) else runs_at.get((against, ()))
        if before is not None and before.keys() != by_level.keys():
            before = None
        title = ", ".join([name, *switches])
        curves[title] = seed_curve(kind, by_level, before, against if before else "")
    return curves


# Cuts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cut:
    """What a cut costs the trained networks of a configuration, and what training without the part does.

    ``switches`` are those of ``dista.ablations``. ``most_frequent`` is the share of the answer that is given most
    often after the cut, the mean over seeds: near 1 it broke the network. ``without`` is the configuration that was
    trained without the part and has all else in common, "" where the study has none.
    """

    configuration: str
    switches: tuple[str, ...]
    before: float
    after: float
    most_frequent: float
    difference: SeedDifference
    without: str = ""
    trained_without: SeedDifference | None = None

    @property
    def title(self) -> str:
        word = "with" if self.switches in conditions.PUT_ON else "cut"
        return f"{self.configuration}: {word} {' and '.join(self.switches)}"

    def row(self) -> dict[str, Any]:
        row = {
            "configuration": self.configuration, "cut": ",".join(self.switches),
            "before": self.before, "after": self.after, "most_frequent": self.most_frequent,
        }  # fmt: skip
        row |= _numbers("", self.difference) | {"trained_without": self.without or None}
        return row | _numbers("trained_without_", self.trained_without)


def _numbers(prefix: str, one: SeedDifference | None) -> dict[str, Any]:
    names = ("difference", "low", "high", "p", "holm")
    seeds = {f"{prefix}seeds": len(one.seeds) if one else None}
    return seeds | {f"{prefix}{name}": getattr(one, name, None) for name in names}


@dataclass(frozen=True)
class Cuts:
    """All cuts of a study; ``left_out`` says of finished runs why they are not among these."""

    cuts: list[Cut]
    left_out: dict[str, str]

    @property
    def differences(self) -> dict[str, SeedDifference]:
        """For ``dista.figures.seed_differences``: each cut, and what training without the part does, by name."""
        rows = {}
        for cut in self.cuts:
            rows[cut.title] = cut.difference
            if cut.trained_without:
                rows[f"{cut.configuration}: trained without, {cut.without}"] = cut.trained_without
        return rows

    def table(self) -> pd.DataFrame:
        """A row for each configuration and cut."""
        import pandas as pd

        table = pd.DataFrame([cut.row() for cut in self.cuts])
        shares = [n for n in table if n.endswith(("before", "after", "difference", "low", "high"))]
        table.attrs["units"] = dict.fromkeys(
            [*shares, "most_frequent"], "share of the test samples"
        )
        return table


def cuts(study: Study | str | os.PathLike[str]) -> Cuts:
    """What the runs of a study lose by each cut, paired by seed and sample; p is corrected for all of them."""
    study = study if isinstance(study, Study) else Study(places.find(study))
    answered, left_out = of_runs(study)
    samples = _samples(answered)
    clean = {name: _under(runs, AS_TRAINED, samples) for name, runs in answered.items()}
    after = {
        (name, one.switches): _under(runs, one, samples)
        for name, runs in answered.items()
        for one in _cuts_of(runs)
    }
    pairs = {f"{n} {s}": [(clean[n], runs)] for (n, s), runs in after.items()}
    partners = dict(_partners(study, list(after)))
    pairs |= {
        f"{n} {s} without": [(clean[n], clean[other])]
        for (n, s), other in partners.items()
        if clean.get(other)
    }
    changes = mean_differences(pairs)
    return Cuts(list(_rows(clean, after, partners, changes)), left_out)


def _rows(
    clean: Mapping[str, BySeed],
    after: Mapping[tuple[str, tuple[str, ...]], BySeed],
    partners: Mapping[tuple[str, tuple[str, ...]], str],
    changes: Mapping[str, SeedDifference],
) -> Iterator[Cut]:
    for (name, switches), runs in after.items():
        if (change := changes.get(f"{name} {switches}")) is None:
            continue
        seeds = {seed: runs[seed] for seed in change.seeds}
        before = seed_accuracy({seed: clean[name][seed] for seed in seeds}).mean
        same = float(np.mean([one.most_frequent for one in seeds.values()]))
        without = changes.get(f"{name} {switches} without")
        other = partners[name, switches] if without else ""
        yield Cut(name, switches, before, before + change.difference, same, change, other, without)


def _cuts_of(runs: Mapping[int, Conditions]) -> list[Condition]:
    """The conditions that are cuts: a change without noise, but for thresholds that noise is measured with."""
    every = dict.fromkeys(c for one in runs.values() for c in one.answers)
    put_on = conditions.PUT_ON if Condition(conditions.PUT_ON[1]) in every else ()
    clean = [one for one in every if one.switches and not one.kind]
    return [one for one in clean if one.switches in put_on or not one.switches[0].startswith("u=")]


_TRAINED_WITHOUT: dict[tuple[str, ...], tuple[set[str], Callable[[RunConfig], bool]]] = {
    ("own-past",): ({"memory", "memory.form"}, lambda what: what.model.memory.form == "none"),
    ("denoiser",): ({"denoiser", "denoiser.kind"}, lambda what: what.model.denoiser.kind == "none"),
    ("learned-taus",): (
        {"training.freeze", "neuron.learn_tau"},
        lambda what: what.training.freeze == "taus" or not what.model.neuron.learn_tau,
    ),
}
"""What a configuration that was trained without the part may differ in, by the cut, and how it is told."""


def _partners(
    study: Study, rows: list[tuple[str, tuple[str, ...]]]
) -> Iterator[tuple[tuple[str, tuple[str, ...]], str]]:
    """Of each cut the configuration that was trained without the part, and is the same in all else."""
    configs = {one.name: one.config(0) for one in study.configurations()}
    for name, switches in rows:
        if switches not in _TRAINED_WITHOUT:
            continue
        allowed, is_without = _TRAINED_WITHOUT[switches]
        for other, config in configs.items():
            differ = differences(configs[name], config).keys()
            if differ and differ <= allowed and is_without(config):
                yield (name, switches), other
                break


# Measuring ------------------------------------------------------------------------------------------


def to_ask(study: Study) -> tuple[list[Planned], dict[str, str]]:
    """The finished runs with weights; and why other finished ones cannot be asked."""
    able, left_out = [], {}
    for planned in study.planned():
        try:
            run = planned.run()
            if run is None or run.status().state != "finished":
                continue
            if conditions.has_weights(run):
                able.append(planned)
            else:
                left_out[planned.name] = "its weights are not here"
        except RunError as error:
            left_out[planned.name] = str(error)
    return able, left_out
