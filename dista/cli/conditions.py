"""``dista noise`` and ``dista cuts``: what the finished runs of a study answer under other conditions."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dista.cli.answers import show
from dista.cli.options import Json
from dista.cli.results import as_rows, place
from dista.style.sentences import count

if TYPE_CHECKING:
    import pandas as pd

    from dista.data import Split
    from dista.runs import Run
    from dista.studies.conditions import Condition
    from dista.studies.study import Study

Of = Annotated[
    str, typer.Argument(help="A study: its folder, or its name in runs/ or of a shipped one.")
]
Limit = Annotated[
    int | None, typer.Option(help="Only the first so many test samples; 500 if nothing is said.")
]
OnlyShow = Annotated[
    bool, typer.Option("--show", help="Measure nothing; show what was measured before.")
]
Threads = Annotated[int | None, typer.Option(help="CPU threads.")]
Csv = Annotated[Path | None, typer.Option(help="Write all numbers as CSV.")]


def noise(
    study: Of,
    limit: Limit = None,
    threads: Threads = None,
    as_trained: Annotated[
        bool,
        typer.Option(
            "--as-trained", help="Give denoisers no other thresholds: a quarter of the work."
        ),
    ] = False,
    only_show: OnlyShow = False,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """Accuracy of a study's finished runs against noise in the input, over seeds and samples.

    Three kinds of noise at five levels, with the denoiser as it was trained and with other thresholds. What is
    measured is kept beside each run; started again, the command goes on where it was.
    """
    from dista.studies import conditions, places, robustness
    from dista.studies.study import Study

    there = Study(places.find(study))
    target = csv and place(csv, b"name,noise,")

    def of_run(run: Run, split: Split) -> list[Condition]:
        others = () if as_trained else conditions.THRESHOLDS
        return conditions.of_noise(run.config, split, others)

    left_out = {} if only_show else _measure(there, of_run, limit, threads)
    curves = robustness.noise(there)
    _save(target, lambda: _stacked(curves))
    left_out |= robustness.of_runs(there)[1]
    if as_json:
        rows = as_rows(_stacked(curves)) if curves else []
        show({"study": str(there.path), "rows": rows, "left_out": left_out}, as_json=True)
        return
    for kind, by_name in curves.items():
        levels = next(iter(by_name.values())).levels
        print(f"\n{kind}, accuracy in % (95 % interval)")
        print("".join(f"{level:>19g}" for level in levels))
        for name, curve in by_name.items():
            ends = zip(curve.mean, curve.low, curve.high)
            cells = [f"{100 * m:.1f} ({100 * a:.1f}-{100 * b:.1f})" for m, a, b in ends]
            print(
                "".join(f"{cell:>19}" for cell in cells),
                f"  {name} · {count(len(curve.seeds), 'seed')}",
            )
    _say(left_out)


def cuts(
    study: Of,
    limit: Limit = None,
    threads: Threads = None,
    only_show: OnlyShow = False,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """What a study's finished runs lose when a part is cut from them, beside training without it.

    Cut is what neurons remember, what attention remembers, what taus have learned, and the denoiser; networks that
    were trained without one are given one, and beside it counts that are as weak and all there. What is
    measured is kept beside each run; started again, the command goes on where it was.
    """
    from dista.studies import conditions, places, robustness
    from dista.studies.study import Study

    there = Study(places.find(study))
    target = csv and place(csv, b"configuration,cut,")

    def of_run(run: Run, _: Split) -> list[Condition]:
        return conditions.of_cuts(run.config, starting_taus=run.starting_taus() is not None)

    left_out = {} if only_show else _measure(there, of_run, limit, threads)
    outcome = robustness.cuts(there)
    _save(target, outcome.table)
    left_out |= outcome.left_out
    if as_json:
        rows = as_rows(outcome.table()) if outcome.cuts else []
        show({"study": str(there.path), "rows": rows, "left_out": left_out}, as_json=True)
        return
    for cut in outcome.cuts:
        said = f"{_points(cut.difference)}, {100 * cut.most_frequent:.0f} % one answer"
        print(f"{cut.title} · {count(len(cut.difference.seeds), 'seed')}\n    {said}")
        if cut.trained_without:
            print(f"    trained without ({cut.without}): {_points(cut.trained_without)}")
    _say(left_out)


def _points(one: Any) -> str:
    return f"{100 * one.difference:+.1f} points ({100 * one.low:+.1f} to {100 * one.high:+.1f})"


def _measure(
    study: Study,
    wanted: Callable[[Run, Split], list[Condition]],
    limit: int | None,
    threads: int | None,
) -> dict[str, str]:
    """Ask the finished runs, one after the other; why others cannot be asked, by name."""
    import torch

    from dista.engine.allocator import keep_freed_memory
    from dista.studies import conditions, robustness
    from dista.studies.work import task_of_run

    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit} leaves no samples; expected at least 1")
    if threads:
        torch.set_num_threads(threads)
    keep_freed_memory()
    able, left_out = robustness.to_ask(study)
    for number, planned in enumerate(able, 1):
        if (run := planned.run()) is None:
            continue
        task = task_of_run(run.config)
        samples = limit or conditions.SAMPLES
        report = functools.partial(_tell, f"{number} of {len(able)}, {planned.name}")
        try:
            conditions.measure(run, wanted(run, task.test), task, samples=samples, report=report)
        except ValueError as error:  # of its weights, or of what is there already
            left_out[planned.name] = str(error)
    return left_out


def _tell(run: str, done: int, of: int) -> None:
    if done % 10 == 0:
        print(f"{run}: condition {done + 1} of {of}", file=sys.stderr)


def _stacked(curves: Any) -> pd.DataFrame:
    from dista.measures import stacked

    names = dict.fromkeys(name for by_name in curves.values() for name in by_name)
    every = {n: [by_name[n] for by_name in curves.values() if n in by_name] for n in names}
    return stacked(every, "name")


def _save(target: Path | None, table: Callable[[], pd.DataFrame]) -> None:
    from dista.files import replacement

    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacement.replacing(target) as file:
            file.write(table().to_csv(index=False).encode())


def _say(left_out: dict[str, str]) -> None:
    for name, reason in left_out.items():
        print(f"Left out: {name}: {reason}.", file=sys.stderr)
