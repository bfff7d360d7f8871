"""One neuron alone: the same current for several time constants."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Theme, count, finish, palette
from dista.measures import TauSweep
from dista.style.sentences import number


@tabled()
def tau_sweep(result: TauSweep, *, theme: Theme = "light") -> go.Figure:
    """Bars: spikes under the same current for each tau. Line, at the right: the current below which it is silent."""
    colours = palette(theme)
    names = np.array([number(float(tau)) for tau in result.taus])
    figure = go.Figure(
        [
            go.Bar(
                x=names,
                y=result.spikes,
                name="spikes",
                marker={"color": colours.soft, "line": {"width": 0}},
                hovertemplate="tau %{x}: %{y} spikes<extra></extra>",
            ),
            go.Scatter(
                x=names,
                y=result.silent_below,
                yaxis="y2",
                name="silent below",
                mode="lines+markers",
                line={"color": colours.accent, "width": 2},
                hovertemplate="tau %{x}: silent below a current of %{y:.3f}<extra></extra>",
            ),
        ]
    )
    top = 1.15 * float(result.silent_below.max())
    figure.update_xaxes(title={"text": "time constant tau in steps"}, type="category")
    figure.update_yaxes(title={"text": "spikes"}, rangemode="tozero")
    figure.update_layout(
        yaxis2={"overlaying": "y", "side": "right", "range": [0, top], "title": {"text": "current"}}
    )
    first, last = result.spikes[0], result.spikes[-1]
    title = (
        f"The same current for {count(result.steps, 'step')}: {count(int(first), 'spike')} with tau {names[0]}, "
        f"{last} with tau {names[-1]}"
    )
    alt = f"{title}. " + "; ".join(
        f"tau {name}: {spikes} spikes, silent below a current of {current:.3f}"
        for name, spikes, current in zip(names, result.spikes, result.silent_below)
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=320)
