"""The numbers that a figure shows, as a table: one mechanism for every figure."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dista.figures.outside import plain

COLUMNS = ("panel", "series", "x_axis", "x", "y_axis", "y", "value", "low", "high")


def table(figure: go.Figure) -> pd.DataFrame:
    """Every point, bar and cell of a figure as a row; what is only decoration is left out.

    ``panel`` is the title of the part of the figure (its number where it has none), ``series`` what is
    drawn there, ``x`` and ``y`` a place on the axes that ``x_axis`` and ``y_axis`` name. ``value`` is that
    of a cell of a heatmap, ``low`` .. ``high`` the interval of a point that has error bars. Columns in
    which there is nothing are left out.
    """
    parts = [_rows(figure, trace) for trace in figure.data if not _decoration(trace)]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS[:2]))
    rows = pd.concat(parts, ignore_index=True).reindex(columns=list(COLUMNS))
    return rows.dropna(axis="columns", how="all")


def _decoration(trace: Any) -> bool:
    """Outlines, connecting lines, and points that are there to be clicked."""
    return trace.hoverinfo == "skip" or trace.opacity == 0


def _rows(figure: go.Figure, trace: Any) -> pd.DataFrame:
    x_axis, y_axis = (_axis(figure, trace, letter) for letter in "xy")
    rows = _cells(trace) if trace.type == "heatmap" else _points(trace)
    return rows.assign(
        x=_named(rows["x"], x_axis),
        y=_named(rows["y"], y_axis),
        panel=_panel(figure, x_axis, y_axis, trace),
        series=_plain(trace.name),
        x_axis=_plain(x_axis.title.text),
        y_axis=_plain(y_axis.title.text),
    )


def _axis(figure: go.Figure, trace: Any, letter: str) -> Any:
    name = getattr(trace, f"{letter}axis") or letter
    return figure.layout[name.replace(letter, f"{letter}axis", 1)]


def _panel(figure: go.Figure, x_axis: Any, y_axis: Any, trace: Any) -> str:
    """The title that ``make_subplots`` put above these axes, or else the number of the panel."""
    (left, right), top = x_axis.domain or (0, 1), (y_axis.domain or (0, 1))[1]
    for note in figure.layout.annotations:
        if note.yref == "paper" and note.y == top and left <= (note.x or 0) <= right:
            return _plain(note.text)
    return (trace.yaxis or "y").removeprefix("y") or "1"


def _cells(trace: Any) -> pd.DataFrame:
    value = np.asarray(trace.z)
    x, y = (
        np.arange(size) if places is None else np.asarray(places)
        for size, places in zip(value.shape[::-1], (trace.x, trace.y))
    )
    columns, rows = np.meshgrid(x, y)
    cells = {"x": columns.ravel(), "y": rows.ravel(), "value": value.ravel()}
    return pd.DataFrame(cells).dropna(subset=["value"])


def _points(trace: Any) -> pd.DataFrame:
    points = pd.DataFrame({"x": trace.x, "y": trace.y})
    for of, error in (("x", trace.error_x), ("y", trace.error_y)):
        if error.array is not None:
            below = error.array if error.arrayminus is None else error.arrayminus
            points["low"] = points[of] - np.asarray(below)
            points["high"] = points[of] + np.asarray(error.array)
    return points.dropna(subset=["x", "y"])


def _named(places: pd.Series, axis: Any) -> pd.Series:
    """Places by the words that the axis has for them, if it has one for each."""
    if axis.ticktext is None or axis.tickvals is None:
        return places
    words = {at: _plain(str(text)) for at, text in zip(axis.tickvals, axis.ticktext)}
    return places.map(words) if places.isin(list(words)).all() else places


def _plain(text: str | None) -> str | None:
    """Text of a figure without the marks of HTML."""
    return None if text is None else re.sub(r"\s+", " ", plain(text)).strip()
