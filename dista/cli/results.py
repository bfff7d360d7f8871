"""``dista results``: what a study came to, on the screen and as files."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dista.cli.answers import show
from dista.cli.options import Json
from dista.extras import need
from dista.files import replacement

if TYPE_CHECKING:
    import pandas as pd


def results(
    study: Annotated[str, typer.Argument(help="The folder of a study, or its name.")],
    report: Annotated[Path | None, typer.Option(help="Write all as Markdown.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the configurations as CSV.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write them as parquet.")] = None,
    runs: Annotated[
        bool, typer.Option("--runs", help="Of tables: a row for each run, not each configuration.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Every seed of every configuration, and differences to the baseline with their intervals."""
    from dista.studies.results import open_study
    from dista.studies.results import report as in_words

    if parquet is not None:
        need("pyarrow", "dista results --parquet", "data")
    opened = open_study(study)
    table = opened.runs() if runs else opened.table()
    writers: list[tuple[Path | None, Callable[[], bytes], bytes]] = [
        (report, lambda: in_words(opened).encode(), b"# "),
        (csv, lambda: table.to_csv(index=False).encode(), f"{table.columns[0]},".encode()),
        (parquet, lambda: table.to_parquet(index=False), b"PAR1"),
    ]
    files = [(place(path, begin), content) for path, content, begin in writers if path is not None]
    for target, content in files:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacement.replacing(target) as file:
            file.write(content())
    if as_json:
        rows = {"baseline": opened.baseline, "rows": as_rows(table), "left_out": opened.left_out}
        show({"study": str(opened.study.path), **rows}, as_json=True)
    elif runs:
        print(table.to_string(index=False))
    else:
        print(in_words(opened))


def place(path: Path, begin: bytes) -> Path:
    """Where ``path`` leads; ValueError where a file is there that does not begin as ours do."""

    def objection(there: Path) -> str:
        if there.is_file():
            with there.open("rb") as file:
                if file.read(len(begin)) == begin:
                    return ""
        return "is there, and was not written by dista results"

    return replacement.place(path, replacement.Kind("the results", ValueError, objection))


def as_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, with None for what is empty: NaN is no JSON."""
    rows = table.astype(object).to_dict("records")
    return [
        {str(k): None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        for row in rows
    ]
