"""Measured time against firing rate, of a model and of a layer, and against operations, of all layers of a model."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dista.figures import outside
from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette, percent, short
from dista.measures import LayerTimes, TimeByRate, TimeBySpikes


@tabled()
def time_by_rate(result: TimeByRate, *, theme: Theme = "light") -> go.Figure:
    """An open dot for every round and a full one at their median, against the firing rate of the input."""
    colours = palette(theme)
    milliseconds, rounds = 1e3 * result.seconds, result.seconds.shape[1]
    median = np.median(milliseconds, 1)
    below = np.argsort(np.argsort(result.rate)) % 2 == 1  # so that names of neighbours do not meet
    sides = np.where(below, "bottom center", "top center")
    figure = go.Figure()
    figure.add_scatter(
        x=np.repeat(result.rate, rounds), y=milliseconds.ravel(), mode="markers", name="a round",
        marker={"color": colours.muted, "symbol": "circle-open", "size": 7},
        hovertemplate="%{y:.1f} ms<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=result.rate, y=median, mode="markers", name="median",
        text=[outside.shown(name) for name in result.names],
        marker={"color": colours.accent, "size": 10},
        hovertemplate="%{text}: %{y:.1f} ms, %{x:.3f} spikes per neuron and step<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=result.rate, y=np.where(below, milliseconds.min(1), milliseconds.max(1)), mode="text",
        text=[outside.shown(name) for name in result.names], textposition=sides,
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    _axes(figure)
    title = sentence(result)
    alt = f"{title}. " + "; ".join(
        f"{name}: rate {rate:.3f}, {one:.1f} ms"
        for name, rate, one in zip(result.names, result.rate, median)
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=330)


def _axes(figure: go.Figure) -> None:
    figure.update_xaxes(title={"text": "spikes per neuron and step"}, nticks=6, showgrid=True)
    figure.update_yaxes(title={"text": "milliseconds"}, rangemode="tozero", nticks=6)


def sentence(result: TimeByRate) -> str:
    """What was measured, in one sentence: whether time follows spikes."""
    times, fires = float(np.median(result.ratios)), result.times_the_spikes
    verdict = "time follows spikes" if result.follows else "time hardly follows spikes"
    return f"{fires:.1f} times the spikes take {times:.2f} times as long: {verdict}"


@tabled()
def time_by_spikes(result: TimeBySpikes, *, theme: Theme = "light") -> go.Figure:
    """A line for each way to compute a layer, against the firing rate of its input; dashed what the first way fits."""
    colours = palette(theme)
    milliseconds, line = 1e3 * result.seconds, result.fit
    figure = go.Figure()
    for way, values, shade in zip(result.ways, milliseconds, colours.categories):
        figure.add_scatter(
            x=result.rate, y=values, mode="lines+markers", name=way,
            line={"color": shade, "width": 1.5}, marker={"color": shade, "size": 6},
            hovertemplate=f"{way}: %{{y:.2f}} ms at %{{x:.2f}}<extra></extra>",
        )  # fmt: skip
    fitted = 1e3 * (line.start + line.each * result.accumulates)
    figure.add_scatter(
        x=result.rate, y=fitted, mode="lines", name=f"fit, R² = {line.r_squared:.3f}",
        line={"color": colours.ink, "width": 1, "dash": "dot"}, hoverinfo="skip",
    )  # fmt: skip
    _axes(figure)
    title = of_layer(result)
    alt = f"{title}. " + "; ".join(
        f"{way}: {values[0]:.2f} to {values[-1]:.2f} ms"
        for way, values in zip(result.ways, milliseconds)
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=330)


def of_layer(result: TimeBySpikes) -> str:
    """What was measured of a layer, in one sentence: what a spike costs, and from where on multiplying is faster."""
    line, crossover = result.fit, result.crossover
    costs = f"{1e3 * line.start:.2g} ms and {1e9 * line.each:.2g} ms a million accumulates"
    if crossover is None:
        return f"{costs}; multiplying is never faster"
    return f"{costs}; multiplying is faster from {100 * crossover:.0f} % on"


PARTS = ("stem", "Q, K, V", "attention", "output of attention", "MLP")
"""What layers are drawn as, in their order."""


@tabled()
def layer_times(result: LayerTimes, *, theme: Theme = "light") -> go.Figure:
    """A dot for every layer and step: its accumulates, and how long it took; dotted what a line through the layers of
    weights says.

    Open where there are so many accumulates that the layer is rather multiplied as a whole.
    """
    colours, line = palette(theme), result.fit
    figure = go.Figure()
    millions, micro = result.accumulates / 1e6, 1e6 * result.median
    of_part = np.array([_part(name) for name in result.layers])
    for part, shade in zip(PARTS, colours.categories):
        rows = np.flatnonzero(of_part == part)
        if not len(rows):
            continue
        names = [
            f"{short(result.layers[row])}, step {t + 1}"
            for row in rows
            for t in range(millions.shape[1])
        ]
        symbols = np.where(result.multiplies[rows].ravel(), "circle-open", "circle")
        figure.add_scatter(
            x=millions[rows].ravel(), y=micro[rows].ravel(), mode="markers", name=part, text=names,
            marker={"color": shade, "symbol": symbols, "size": 8},
            hovertemplate="%{text}: %{x:.3f} million accumulates, %{y:.0f} µs<extra></extra>",
        )  # fmt: skip
    ends = np.array([0.0, float(result.accumulates[~result.attends].max())])
    figure.add_scatter(
        x=ends / 1e6, y=1e6 * (line.start + line.each * ends), mode="lines",
        name=f"fit, R² = {line.r_squared:.2f}",
        line={"color": colours.ink, "width": 1, "dash": "dot"}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(title={"text": "million accumulates of a sample"}, nticks=6, showgrid=True)
    figure.update_yaxes(title={"text": "microseconds"}, rangemode="tozero", nticks=6)
    title = of_layers(result)
    alt = f"{title}. " + "; ".join(
        f"{short(name)}: {counted:.2f} million accumulates and {seconds:.0f} µs a step"
        for name, counted, seconds in zip(result.layers, millions.mean(1), micro.mean(1))
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=360)


def _part(layer: str) -> str:
    last = layer.rpartition(".")[2]
    if layer.startswith("stem"):
        return "stem"
    if ".mlp." in layer:
        return "MLP"
    return {"attention": "attention", "output": "output of attention"}.get(last, "Q, K, V")


def of_layers(result: LayerTimes) -> str:
    """Whether the machine agrees with the count, in one sentence."""
    line, costlier = result.fit, result.costlier
    said = f"operations explain {percent(max(0.0, line.r_squared))} of what layers differ in time"
    return (
        said
        if costlier is None
        else f"{said}; those of attention take {costlier:.2g} times as long"
    )
