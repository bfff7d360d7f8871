"""How much every layer fires, and where its membranes lie around the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, count, finish, palette, percent, scale, short
from dista.measures import FiringMap, MembraneHistogram
from dista.style import marks

if TYPE_CHECKING:
    import pandas as pd


@tabled()
def firing_map(result: FiringMap, *, theme: Theme = "light") -> go.Figure:
    """Spikes per neuron of each layer and step; beside it who never fires and who always does."""
    colours = palette(theme)
    figure = make_subplots(
        1, 2, shared_yaxes=True, column_widths=[0.62, 0.38], horizontal_spacing=0.04,
        subplot_titles=["spikes per neuron", "never, always"],
    )  # fmt: skip
    figure.add_trace(_cells(result, result.rate, scale(colours.amount), (0, None)), row=1, col=1)
    for name, share, colour, shape in (
        ("never fire", result.dead, colours.orange, "/"),
        ("fire at every step", result.saturated, colours.ink, ""),
    ):
        figure.add_trace(_shares(name, share, colour, shape, colours), row=1, col=2)
    _layer_axes(figure, result)
    figure.update_xaxes(range=[0, 1], tickvals=[0, 0.5, 1], tickformat=".0%", row=1, col=2)
    figure.update_layout(barmode="stack", bargap=0.3)
    figure.update_annotations(font_size=12, font_color=colours.muted)
    over = "this sample" if result.samples == 1 else f"{result.samples} samples"
    title = f"{percent(result.dead_overall)} of all neurons never fire on {over}"
    rates = result.rate.mean(1)
    alt = (
        f"{title}, {percent(result.saturated_overall)} at every step. Spikes per neuron and step: "
    )
    alt += ", ".join(f"{short(name)} {rate:.2f}" for name, rate in zip(result.layers, rates)) + "."
    height = 130 + 19 * len(result.layers)
    return finish(figure, theme, title=title, alt=alt, height=height, top=18)


@tabled()
def firing_change(before: FiringMap, after: FiringMap, *, theme: Theme = "light") -> go.Figure:
    """What an intervention did to the firing rates: more spikes in the accent, fewer in orange."""
    if before.layers != after.layers or before.rate.shape != after.rate.shape:
        raise ValueError("the two have other layers or steps; compare recordings of the same model")
    colours = palette(theme)
    change = after.rate - before.rate
    largest = max(float(np.abs(change).max()), 1e-6)
    both_ways = scale((colours.orange, colours.amount[0], colours.accent))
    figure = go.Figure(_cells(after, change, both_ways, (-largest, largest), sign="+"))
    _layer_axes(figure, after)
    totals = [float(result.rate.sum(1) @ result.neurons) for result in (before, after)]
    relative = totals[1] / totals[0] - 1 if totals[0] else 0.0
    title = f"{percent(abs(relative))} {'fewer' if relative < 0 else 'more'} spikes in all"
    most = int(np.abs(change.mean(1)).argmax())
    alt = (
        f"{title}: {totals[0]:.0f} before, {totals[1]:.0f} after. The rate of "
        f"{short(after.layers[most])} changed most, by {change.mean(1)[most]:+.3f} spikes per neuron "
        "and step."
    )
    return finish(figure, theme, title=title, alt=alt, height=110 + 19 * len(after.layers))


def _bins(result: MembraneHistogram, slope: np.ndarray | None) -> pd.DataFrame:
    """The histogram, with the surrogate gradient of each bin where it is drawn."""
    return result.table() if slope is None else result.table().assign(slope=slope)


@tabled(_bins)
def membrane_histogram(
    result: MembraneHistogram, *, slope: np.ndarray | None = None, theme: Theme = "light"
) -> go.Figure:
    """Membranes before the reset, and the threshold; over them the surrogate gradient.

    ``slope`` (bin,) is the surrogate gradient at the middle of each bin: it says which membranes
    would have learned from this sample.
    """
    colours = palette(theme)
    middles = (result.edges[:-1] + result.edges[1:]) / 2
    share = result.counts / result.total
    fires = middles > result.threshold
    figure = make_subplots(specs=[[{"secondary_y": True}]])
    for name, bins, colour in (
        ("below threshold", ~fires, colours.soft),
        ("fires", fires, colours.accent),
    ):
        figure.add_bar(
            x=middles[bins], y=share[bins], name=name,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="membrane %{x:.2f}: %{y:.1%}<extra></extra>",
        )  # fmt: skip
    if slope is not None:
        figure.add_trace(_slope(middles, slope, colours), secondary_y=True)
    figure.add_vline(
        result.threshold, line=marks.THRESHOLD.on(colours),
        annotation={"text": "threshold", "font": {"color": colours.muted, "size": 11}},
        annotation_position="top right",
    )  # fmt: skip
    figure.update_xaxes(title={"text": "membrane before the reset"})
    figure.update_yaxes(tickformat=".0~%", nticks=4, rangemode="tozero")
    figure.update_layout(bargap=0)
    title = f"{percent(result.fired)} of the membranes of {short(result.layer)} reach the threshold"
    alt = (
        f"{title} of {result.threshold:g}, counted over {result.total} neurons and steps; "
        f"{100 * result.outside:.1f} % lie outside {result.edges[0]:.2f} to {result.edges[-1]:.2f}."
    )
    finish(figure, theme, title=title, alt=alt, height=300, top=10)
    return figure.update_yaxes(showticklabels=False, secondary_y=True)


def _cells(
    result: FiringMap, z: np.ndarray, colourscale: list, span: tuple, sign: str = ""
) -> go.Heatmap:
    layers, steps = z.shape
    names = np.repeat(np.array([short(layer) for layer in result.layers])[:, None], steps, 1)
    return go.Heatmap(
        z=z,
        x=np.arange(1, steps + 1),
        y=np.arange(layers),
        customdata=names,
        hovertemplate=f"%{{customdata}}, step %{{x}}: %{{z:{sign}.3f}} spikes per neuron<extra></extra>",
        colorscale=colourscale,
        zmin=span[0],
        zmax=float(z.max()) or 1.0 if span[1] is None else span[1],
        xgap=2,
        ygap=2,
        colorbar={"thickness": 8, "len": 0.5, "y": 0.5, "outlinewidth": 0, "nticks": 3},
        showscale=span[1] is not None,
    )


def _shares(name: str, share: np.ndarray, colour: str, shape: str, colours: Palette) -> go.Bar:
    return go.Bar(
        x=share,
        y=np.arange(len(share)),
        orientation="h",
        name=name,
        marker={
            "color": colour,
            "line": {"width": 0},
            "pattern": {"shape": shape, "size": 5, "fgcolor": colours.panel, "fillmode": "overlay"},
        },
        hovertemplate=f"%{{x:.1%}} {name}<extra></extra>",
    )


def _layer_axes(figure: go.Figure, result: FiringMap) -> None:
    """Names of the layers on the left, the steps below the cells."""
    layers, steps = result.rate.shape
    names = [short(layer) for layer in result.layers]
    ticks = {"tickvals": np.arange(layers), "ticktext": names}
    figure.update_yaxes(range=[layers - 0.5, -0.5])
    figure.update_layout(
        yaxis=ticks,
        xaxis={"tickvals": np.arange(1, steps + 1), "title": {"text": count(steps, "step")}},
    )


def _slope(middles: np.ndarray, slope: np.ndarray, colours: Palette) -> go.Scatter:
    return go.Scatter(
        x=middles,
        y=slope,
        mode="lines",
        line={"color": colours.ink, "width": 1.6},
        name="surrogate gradient",
        hovertemplate="slope %{y:.2f}<extra></extra>",
    )
