"""Frames of an event camera."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Theme, count, finish, palette, percent, scale, step_ticks
from dista.measures import EventFrames


@tabled()
def event_frames(result: EventFrames, *, theme: Theme = "light") -> go.Figure:
    """One tile a step, ON above OFF, on one scale; below the steps stands how many events they have."""
    colours = palette(theme)
    steps, height, width = result.on.shape
    largest = max(1.0, float(result.on.max()), float(result.off.max()))
    figure = go.Figure()
    rows = {"ON": result.on, "OFF": result.off}
    for place, (name, counts) in enumerate(rows.items()):
        tiled = np.full((height, steps, width + 2), np.nan, np.float32)
        tiled[..., :width] = np.moveaxis(counts, 0, 1)
        figure.add_heatmap(
            z=tiled.reshape(height, -1), x=np.arange(steps * (width + 2)), y=np.arange(height) + place * (height + 2),
            colorscale=scale(colours.amount if name == "ON" else colours.removed), zmin=0, zmax=largest,
            showscale=False, hoverongaps=False, name=name,
            hovertemplate=f"%{{z}} {name} events<extra></extra>",
        )  # fmt: skip
    labels = [f"{events:.0f}" for events in result.by_step]
    figure.update_xaxes(
        tickvals=np.arange(steps) * (width + 2) + (width - 1) / 2, ticktext=step_ticks(steps, labels),
        side="bottom", tickangle=0, constrain="domain",
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=np.array([0, height + 2]) + (height - 1) / 2, ticktext=list(rows),
        range=[2 * height + 1.5, -0.5], scaleanchor="x", constrain="domain", constraintoward="top",
    )  # fmt: skip
    total = int(result.by_step.sum())
    title = (
        f"{count(total, 'event')} in {count(steps, 'step')}, {percent(result.on_share)} of them ON"
    )
    alt = f"{title}. Events by step: {', '.join(labels)}."
    tall = max(150, round(90 + 1600 * height / (steps * width)))  # two rows of tiles in 800 pixels
    return finish(figure, theme, title=title, alt=alt, height=tall)
