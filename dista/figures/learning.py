"""One neuron that learns to fire at a step: the way of its weight and its time constant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette
from dista.measures import Learning, stacked

if TYPE_CHECKING:
    import pandas as pd


def _rows(runs: Sequence[Learning]) -> pd.DataFrame:
    """All updates of all runs."""
    return stacked(runs)


@tabled(_rows)
def learning(runs: Sequence[Learning], *, theme: Theme = "light") -> go.Figure:
    """A line for each run from its start (hollow) to its end, over the band in which the neuron fires as wanted.

    ValueError where there is no run, or they want different steps.
    """
    if not runs or len({run.step for run in runs}) > 1:
        raise ValueError(f"{len(runs)} runs; expected one or more that want the same step")
    colours = palette(theme)
    highest = max(float(run.tau.max()) for run in runs) + 0.5
    taus = np.linspace(1.001, highest, 80)
    low, high = runs[0].window(taus)
    widest = max(float(run.weight.max()) for run in runs) + 0.15
    figure = go.Figure(
        [
            _edge(low, taus, "fires as wanted", colours.line, None),
            _edge(np.minimum(high, widest), taus, "fires as wanted", colours.cursor, "tonextx"),
        ]
    )
    figure.data[0].showlegend = False
    for run, colour in zip(runs, [colours.off, colours.accent, colours.ink]):
        figure.add_trace(_way(run, colour))
    figure.update_xaxes(title={"text": "weight"}, range=[None, widest])
    figure.update_yaxes(title={"text": "time constant tau in steps"})
    said = "; ".join(f"{run.name}: {_came(run)}" for run in runs)
    title = f"To fire at step {runs[0].step + 1} alone. {said}"
    ends = "; ".join(
        f"{run.name} goes from weight {run.weight[0]:.2f}, tau {run.tau[0]:.2f} to {run.weight[-1]:.2f}, {run.tau[-1]:.2f}"
        for run in runs
    )
    return finish(figure, theme, title=title, alt=f"{title}. {ends}.", height=360)


def _came(run: Learning) -> str:
    return (
        f"not in {len(run.weight) - 1} updates" if run.reached is None else f"{run.reached} updates"
    )


def _edge(x: np.ndarray, y: np.ndarray, name: str, colour: str, fill: str | None) -> go.Scatter:
    line = {"color": colour, "width": 1}
    return go.Scatter(
        x=x, y=y, mode="lines", name=name, line=line, fill=fill, fillcolor=colour, hoverinfo="skip"
    )


def _way(run: Learning, colour: str) -> go.Scatter:
    many = len(run.weight)
    inside = ["circle-open"] + ["circle"] * (many - 1)
    return go.Scatter(
        x=run.weight,
        y=run.tau,
        mode="lines+markers",
        name=run.name,
        line={"color": colour, "width": 1.6},
        marker={
            "color": colour,
            "size": [9] + [2] * (many - 2) + [9] * (many > 1),
            "symbol": inside,
        },
        customdata=np.arange(many),
        hovertemplate="after %{customdata} updates: weight %{x:.3f}, tau %{y:.3f}<extra></extra>",
    )
