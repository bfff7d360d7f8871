"""How the package's figures come onto a page, and charts of a run that is still being written.

The latter redraw in place, keeping zoom: a plotly chart is built anew with every change of its data,
which would throw a reader's zoom away every two seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import downloads
import numpy as np
import streamlit as st

from dista.figures.theme import count, percent, short

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd
    from plotly.graph_objects import Figure

POINTS = 400  # points of a curve that are sent to the browser
HEIGHT = 170
DEAD, SATURATED = 0.5, 0.2  # shares of a layer's neurons that deserve a sentence
PLOTLY = {"displaylogo": False, "responsive": True, "displayNotifier": False}
IMAGE = {"format": "png", "scale": 2}  # what the camera of a figure makes


def plot(figure: Figure, key: str, **options: Any) -> Any:
    """A figure of the package, with its description for those who cannot see it."""
    downloads.note(key, figure)
    alt = figure.layout.meta["alt"]
    config = PLOTLY | {"toImageButtonOptions": IMAGE | {"filename": key}}
    return st.plotly_chart(figure, key=key, theme=None, config=config, alt=alt, **options)


def row(
    figures: Mapping[str, Figure],
    widths: Sequence[float] | None = None,
    options: Mapping[str, dict] = {},
) -> None:
    """Figures side by side, by key, as tall as the tallest; ``options`` are those of single ones, by key."""
    tallest = max(figure.layout.height for figure in figures.values())
    for column, (key, figure) in zip(st.columns(widths or len(figures)), figures.items()):
        with column:
            plot(figure, key, height=tallest, **options.get(key, {}))


def clickable(figure: Figure) -> Figure:
    """The figure with an invisible point on each cell of its heatmap, as heatmaps report no clicks."""
    cells = figure.data[0]
    y, x = np.meshgrid(cells.y, cells.x, indexing="ij")
    there = ~np.isnan(cells.z)
    figure.update_layout(hoverdistance=-1)  # anywhere in a cell, however wide it is
    return figure.add_scatter(
        x=x[there],
        y=y[there],
        text=cells.z[there],
        customdata=cells.customdata[there],
        hovertemplate=cells.hovertemplate.replace("%{z", "%{text"),
        mode="markers",
        marker={"size": 14},
        opacity=0,
        showlegend=False,
    )


def loss(steps: pd.DataFrame, epoch: int) -> alt.Chart | None:
    """Training loss by step, thinned, with a running mean, a cursor at the end of ``epoch``; None while there is none."""
    import altair as alt

    if steps.empty:
        return None
    width = max(1, len(steps) // 50)
    table = steps.assign(mean=steps["loss"].rolling(width, min_periods=1).mean())
    table = table.iloc[:: max(1, len(table) // POINTS)]
    base = alt.Chart(table).encode(alt.X("step:Q", title=None, axis=alt.Axis(tickCount=4)))
    y = alt.Scale(zero=False)
    every = base.mark_line(opacity=0.35, strokeWidth=1).encode(alt.Y("loss:Q", scale=y, title=None))
    mean = base.mark_line(strokeWidth=2).encode(
        alt.Y("mean:Q", scale=y, title=None), tooltip=_tooltip(("step", "d"), ("mean", ".3f"))
    )
    before = steps[steps["epoch"] <= epoch]["step"]
    return _finish(every + mean, "step", int(before.max()) if len(before) else 0)


def accuracy(epochs: pd.DataFrame, epoch: int) -> alt.Chart | None:
    """Validation accuracy by epoch, with a cursor; None before the first."""
    import altair as alt

    if epochs.empty:
        return None
    y = alt.Y("val_accuracy:Q", title=None, scale=alt.Scale(zero=False), axis=_percent_axis())
    line = (
        alt.Chart(epochs)
        .mark_line(point=True, strokeWidth=2)
        .encode(_epochs(), y, tooltip=_tooltip(("epoch", "d"), ("val_accuracy", ".2%")))
    )
    return _finish(line, "epoch", epoch)


def layers(
    table: pd.DataFrame, column: str, epoch: int, *, share: bool = False
) -> alt.Chart | None:
    """A line a layer (or block) by epoch of a column, with a cursor; hovering names it.

    A ``share`` is shown in per cent. None where there is nothing to show.
    """
    import altair as alt

    if table.empty or table[column].isna().all():
        return None
    if "block" in table:
        table = table.assign(layer="blocks." + table["block"].astype(str))
    table = table.assign(name=table["layer"].map(short), part=table["layer"].map(_part))
    axis = _percent_axis() if share else alt.Axis(tickCount=4)
    lines = (
        alt.Chart(table)
        .mark_line(point=alt.OverlayMarkDef(size=16), strokeWidth=1.5)
        .encode(
            _epochs(),
            alt.Y(f"{column}:Q", title=None, scale=alt.Scale(zero=False), axis=axis),
            alt.Color("part:N", title=None, legend=alt.Legend(orient="top", columns=4, offset=2)),
            detail="layer:N",
            tooltip=_tooltip(("name", None), ("epoch", "d"), (column, ".3g")),
        )
    )
    return _finish(lines, "epoch", epoch)


def _finish(chart: alt.Chart, axis: str, at: int) -> alt.LayerChart:
    """The look of all charts: the film's cursor, zoom along x."""
    import altair as alt
    import pandas as pd

    cursor = alt.Chart(pd.DataFrame({axis: [at]})).mark_rule(
        color="#c4481c", strokeWidth=1.2, strokeDash=[3, 2], opacity=0.8
    )
    layered = alt.layer(chart, cursor.encode(alt.X(f"{axis}:Q")))
    return layered.properties(height=HEIGHT, background="transparent").interactive(bind_y=False)


def unusual_layers(neurons: pd.DataFrame) -> list[str]:
    """Sentences on the layers that are mostly silent or always firing after the last epoch."""
    last = neurons[neurons["epoch"] == neurons["epoch"].max()]
    sentences = []
    for column, limit, what in (
        ("dead", DEAD, "never fired"),
        ("saturated", SATURATED, "fired at every step"),
    ):
        worst = last[last[column] > limit].sort_values(column, ascending=False)
        named = [
            f"{percent(getattr(row, column))} in {short(row.layer)}" for row in worst.itertuples()
        ]
        if named:
            more = f" and in {count(len(named) - 4, 'more layer')}" if len(named) > 4 else ""
            sentences.append(f":orange[◆] Many neurons {what}: {', '.join(named[:4])}{more}.")
    return sentences or ["No layer is mostly silent, and none fires all the time."]


def _part(layer: str) -> str:
    parts = layer.split(".")
    return f"block {int(parts[1]) + 1}" if parts[0] == "blocks" else parts[0]


def _epochs() -> Any:
    import altair as alt

    axis = alt.Axis(tickMinStep=1, tickCount=4, format="d")
    return alt.X("epoch:Q", title=None, axis=axis, scale=alt.Scale(nice=False))


def _percent_axis() -> Any:
    import altair as alt

    return alt.Axis(format=".3~p", tickCount=4)


def _tooltip(*fields: tuple[str, str | None]) -> list[Any]:
    import altair as alt

    return [alt.Tooltip(name, **({"format": form} if form else {})) for name, form in fields]
