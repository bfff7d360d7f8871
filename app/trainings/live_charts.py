"""Charts of a run that is still being written: they redraw in place, and keep a reader's zoom.

A plotly chart is built anew with every change of its data, which would throw the zoom away every two
seconds. These are Vega-Lite as plain dictionaries: the same through altair takes a tenth of a second a
chart, of a core that the training needs. Only the data changes from one look to the next, the cursor
included, which is a column of its own: another specification would start the chart afresh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from dista.style.labels import layer as short
from dista.style.marks import CURSOR
from dista.style.palette import palette

if TYPE_CHECKING:
    import pandas as pd

POINTS = 400  # points of a curve that are sent to the browser
HEIGHT = 170

_CURSOR = "cursor"
_ZOOM = {"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}
_PERCENT = {"format": ".3~p", "tickCount": 4}
_RULE = {
    "type": "rule", "color": palette("light").elsewhere, "strokeWidth": CURSOR.width, "strokeDash": list(CURSOR.dash),
}  # fmt: skip

Encoding = dict[str, Any]


class Chart(NamedTuple):
    """What is drawn, and how."""

    data: pd.DataFrame
    spec: dict[str, Any]


def show(chart: Chart | None, key: str) -> None:
    if chart is None:
        st.caption("Nothing has been measured yet.")
    else:
        st.vega_lite_chart(chart.data, chart.spec, key=key)


def loss(steps: pd.DataFrame, epoch: int) -> Chart | None:
    """Training loss by step, thinned, with a running mean, a cursor at the end of ``epoch``; None while there is none."""
    if steps.empty:
        return None
    width = max(1, len(steps) // 50)
    table = steps.assign(mean=steps["loss"].rolling(width, min_periods=1).mean())
    table = table.iloc[:: max(1, len(table) // POINTS)]
    before = steps[steps["epoch"] <= epoch]["step"]
    x = _axis("step", axis={"tickCount": 4})
    thin = {"type": "line", "opacity": 0.35, "strokeWidth": 1}
    thick = {"type": "line", "strokeWidth": 2}
    tooltip = [_said("step", "d"), _said("mean", ".3f")]
    lines = [
        _layer(thin, x, _value("loss")),
        _layer(thick, x, _value("mean"), tooltip=tooltip),
    ]
    at = int(before.max()) if len(before) else 0
    return _finished(table[["step", "loss", "mean"]], lines, at, x)


def accuracy(epochs: pd.DataFrame, epoch: int) -> Chart | None:
    """Validation accuracy by epoch, with a cursor; None before the first."""
    if epochs.empty:
        return None
    x, y = _epochs(), _value("val_accuracy", axis=_PERCENT)
    tooltip = [_said("epoch", "d"), _said("val_accuracy", ".2%")]
    line = _layer({"type": "line", "point": True, "strokeWidth": 2}, x, y, tooltip=tooltip)
    return _finished(epochs[["epoch", "val_accuracy"]], [line], epoch, x)


def layers(table: pd.DataFrame, column: str, epoch: int, *, share: bool = False) -> Chart | None:
    """A line a layer (or block) by epoch of a column, with a cursor; hovering names it.

    A ``share`` is shown in per cent. None where there is nothing to show.
    """
    if table.empty or table[column].isna().all():
        return None
    if "block" in table:
        table = table.assign(layer="blocks." + table["block"].astype(str))
    table = table.assign(name=table["layer"].map(short), part=table["layer"].map(_part))
    x, y = _epochs(), _value(column, axis=_PERCENT if share else {"tickCount": 4})
    legend = {"orient": "top", "columns": 4, "offset": 2}
    color = {"field": "part", "type": "nominal", "title": None, "legend": legend}
    tooltip = [_said("name"), _said("epoch", "d"), _said(column, ".3g")]
    mark = {"type": "line", "point": {"size": 16}, "strokeWidth": 1.5}
    line = _layer(mark, x, y, color=color, detail={"field": "layer"}, tooltip=tooltip)
    return _finished(table[["epoch", "layer", "name", "part", column]], [line], epoch, x)


def _finished(data: pd.DataFrame, layers: list[dict], at: int, x: Encoding) -> Chart:
    """The look of all charts: the film's cursor, zoom along x."""
    data = data.assign(**{_CURSOR: [float(at)] + [None] * (len(data) - 1)})
    first, *others = layers
    cursor = _layer(_RULE, x | {"field": _CURSOR})
    spec = {
        "layer": [first | {"params": [_ZOOM]}, *others, cursor],
        "height": HEIGHT,
        "background": "transparent",
    }
    return Chart(data, spec)


def _layer(mark: dict, x: Encoding, y: Encoding | None = None, **more: Any) -> dict[str, Any]:
    return {"mark": mark, "encoding": {"x": x} | ({"y": y} if y else {}) | more}


def _axis(field: str, **more: Any) -> Encoding:
    return {"field": field, "type": "quantitative", "title": None} | more


def _value(field: str, **more: Any) -> Encoding:
    return _axis(field, scale={"zero": False}, **more)


def _epochs() -> Encoding:
    ticks = {"tickMinStep": 1, "tickCount": 4, "format": "d"}
    return _axis("epoch", axis=ticks, scale={"nice": False})


def _said(field: str, form: str | None = None) -> Encoding:
    """A line of a tooltip."""
    return {"field": field, "format": form} if form else {"field": field, "type": "nominal"}


def _part(layer: str) -> str:
    parts = layer.split(".")
    return f"block {int(parts[1]) + 1}" if parts[0] == "blocks" else parts[0]
