"""Attention of entries against what their removal does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette
from dista.measures import EntryEffects


@tabled()
def entry_effects(results: Mapping[str, EntryEffects], *, theme: Theme = "light") -> go.Figure:
    """A dot for each pair of steps of each sample: its share of attention, and the effect of its removal.

    The first of ``results``, by name, is in the accent; the others are what it is compared with. ValueError where there
    are none.
    """
    if not results:
        raise ValueError("results is empty; give at least one network's effects by its name")
    colours = palette(theme)
    figure = go.Figure()
    hues = [colours.accent, colours.muted, *colours.categories]
    for place, (name, result) in enumerate(results.items()):
        pairs = np.tile(
            np.column_stack([result.query_time, result.key_time]) + 1, (len(result.attention), 1)
        )
        figure.add_scatter(
            x=100 * result.attention.ravel(), y=result.effect.ravel(), mode="markers", name=name,
            customdata=pairs, marker={
                "color": hues[place % len(hues)], "size": 7, "opacity": 0.75,
                "symbol": "circle-open" if place else "circle",
            },
            hovertemplate="query step %{customdata[0]}, key step %{customdata[1]}: %{x:.1f} % of the attention, "
            "%{y:.3f} logits<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title={"text": "share of the attention, %"}, rangemode="tozero", nticks=6)
    figure.update_yaxes(title={"text": "change of the logits"}, rangemode="tozero", nticks=6)
    title = "Rank correlation of attention and effect: " + ", ".join(
        f"{one.agreement:.2f} {name}" for name, one in results.items()
    )
    alt = f"{title}. " + "; ".join(
        f"{name}: {len(one.attention)} samples, {100 * one.without_effect:.0f} % of the attention goes to pairs "
        "whose removal changes nothing"
        for name, one in results.items()
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=360)
