"""Neurons: spikes of a layer, the membrane of one, time constants of all layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, count, finish, palette, short, step_ticks
from dista.measures import LayerActivity, MembraneTrace, Raster, half_life, stacked
from dista.style import labels, marks

if TYPE_CHECKING:
    import pandas as pd


@tabled()
def raster(
    result: Raster, *, step_labels: Sequence[str] | None = None, theme: Theme = "light"
) -> go.Figure:
    """Spikes of neurons of a layer that fire, a line each, the most active on top."""
    colours = palette(theme)
    neurons, steps = result.spikes.shape
    figure = go.Figure(
        go.Heatmap(
            z=result.spikes.astype(np.uint8),
            x=np.arange(steps),
            y=np.arange(neurons),
            customdata=np.repeat(result.neurons[:, None] + 1, steps, 1).astype(np.uint16),
            hovertemplate="channel %{customdata[0]}, row %{customdata[1]}, "
            "column %{customdata[2]}: %{z}<extra></extra>",
            colorscale=[(0, colours.panel), (1, colours.ink)],
            zmin=0,
            zmax=1,
            xgap=6,
            ygap=1 if neurons > 40 else 2,
            showscale=False,
        )
    )
    ticks = step_ticks(steps, step_labels)
    figure.update_xaxes(tickvals=np.arange(steps), ticktext=ticks, tickangle=0)
    figure.update_yaxes(autorange="reversed", showticklabels=False, title={"text": "neuron"})
    title = (
        f"Spikes of {short(result.layer)}: {result.shown} of the {result.active} neurons that fire, "
        f"of {result.total}"
    )
    if result.active <= result.shown:
        title = f"Spikes of {short(result.layer)}: the {result.active} of {result.total} neurons that fire"
    if result.shown == result.total:
        title = f"Spikes of {short(result.layer)}: all {result.total} neurons"
    alt = (
        f"{title}. {result.active} of {result.total} neurons fire at least once. Shown are "
        f"{int(result.spikes.sum())} spikes in {count(steps, 'step')}; by step: "
        f"{', '.join(map(str, result.spikes.sum(0)))}."
    )
    return finish(figure, theme, title=title, alt=alt, height=360)


@tabled()
def membrane(
    trace: MembraneTrace, *, step_labels: Sequence[str] | None = None, theme: Theme = "light"
) -> go.Figure:
    """One neuron: charge up to h, the threshold, the drop to v where it fires, and its current.

    A neuron charges from v of the step before to h; a vertical line at a step is its reset.
    """
    colours = palette(theme)
    rows = 1 if trace.current is None else 2
    figure = make_subplots(
        rows, 1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.72, 0.28][:rows]
    )
    figure.add_traces(_potential(trace, colours), rows=1, cols=1)
    if trace.current is not None:
        _add_current(figure, trace.current, colours)
    steps = len(trace.h)
    figure.add_hline(
        trace.threshold,
        row=1,
        col=1,
        line=marks.THRESHOLD.on(colours),
        annotation={"text": "threshold", "font": {"color": colours.muted, "size": 11}},
        annotation_position="right",
    )
    figure.update_xaxes(tickvals=np.arange(steps), ticktext=[""] * steps, range=[-0.5, steps - 0.5])
    figure.update_xaxes(ticktext=step_ticks(steps, step_labels), tickangle=0, row=rows, col=1)
    figure.update_yaxes(title={"text": "membrane"}, row=1, col=1)
    fired = trace.fired
    forgets = (
        "" if trace.half_life is None else f", leak forgets half in {trace.half_life:.1f} steps"
    )
    if trace.half_life_with_resets is not None:
        forgets += f", {trace.half_life_with_resets:.1f} with the layer's resets"
    of = f" of {short(trace.layer)}" if trace.layer else ""  # a neuron alone is of no layer
    title = f"One neuron{of}: {count(len(fired), 'spike')}{forgets}"
    which = f"the neuron in {labels.neuron(*trace.neuron)}{of}" if trace.layer else "one neuron"
    when = ", ".join(str(step + 1) for step in fired) or "no step"
    alt = (
        f"Membrane potential of {which} "
        f"over {count(steps, 'step')}; it fires at {when}. Largest potential "
        f"{trace.h.max():.2f}, threshold {trace.threshold:g}."
    )
    finish(figure, theme, title=title, alt=alt, height=320)
    return figure.update_layout(margin_r=68)


def _potential(trace: MembraneTrace, colours: Palette) -> list[go.Scatter]:
    steps = np.arange(len(trace.h))
    x, y = steps, trace.h
    if trace.v is not None:  # h[t], then v[t] at the same place
        x, y = np.repeat(steps, 2), np.stack([trace.h, trace.v], 1).ravel()
    fired = trace.fired
    return [
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line=marks.MEMBRANE.on(colours),
            name="membrane",
            hovertemplate="%{y:.2f}<extra></extra>",
            showlegend=False,
        ),
        go.Scatter(
            x=fired,
            y=trace.h[fired],
            mode="markers",
            marker=marks.SPIKE.on(colours),
            name="● spike",
            hovertemplate="spike at %{y:.2f}<extra></extra>",
            showlegend=False,
        ),
    ]


def _add_current(figure: go.Figure, current: np.ndarray, colours: Palette) -> None:
    figure.add_bar(
        x=np.arange(len(current)),
        y=current,
        marker={"color": colours.soft, "line": {"width": 0}},
        width=0.3,
        hovertemplate="input current %{y:.2f}<extra></extra>",
        showlegend=False,
        row=2,
        col=1,
    )
    figure.update_yaxes(title={"text": "current"}, nticks=3, row=2, col=1)


Start = float | Mapping[str, float | Sequence[float]]


def _taus(rows: Sequence[LayerActivity], start: Start | None) -> pd.DataFrame:
    """The activity of the layers, with the tau that each had at the start where that is known."""
    table = stacked(rows)
    return table if start is None else table.assign(start=_starts(start, table["layer"]))


def _starts(start: Start, layers: Iterable[str]) -> list[float]:
    """The tau of each layer at the start, the mean of its channels where these have their own."""
    if not isinstance(start, Mapping):
        return [start for _ in layers]
    return [float(np.mean(start.get(layer, np.nan))) for layer in layers]


@tabled(_taus)
def taus(
    rows: Sequence[LayerActivity],
    *,
    start: Start | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Time constants of all layers: hollow at the start, filled now, a line for what training did.

    ``start`` is the tau before training, one for all or one (or one a channel) for each layer, as a card's
    ``starting_taus``; without it nothing is said of the start. Where channels have taus of their own, a thin
    line spans the smallest and the largest. The longest memory is labelled.
    """
    colours = palette(theme)
    layers = [row for row in rows if row.tau is not None]
    if not layers:
        raise ValueError("no layer has a time constant; record '*.tau' as well")
    y = np.arange(len(layers))
    now = np.array([row.tau for row in layers])
    figure = go.Figure()
    spread = np.array([(row.tau_min, row.tau_max) for row in layers], float)
    if (spread[:, 0] < spread[:, 1]).any():
        figure.add_trace(_segments(spread, y, colours.line, 5))
    if start is not None:
        before = np.array(_starts(start, (row.layer for row in layers)))
        figure.add_trace(_segments(np.stack([before, now], 1), y, colours.muted, 1))
        figure.add_trace(_dots(before, y, "○ at the start", colours.muted, "circle-open"))
    figure.add_trace(_dots(now, y, "● now", colours.accent, "circle"))
    figure.data[-1].customdata = np.array([half_life(tau) for tau in now])
    figure.data[
        -1
    ].hovertemplate = "tau %{x:.2f}, forgets half in %{customdata:.1f} steps<extra></extra>"
    longest = int(now.argmax())
    moved = now.max() - now.min() > 1e-6
    if moved:
        figure.add_annotation(
            x=now[longest],
            y=longest,
            text=f"{now[longest]:.1f}",
            showarrow=False,
            yshift=13,
            font={"color": colours.orange, "size": 12},
        )
    figure.update_yaxes(tickvals=y, ticktext=[short(row.layer) for row in layers])
    figure.update_yaxes(range=[len(layers) - 0.4, -0.9])
    figure.update_xaxes(title={"text": "time constant in steps"}, showgrid=True)
    title = f"{short(layers[longest].layer)} has the longest memory: tau\u00a0{now[longest]:.1f}"
    if not moved:
        title = f"All layers have tau {now[0]:.1f}"
    alt = f"{title}. " + ", ".join(f"{short(r.layer)} {r.tau:.2f}" for r in layers) + "."
    return finish(figure, theme, title=title, alt=alt, height=130 + 19 * len(layers))


def _dots(x: np.ndarray, y: np.ndarray, name: str, colour: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        name=name[2:],
        marker={
            "color": colour,
            "size": 8,
            "symbol": symbol,
            "line": {"width": 1.2, "color": colour},
        },
        hovertemplate="tau %{x:.2f}<extra></extra>",
    )


def _segments(ends: np.ndarray, y: np.ndarray, colour: str, width: float) -> go.Scatter:
    """A horizontal line for each row of ``ends`` (row, 2), as one trace."""
    gap = np.full(len(y), np.nan)
    return go.Scatter(
        x=np.column_stack([ends, gap]).ravel(),
        y=np.column_stack([y, y, gap]).ravel(),
        mode="lines",
        line={"color": colour, "width": width},
        hoverinfo="skip",
        showlegend=False,
    )
