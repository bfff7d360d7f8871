"""How alike two sets of attention maps are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette
from dista.measures import MapSimilarity


@tabled()
def map_similarity(results: Sequence[MapSimilarity], *, theme: Theme = "light") -> go.Figure:
    """How like the clean maps the noisy ones are, block by block: raw (hollow) and denoised (filled)."""
    if not results:
        raise ValueError("results is empty; expected the result of dista.measures.map_similarity")
    colours = palette(theme)
    y = np.arange(len(results))
    ends = np.array([(result.raw, result.denoised) for result in results], float)
    figure = go.Figure()
    gaps = np.column_stack([ends, np.full(len(ends), np.nan)]).ravel()
    figure.add_scatter(
        x=gaps, y=np.repeat(y, 3), mode="lines", line={"color": colours.muted, "width": 1},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    for column, (name, symbol, colour) in enumerate(
        (
            ("before the denoiser", "circle-open", colours.muted),
            ("after it", "circle", colours.accent),
        )
    ):
        figure.add_scatter(
            x=ends[:, column], y=y, mode="markers", name=name,
            marker={"symbol": symbol, "color": colour, "size": 9, "line": {"width": 1.4}},
            hovertemplate=f"{name}: %{{x:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(
        tickvals=y, ticktext=[f"block {result.block + 1}" for result in results],
        range=[len(results) - 0.5, -0.5],
    )  # fmt: skip
    low = float(np.nanmin(ends)) if np.isfinite(ends).any() else 0.0
    figure.update_xaxes(
        range=[min(0.9, low) - 0.03, 1.01], nticks=5, showgrid=True,
        title={"text": "similarity to the clean map (cosine)"},
    )  # fmt: skip
    finite = ends[np.isfinite(ends).all(1)]
    raw, denoised = finite.mean(0) if len(finite) else (0.0, 0.0)
    more = "more" if denoised > raw else "less"
    title = (
        f"Denoised maps are {more} like the clean ones ({denoised:.2f}) than raw maps ({raw:.2f})"
    )
    if round(denoised, 2) == round(raw, 2):
        title = f"Raw and denoised maps are as much like the clean ones ({denoised:.2f})"
    if not len(finite):
        title = "There is no attention left to compare"
    alt = f"{title}. " + ", ".join(
        f"block {r.block + 1}: raw {_number(r.raw)}, denoised {_number(r.denoised)}"
        for r in results
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=150 + 40 * len(results))


def _number(value: float | None) -> str:
    return "no attention" if value is None else f"{value:.3f}"
