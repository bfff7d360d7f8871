"""What pages let a reader take home of studies and runs: tables as CSV and parquet, a report as Markdown."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from app.page.downloads import File
from app.studies import reading
from dista.runs import Run
from dista.studies.results import Results, report

if TYPE_CHECKING:
    import pandas as pd


def runs_of(study: Path) -> list[Run]:
    """The runs of a study that have begun, in its order."""
    planned = reading.study(study).planned()
    return [Run(one.path) for one in planned if (one.path / "config.json").is_file()]


def of_study(results: Results) -> dict[str, File]:
    """The configurations, and all in words."""
    return _tables(results.table(), "Configurations", "configurations") | {
        "Report, Markdown": File(lambda: report(results).encode(), "report.md")
    }


def of_runs(table: pd.DataFrame, study: Path | None) -> dict[str, File]:
    """The runs of the table; of a study its report, too."""
    more = {}
    if study is not None:
        more = {
            "Report, Markdown": File(lambda: report(reading.results(study)).encode(), "report.md")
        }
    return _tables(table, "Runs", "runs") | more


def _tables(table: pd.DataFrame, label: str, name: str) -> dict[str, File]:
    return {
        f"{label}, CSV": File(lambda: table.to_csv(index=False).encode(), f"{name}.csv"),
        f"{label}, parquet": File(lambda: _parquet(table), f"{name}.parquet"),
    }


def _parquet(table: pd.DataFrame) -> bytes:
    """The table; an option that is a number here and a word there is text."""
    plain = table.copy()
    plain.attrs = {}
    for name in plain.columns:
        kinds = {type(value) for value in plain[name].dropna()}
        if len(kinds) > 1 and list not in kinds:
            plain[name] = plain[name].astype(str)
    content = io.BytesIO()
    plain.to_parquet(content, index=False)
    return content.getvalue()
