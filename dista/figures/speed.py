"""Measured time against firing rate."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dista.figures import outside
from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette
from dista.measures import TimeByRate


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
    figure.update_xaxes(title={"text": "spikes per neuron and step"}, nticks=6, showgrid=True)
    figure.update_yaxes(title={"text": "milliseconds"}, rangemode="tozero", nticks=6)
    title = sentence(result)
    alt = f"{title}. " + "; ".join(
        f"{name}: rate {rate:.3f}, {one:.1f} ms"
        for name, rate, one in zip(result.names, result.rate, median)
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=330)


def sentence(result: TimeByRate) -> str:
    """What was measured, in one sentence: whether time follows spikes."""
    times, fires = float(np.median(result.ratios)), result.times_the_spikes
    verdict = "time follows spikes" if result.follows else "time hardly follows spikes"
    return f"{fires:.1f} times the spikes take {times:.2f} times as long: {verdict}"
