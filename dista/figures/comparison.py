"""Two runs of a network, or two networks, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette, percent, scale, short, step_ticks
from dista.measures import LayerActivity, SpikeDistance
from dista.measures.comparison import layer_pairs as pairs

_WORDS = {
    "tau": ("time constant in steps", "tau", 1.0),
    "rate": ("spikes per neuron and step, %", "firing rate", 100.0),
}


@tabled()
def spike_distance(
    result: SpikeDistance,
    *,
    step_labels: Sequence[str] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Layer by step: which part of the spikes two runs of a network do not share; orange is much."""
    colours = palette(theme)
    layers, steps = result.distance.shape
    names = [short(layer) for layer in result.layers]
    figure = go.Figure(
        go.Heatmap(
            z=100 * result.distance,
            x=np.arange(steps),
            y=np.arange(layers),
            customdata=np.repeat(np.array(names)[:, None], steps, 1),
            hovertemplate="%{customdata}: %{z:.0f} % of the spikes differ<extra></extra>",
            colorscale=scale(colours.removed),
            zmin=0,
            zmax=100,
            xgap=2,
            ygap=2,
            colorbar={
                "title": {"text": "of the spikes differ", "side": "bottom", "font": {"size": 12}},
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yref": "container",
                "yanchor": "bottom",
                "len": 0.5,
                "thickness": 8,
                "outlinewidth": 0,
                "nticks": 3,
                "ticksuffix": " %",
            },
        )
    )
    ticks = step_ticks(steps, step_labels)
    figure.update_xaxes(tickvals=np.arange(steps), ticktext=ticks, tickangle=0)
    figure.update_yaxes(tickvals=np.arange(layers), ticktext=names, range=[layers - 0.5, -0.5])
    mean = result.distance.mean(1)
    title = (
        f"{percent(mean[0])} of the spikes differ in {names[0]}, {percent(mean[-1])} in {names[-1]}"
    )
    if not result.distance.any():
        title = "The two runs spike alike, neuron by neuron"
    alt = f"{title}. By layer: " + ", ".join(f"{n} {percent(m)}" for n, m in zip(names, mean))
    finish(figure, theme, title=title, alt=f"{alt}.", height=160 + 19 * layers)
    return figure.update_layout(margin_b=86)


@tabled()
def layer_pairs(
    left: Sequence[LayerActivity],
    right: Sequence[LayerActivity],
    *,
    of: Literal["tau", "rate"] = "rate",
    theme: Theme = "light",
) -> go.Figure:
    """The time constants or the firing rates of two networks, in the layers that both have."""
    colours, (axis, what, factor) = palette(theme), _WORDS[of]
    rows = pairs(left, right, of)
    if not rows:
        raise ValueError(f"the two have no layer in common of which the {what} was recorded")
    names = [short(row.layer) for row in rows]
    ends, y = factor * np.array([row[1:] for row in rows]), np.arange(len(rows))
    figure = go.Figure()
    figure.add_scatter(
        x=np.column_stack([ends, np.full(len(y), np.nan)]).ravel(), y=np.repeat(y, 3),
        mode="lines", line={"color": colours.muted, "width": 1}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    for name, x, colour, symbol in (
        ("left", ends[:, 0], colours.muted, "circle-open"),
        ("right", ends[:, 1], colours.accent, "circle"),
    ):
        figure.add_scatter(
            x=x, y=y, mode="markers", name=name, customdata=np.array(names),
            marker={"color": colour, "size": 8, "symbol": symbol, "line": {"width": 1.2, "color": colour}},
            hovertemplate=f"%{{customdata}}, {name}: %{{x:.2f}}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(tickvals=y, ticktext=names, range=[len(rows) - 0.4, -0.6])
    figure.update_xaxes(title={"text": axis}, showgrid=True)
    apart = int(np.abs(ends[:, 1] - ends[:, 0]).argmax())
    title = f"The {what} of {names[apart]} differs most: {ends[apart, 0]:.1f} left, {ends[apart, 1]:.1f} right"
    if np.allclose(ends[:, 0], ends[:, 1]):
        title = f"The {what} of every layer is the same"
    alt = f"{title}. " + ", ".join(f"{n} {a:.1f} and {b:.1f}" for n, (a, b) in zip(names, ends))
    return finish(figure, theme, title=title, alt=f"{alt}.", height=130 + 19 * len(rows))
