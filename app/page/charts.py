"""How the package's figures come onto a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from app.link import plain
from app.page import downloads, style
from dista.figures.tables import table
from dista.figures.theme import count, percent, short

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

DEAD, SATURATED = 0.5, 0.2  # shares of a layer's neurons that deserve a sentence
PLOTLY = {"displaylogo": False, "responsive": True, "displayNotifier": False}
FRAME = 8  # pixels: what the stylesheet puts around a figure, above and below
IMAGE = {"format": "png", "scale": 2}  # what the camera of a figure makes


def plot(figure: Figure, key: str, **options: Any) -> Any:
    """A figure of the package, with its description for those who cannot see it."""
    downloads.note(key, partial(table, figure))
    alt = figure.layout.meta["alt"]
    config = PLOTLY | {"toImageButtonOptions": IMAGE | {"filename": key}}
    height = FRAME + int(options.get("height", figure.layout.height))
    # Until Plotly is there Streamlit draws a bar of another height in its place.
    style.apply(
        f".st-key-{key}:not(:has(.stPlotlyChart)) {{ height: {height}px; overflow: hidden }}"
    )
    return st.plotly_chart(figure, key=key, theme=None, config=config, alt=alt, **options)


def keep_place(key: str, height: int) -> None:
    """Room for what is drawn later, so that what stands below does not jump."""
    style.apply(f".st-key-{key} {{ min-height: {height}px }}")


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


def unusual_layers(neurons: pd.DataFrame) -> list[str]:
    """Sentences on the layers that are mostly silent or always firing after the last epoch."""
    if neurons["epoch"].max() == 0:
        return ["Before training: which neurons fire is up to the first weights, and no alarm."]
    last = neurons[neurons["epoch"] == neurons["epoch"].max()]
    sentences = []
    for column, limit, what in (
        ("dead", DEAD, "never fired"),
        ("saturated", SATURATED, "fired at every step"),
    ):
        worst = last[last[column] > limit].sort_values(column, ascending=False)
        named = [
            f"{percent(getattr(row, column))} in {plain.text(short(row.layer))}"
            for row in worst.itertuples()
        ]
        if named:
            more = f" and in {count(len(named) - 4, 'more layer')}" if len(named) > 4 else ""
            sentences.append(f":orange[◆] Many neurons {what}: {', '.join(named[:4])}{more}.")
    return sentences or ["No layer is mostly silent, and none fires all the time."]


def theme() -> str:
    """The page's theme, "light" or "dark"; light where the browser has not said yet."""
    return st.context.theme.type or "light"
