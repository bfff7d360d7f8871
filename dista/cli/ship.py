"""``dista ship``: what of a study comes with a package, or is given to somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dista.cli.answers import show
from dista.cli.options import Json


def ship(
    study: Annotated[str, typer.Argument(help="The folder of a study, or its name.")],
    out: Annotated[Path, typer.Argument(help="Where to, as assets/studies/NAME.")],
    weights: Annotated[
        list[int] | None,
        typer.Option(help="A seed whose best checkpoints come along; repeat it for others."),
    ] = None,
    film: Annotated[
        list[str] | None,
        typer.Option(
            help="A run that comes with its recordings and its best checkpoint; repeat it."
        ),
    ] = None,
    megabytes: Annotated[float, typer.Option(help="What it may have at most.")] = 5.0,
    as_json: Json = False,
) -> None:
    """Copy the finished runs of a study without weights and recordings: all that its results are read from."""
    from dista.studies import places, shipping
    from dista.studies.study import Study

    shipped = shipping.ship(
        Study(places.find(study)), out, weights=weights or (), films=film or (), megabytes=megabytes
    )
    facts = {"study": str(shipped.path), "runs": shipped.runs, "planned": shipped.planned}
    show(facts | {"megabytes": round(shipped.bytes / 1e6, 2)}, as_json)
