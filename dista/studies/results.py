"""What a study came to: accuracies over seeds, and differences to its baseline, each with its uncertainty.

    results = dista.open_study("runs/match-ablation")   # or the name of one in runs/, or of a shipped one
    results.table()                     # a row for each configuration
    results.runs()                      # ... for each run
    dista.figures.seed_differences(results.differences)

Everything is read from the runs' folders; neither weights nor a database are needed. How the intervals come about
says ``dista.measures.seeds``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dista.files.facts import Damaged
from dista.measures import Answers, SeedAccuracy, SeedDifference, seed_accuracy, seed_differences
from dista.runs import RunError
from dista.studies import answers, places
from dista.studies.study import Study
from dista.style.sentences import p_value

if TYPE_CHECKING:
    import pandas as pd


FEW = 3
"""Seeds below which a spread says little."""


@dataclass(frozen=True)
class Results:
    """The results of a study as far as it has come.

    ``accuracies`` and ``differences`` (to the baseline) are by configuration, of those with a finished run; of
    one axis at a time, over all levels of the others, ``effects`` are the differences to the baseline's level,
    by ``AXIS=LEVEL``. ``left_out`` says of runs that are finished why they are not among these.
    """

    study: Study
    accuracies: dict[str, SeedAccuracy]
    differences: dict[str, SeedDifference]
    effects: dict[str, SeedDifference]
    left_out: dict[str, str]

    @property
    def baseline(self) -> str:
        return self.study.grid.baseline

    def table(self) -> pd.DataFrame:
        """A row for each configuration that the grid has, in its order; what was not trained is empty."""
        import pandas as pd

        table = pd.DataFrame(list(self._rows()))
        shares = {"mean", "spread", "low", "high", "chance", "most_frequent"} | {
            "difference",
            "difference_low",
            "difference_high",
        }
        table.attrs["units"] = {
            name: "share of the test samples" for name in table if name in shares
        }
        return table

    def _rows(self) -> Iterator[dict[str, Any]]:
        planned = len(self.study.grid.seeds)
        for one in self.study.configurations():
            row: dict[str, Any] = {"configuration": one.name, **one.levels}
            reached, differs = self.accuracies.get(one.name), self.differences.get(one.name)
            row |= {"seeds": len(reached.seeds) if reached else 0, "planned_seeds": planned}
            for name in ("samples", "mean", "spread", "low", "high", "chance"):
                row[name] = getattr(reached, name, None)
            row["most_frequent"] = float(reached.most_frequent.max()) if reached else None
            row["paired_seeds"] = len(differs.seeds) if differs else 0
            row["difference"] = getattr(differs, "difference", None)
            row["difference_low"] = getattr(differs, "low", None)
            row["difference_high"] = getattr(differs, "high", None)
            row |= {"p": getattr(differs, "p", None), "p_holm": getattr(differs, "holm", None)}
            of_seed = dict(zip(reached.seeds, reached.accuracy.tolist())) if reached else {}
            yield row | {f"seed_{seed}": of_seed.get(seed) for seed in self.study.grid.seeds}

    def runs(self) -> pd.DataFrame:
        """A row for each run, seed by seed: its state, accuracy on the test samples, epochs and seconds."""
        import pandas as pd

        rows = []
        for run in self.study.planned():
            status, one = run.status(), self.accuracies.get(run.configuration.name)
            there = one is not None and run.seed in one.seeds
            rows.append(
                {
                    "run": run.name, "configuration": run.configuration.name, **run.configuration.levels,
                    "seed": run.seed, "state": status.state if status else "not begun",
                    "accuracy": one.accuracy[one.seeds.index(run.seed)] if one and there else None,
                    "epochs": status.epoch if status else 0, "seconds": status.seconds if status else None,
                }
            )  # fmt: skip
        return pd.DataFrame(rows)


def open_study(name_or_path: str | os.PathLike[str]) -> Results:
    """The results of a study, as far as it has come; StudyError where there is none.

    It is named by its folder, or by its name where it lies in the folder of runs or is shipped.
    """
    study = Study(places.find(name_or_path))
    answered, left_out = _answers(study)
    baseline = study.grid.baseline
    others = {name: runs for name, runs in answered.items() if name != baseline}
    return Results(
        study,
        {name: seed_accuracy(runs) for name, runs in answered.items()},
        seed_differences(answered[baseline], others) if baseline in answered else {},
        _effects(study, answered),
        left_out,
    )


def _answers(study: Study) -> tuple[dict[str, dict[int, Answers]], dict[str, str]]:
    """The answers of finished runs by configuration and seed; and why those of others are left out."""
    answered: dict[str, dict[int, Answers]] = {}
    left_out = {}
    for run in study.planned():
        try:
            tested = answers.read(run.path) if run.finished else None
            if tested is not None:
                answered.setdefault(run.configuration.name, {})[run.seed] = tested
            elif run.finished:
                left_out[run.name] = "its answers are not kept yet; dista sweep does that"
        except (Damaged, RunError) as error:
            left_out[run.name] = str(error)
    in_order = [one.name for one in study.configurations() if one.name in answered]
    return {name: answered[name] for name in in_order}, left_out


def _effects(study: Study, answered: dict[str, dict[int, Answers]]) -> dict[str, SeedDifference]:
    """The mean difference between two levels of an axis, all else the same, over the seeds that all have."""
    from dista.measures import mean_differences

    by_name = {one.name: one for one in study.configurations()}
    start = by_name[study.grid.baseline].levels
    pairs: dict[str, list[tuple[str, str]]] = {}
    for one in by_name.values():
        for axis, level in one.levels.items():
            partner = _with(one.levels, axis, start.get(axis, ""))
            if level != start.get(axis) and partner in by_name:
                pairs.setdefault(f"{axis}={level}", []).append((partner, one.name))
    whole = {
        name: [(answered[a], answered[b]) for a, b in some]
        for name, some in pairs.items()
        if len(some) > 1 and all(a in answered and b in answered for a, b in some)
    }
    return mean_differences(whole)


def _with(levels: dict[str, str], axis: str, level: str) -> str:
    return ",".join(f"{name}={level if name == axis else own}" for name, own in levels.items())


# A report -------------------------------------------------------------------------------------------


def report(results: Results) -> str:
    """The results as Markdown: every seed, no best one, and what the intervals say."""
    study, lines = results.study, [f"# {results.study.name}", ""]
    runs = study.planned()
    finished = sum(len(one.seeds) for one in results.accuracies.values())
    lines += [_about(study), "", f"{finished} of {len(runs)} runs are finished.", ""]
    lines += ["| configuration | seeds | mean | spread | every seed |", "|---|---|---|---|---|"]
    lines += [_accuracy_line(name, one, study) for name, one in results.accuracies.items()]
    if results.differences:
        lines += [
            "",
            f"## Differences to {results.baseline}",
            "",
            *_differences(results.differences),
        ]
    if results.effects:
        lines += ["", "## One axis at a time, over all levels of the others", ""]
        lines += _differences(results.effects)
    lines += ["", *[line for note in notes(results) for line in (note, "")][:-1]]
    return "\n".join(lines) + "\n"


def _about(study: Study) -> str:
    what = study.planned()[0].config
    start = f"from the weights of {what.training.init}" if what.training.init else "from nothing"
    return (
        f"`{what.preset}` on `{study.grid.data}`, {what.training.epochs} epochs {start}, "
        f"seeds {', '.join(map(str, study.grid.seeds))}."
    )


def _accuracy_line(name: str, one: SeedAccuracy, study: Study) -> str:
    every = ", ".join(f"{100 * value:.1f}" for value in one.accuracy)
    spread = "" if math.isnan(one.spread) else f"{100 * one.spread:.1f}"
    return f"| {name} | {len(one.seeds)} of {len(study.grid.seeds)} | {100 * one.mean:.1f} % | {spread} | {every} |"


def _differences(differences: dict[str, SeedDifference]) -> list[str]:
    lines = [
        "| | seeds | difference, points | 95 % interval | p | p, Holm |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in differences.items():
        interval = f"{100 * one.low:+.1f} to {100 * one.high:+.1f}"
        difference = f"{100 * one.difference:+.1f}"
        p, holm = p_value(one.p), p_value(one.holm)
        lines.append(f"| {name} | {len(one.seeds)} | {difference} | {interval} | {p} | {holm} |")
    return lines


def notes(results: Results) -> list[str]:
    """What has to be said beside the numbers: what they are of, what was corrected for, and what is left out."""
    samples = next((one.samples for one in results.accuracies.values()), 0)
    seeds = [len(one.seeds) for one in results.accuracies.values()]
    count = len(results.differences)
    said = [
        f"Accuracy on {samples} held-out samples, in per cent; spread is the standard deviation over seeds. "
        "Differences are paired by seed and by sample, their intervals are over other seeds and other samples "
        "(a mixed model, see dista.measures.seeds); those of one seed are over samples alone. All seeds are "
        "shown, none is chosen.",
        f"Each interval is for itself. {count} differences are looked at together, so that one in twenty "
        "intervals would leave 0 out by chance; Holm's p counts that."
        if count > 1
        else "",
        f"Some configurations have {min(seeds)} of {len(results.study.grid.seeds)} seeds only: that is few to tell "
        "a difference from the accidents of training."
        if seeds and min(seeds) < FEW
        else "",
        *(f"Left out: {name}: {reason}." for name, reason in results.left_out.items()),
    ]
    return [note for note in said if note]
