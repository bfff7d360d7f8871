"""What of an attention map is there by chance, and which patches pay and receive attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dista.figures.rows import say
from dista.figures.tables import tabled
from dista.figures.theme import Theme, count, finish, palette, percent, scale
from dista.measures import ChanceLevel, PatchTotals


@tabled()
def chance_levels(
    results: Mapping[str, Sequence[ChanceLevel]], *, theme: Theme = "light"
) -> go.Figure:
    """The mean entry of each block's map, by network: as counted (bar), and its chance level (line across)."""
    if not results:
        raise ValueError("results is empty; give at least one network and its chance levels")
    colours = palette(theme)
    rows = [(name, level) for name, levels in results.items() for level in levels]
    names = [f"{name}, block {level.block + 1}" for name, level in rows]
    y = np.arange(len(rows))
    figure = go.Figure()
    figure.add_bar(
        x=np.array([level.counted for _, level in rows]), y=y, orientation="h", name="counted",
        marker={"color": colours.soft, "line": {"width": 0}}, width=0.55,
        hovertemplate="%{x:.3f} counted in a mean entry<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=np.array([level.chance for _, level in rows]), y=y, mode="markers", name="by chance",
        marker={
            "symbol": "line-ns", "size": 20, "color": colours.ink,
            "line": {"color": colours.ink, "width": 3},
        },
        hovertemplate="%{x:.3f} by chance<extra></extra>",
    )  # fmt: skip
    for place, (name, (_, level)) in enumerate(zip(names, rows)):
        say(figure, place, f"<b>{percent(level.share)}</b>  {name}", colours, shift=21)
    figure.update_yaxes(range=[len(rows) - 0.5, -0.8], visible=False)
    figure.update_xaxes(
        rangemode="tozero", showgrid=True, title={"text": "coincident spikes in a mean entry"}
    )
    shares = [level.share for _, level in rows]
    title = f"Chance alone makes {percent(min(shares))} to {percent(max(shares))} of the counts"
    alt = f"{title}. " + "; ".join(
        f"{name}: {level.counted:.2f} counted, {level.chance:.2f} by chance"
        for name, (_, level) in zip(names, rows)
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=110 + 56 * len(rows))


@tabled()
def patch_totals(result: PatchTotals, *, theme: Theme = "light") -> go.Figure:
    """Two maps of the patches on one scale: the attention that each pays, and that it receives."""
    colours = palette(theme)
    maps = {"pays": result.paid, "receives": result.received}
    largest = max(1.0, *(float(one.max()) for one in maps.values()))
    figure = make_subplots(1, 2, subplot_titles=list(maps), horizontal_spacing=0.06)
    for column, (name, totals) in enumerate(maps.items(), 1):
        figure.add_trace(
            go.Heatmap(
                z=totals.astype(np.float32), coloraxis="coloraxis", xgap=1, ygap=1,
                hovertemplate=f"row %{{customdata[0]}}, column %{{customdata[1]}} {name} %{{z:.0f}}<extra></extra>",
                customdata=np.stack(np.indices(totals.shape) + 1, -1).astype(np.uint16),
            ),
            row=1, col=column,
        )  # fmt: skip
    figure.update_xaxes(visible=False, constrain="domain")
    for column, name in enumerate(("y", "y2"), 1):
        figure.update_yaxes(
            visible=False,
            autorange="reversed",
            scaleanchor=name.replace("y", "x"),
            row=1,
            col=column,
        )
    figure.update_layout(
        coloraxis={
            "colorscale": scale(colours.amount), "cmin": 0, "cmax": largest,
            "colorbar": {"thickness": 8, "outlinewidth": 0, "title": {"text": "spikes"}},
        }
    )  # fmt: skip
    most = {name: np.unravel_index(int(one.argmax()), one.shape) for name, one in maps.items()}
    places = {name: f"row {r + 1}, column {c + 1}" for name, (r, c) in most.items()}
    title = f"Patch {places['pays']} pays most attention, patch {places['receives']} receives most"
    alt = (
        f"{title} (block {result.block + 1}, {result.of}, mean of {count(result.samples, 'sample')}): "
        + "; ".join(
            f"a patch {name} {one.min():.0f} to {one.max():.0f} coincident spikes"
            for name, one in maps.items()
        )
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=270, top=16)
