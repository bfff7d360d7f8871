"""Recordings of event cameras side by side: where their events lie, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette
from dista.measures.events import EventStatistics


@tabled()
def event_statistics(
    results: Mapping[str, EventStatistics], *, theme: Theme = "light"
) -> go.Figure:
    """Mean place of the events in x and in y, and their rate, over time: a line for each camera, by its name."""
    if not results:
        raise ValueError("results is empty; expected dista.measures.event_statistics by name")
    colours = palette(theme)
    figure = make_subplots(3, 1, shared_xaxes=True, vertical_spacing=0.08)
    for place, (name, one) in enumerate(results.items()):
        colour = colours.categories[place % len(colours.categories)]
        for row, (axis, unit) in enumerate((("x", "px"), ("y", "px"), ("rate", "events/ms")), 1):
            line = go.Scatter(
                x=one.time_ms, y=getattr(one, axis), name=name, legendgroup=name, mode="lines",
                showlegend=row == 1, line={"color": colour, "width": 1.6},
                hovertemplate=f"{name}, %{{x:.0f}} ms: {axis} %{{y:.1f}} {unit}<extra></extra>",
            )  # fmt: skip
            figure.add_trace(line, row=row, col=1)
    for row, title in enumerate(("x, pixels", "y, pixels", "events a ms"), 1):
        figure.update_yaxes(title={"text": title}, showgrid=True, nticks=5, row=row, col=1)
    figure.update_yaxes(autorange="reversed", row=2, col=1)  # as on the sensor
    figure.update_xaxes(title={"text": "ms"}, row=3, col=1)
    said = "; ".join(
        f"{name}: moves by {one.spread_x:.2f} and {one.spread_y:.2f} px, centre {one.centre_x:.1f}, {one.centre_y:.1f}, "
        f"{one.events:.0f} events, 1 % of gaps below {one.shortest_us:.0f} µs, border {one.noise_hz:.2f} Hz "
        f"(1 % above {one.noise_hz_most:.2f})"
        for name, one in results.items()
    )
    title = f"Events of {len(results)} cameras, means over their recordings"
    return finish(figure, theme, title=title, alt=f"{title}. {said}.", height=460)
