"""``dista sweep``: a grid of trainings, on one machine or several."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dista.cli.answers import show
from dista.cli.options import Json
from dista.extras import need


def sweep(
    grid: Annotated[str, typer.Argument(help="A YAML file, or the name of a shipped grid.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the study; by default runs/GRID, or DISTA_RUNS/GRID."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that train side by side.")] = 1,
    hours: Annotated[
        float | None,
        typer.Option(help="Stop after so much time; the same command goes on later."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="URL of a database that several machines share, as "
            "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE; by default a file in the study's folder."
        ),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try those again that failed too often.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option(help="Print the runs and what is left of them, by measured cost.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train every configuration of a grid with every seed; what is finished is not repeated."""
    need("lightning", "dista sweep", "train")
    need("optuna", "dista sweep", "train")
    from dista.runs import default_folder
    from dista.studies import grid as grids
    from dista.studies import sweep as sweeps

    folder = out if out is not None else default_folder() / grids.find(grid).stem
    if dry_run:
        _plan(grid, folder, workers, as_json)
        return
    outcome = sweeps.sweep(
        grid, folder, workers=workers, hours=hours, storage=storage, retry=retry, say=sweeps.tell
    )
    show({"study": str(folder), **asdict(outcome)}, as_json)
    if outcome.signal:
        raise typer.Exit(128 + outcome.signal)
    if outcome.given_up:
        raise typer.Exit(1)


def _plan(grid: str, folder: Path, workers: int, as_json: bool) -> None:
    """The runs, and the hours that are left; nothing is written."""
    from dista.studies import checks, cost, study
    from dista.studies import grid as grids

    content = grids.read(grids.find(grid))
    study.check_place(folder, content)
    checks.check(content)
    costs = cost.costs(study.planned(folder, content))
    hours = sum(one.minutes for one in costs) / 60
    if not as_json:
        for one in costs:
            print(
                f"{one.minutes:8.1f} min  {_MEASURED[one.measured]:<21}  {one.state:<20} {one.run}"
            )
    runs = {"runs": [asdict(one) for one in costs]} if as_json else {"runs": len(costs)}
    total = {"worker_hours": round(hours, 2), "hours": round(hours / workers, 2)}
    show({"study": str(folder), **runs, **total}, as_json)


_MEASURED = {"runs": "as finished runs took", "steps": "by measured steps", "": ""}
