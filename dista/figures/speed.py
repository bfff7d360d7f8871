"""Measured time against firing rate, of a model and of a layer."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dista.figures import outside
from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette
from dista.measures import TimeByRate, TimeBySpikes


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
