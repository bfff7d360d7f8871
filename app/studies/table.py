"""The table of runs: what differs, what was reached, and which of them are looked at closely."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app.link import plain, url
from app.page import run_states
from dista.figures.theme import count
from dista.runs import Run, overview
from dista.runs.overview import Summary

if TYPE_CHECKING:
    import pandas as pd

BETWEEN = "|"
MOST_OPTIONS = 8  # columns; further ones can be shown from the table's own menu

Read = list[tuple[Run, Summary]]


def choose(runs: Read, problems: list[str]) -> tuple[pd.DataFrame, Read]:
    """The table, as far as the filter lets it through, and the runs that are selected in it, in its order."""
    table = overview.table([one for _, one in runs], [run.status() for run, _ in runs])
    words = url.text("filter") or ""
    with st.container(horizontal=True, vertical_alignment="center", key="controls-table"):
        st.text_input(
            "Filter", placeholder="Filter: words that a row has, as map finished",
            label_visibility="collapsed", width=360, **url.bound("filter", words),
        )  # fmt: skip
    there = [place for place in range(len(table)) if matches(table.iloc[place], words)]
    shown, kept_runs = table.iloc[there].reset_index(drop=True), [runs[place] for place in there]
    shown.attrs = table.attrs
    st.caption(
        f"{count(len(shown), 'run')}{f' of {len(table)}' if len(shown) < len(table) else ''}. Columns are the options in "
        "which they differ; a click on a head sorts, rows are chosen at the left."
    )
    if shown.empty:
        st.info("No run has all of these words.")
        return shown, []
    names = [one.name for _, one in kept_runs]
    wanted = [name for name in (url.text("selected") or "").split(BETWEEN) if name]
    if unknown := [name for name in wanted if name not in names and not words]:
        problems.append(f"The link selects {unknown[0][:60]!r}, which is no run here.")
    places = [names.index(name) for name in wanted if name in names]
    _draw(shown, names, places)
    return shown, [kept_runs[place] for place in places]


def matches(row: pd.Series, words: str) -> bool:
    """Whether each of the words is in the row: in a value, or in the name of an option and its value, as u=2."""
    said = " ".join(
        f"{name}={value}" for name, value in row.items() if name != "curve" and value is not None
    ).lower()
    return all(word in said for word in words.lower().split())


def _draw(table: pd.DataFrame, names: list[str], places: list[int]) -> None:
    """The widget; another table is another widget, as its rows are known by their places."""
    key = f"runs-{hash((tuple(names), tuple(table.attrs['options'])))}"
    options = table.attrs["options"]
    order = [
        "run",
        *options[:MOST_OPTIONS],
        "accuracy",
        "curve",
        "validation",
        "largest_tau",
        "epochs",
        "minutes",
    ]
    # Seeds are what repeats: they stand there however many options there are.
    order += ["state", "tags", "note"]
    if "seed" in options and "seed" not in order:
        order.insert(1 + MOST_OPTIONS, "seed")
    st.dataframe(
        _said(table), key=key, hide_index=True, column_order=list(dict.fromkeys(order)), column_config=_columns(),
        selection_mode="multi-row", on_select=partial(_select, key, names),
        selection_default={"selection": {"rows": places, "columns": [], "cells": []}},
        height=min(44 + 35 * len(table), 460), placeholder="",
        alt=f"{count(len(table), 'run')} with the options in which they differ, and what they reached",
    )  # fmt: skip


def _said(table: pd.DataFrame) -> pd.DataFrame:
    """The table as it is shown: shares in per cent, and states with their marks."""
    shown = table.copy()
    for column in ("accuracy", "validation"):
        shown[column] = 100 * shown[column].astype(float)
    shown["curve"] = [[100 * value for value in curve] for curve in shown["curve"]]
    shown["state"] = shown["state"].map(run_states.MARKED)
    studies = {name.rpartition("/")[0] for name in shown["run"]}
    if len(studies) == 1:  # which says the same in all rows
        shown["run"] = [name.rpartition("/")[2] for name in shown["run"]]
    return shown


def _columns() -> dict:
    columns = st.column_config
    return {
        "run": columns.TextColumn("run", pinned=True, width="medium"),
        "accuracy": columns.NumberColumn("test", format="%.1f %%", help="of the best checkpoint, on the test samples"),
        "validation": columns.NumberColumn("validation", format="%.1f %%", help="the best epoch"),
        "curve": columns.LineChartColumn("by epoch", help="accuracy on the validation samples, in per cent"),
        "largest_tau": columns.NumberColumn("largest tau", format="%.2f", help="mean of a layer, in steps, at the end"),
        "minutes": columns.NumberColumn("minutes", format="%.0f"),
        "tags": columns.ListColumn("tags"),
    }  # fmt: skip


def _select(key: str, names: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    url.write(selected=BETWEEN.join(names[row] for row in rows if row < len(names)) or None)


def titles(runs: Read) -> list[str]:
    """The names of runs as Markdown."""
    return [plain.text(one.name) for _, one in runs]
