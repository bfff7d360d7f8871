"""Which head looks where, all heads and steps at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette, percent, scale, step_ticks, text_on
from dista.measures import AttentionTo, rank_heads

if TYPE_CHECKING:
    import pandas as pd

_ROW = 24  # pixels, so that a finger hits a cell


def _by_head(results: Sequence[AttentionTo]) -> pd.DataFrame:
    """A row for each block, head and step: the share, and the counts of all patches together."""
    import pandas as pd

    tables = []
    for one in results:
        head, step = (axis.ravel() for axis in np.indices(one.share.shape))
        sums = {name: getattr(one, name).sum((2, 3)).ravel() for name in ("paid", "total")}
        columns = {"block": one.block, "head": head, "step": step, "share": one.share.ravel()}
        tables.append(pd.DataFrame(columns | sums | {"even": one.even[step]}))
    return pd.concat(tables, ignore_index=True)


@tabled(_by_head)
def attention_grid(
    results: Sequence[AttentionTo],
    *,
    to: str,
    place: tuple[int, int, int] | None = None,
    step_labels: Sequence[str] | None = None,
    since: int = 0,
    theme: Theme = "light",
) -> go.Figure:
    """A row for each head, a column for each step: the share of attention that goes to the chosen keys, in %.

    ``to`` says in words what they are ("the cue"). Cells are empty where the share says nothing: nothing is
    attended, no chosen key is in reach, or no other. ``place`` (block, head, step) is framed. The title is of
    the steps from ``since`` on. Raises ValueError
    where there are no blocks.
    """
    if not results:
        raise ValueError("results is empty; give attention_to of a recording with maps")
    colours = palette(theme)
    share = np.concatenate([one.share for one in results])
    names = [(one.block, head) for one in results for head in range(len(one.share))]
    said = [f"block {block + 1} · head {head + 1}" for block, head in names]
    steps = share.shape[1]
    counts = [np.concatenate([getattr(one, n).sum((2, 3)) for one in results]) for n in ("paid", "total")]  # fmt: skip
    even = np.concatenate([np.broadcast_to(one.even, one.share.shape) for one in results])
    figure = go.Figure(
        go.Heatmap(
            z=share, x=np.arange(steps), y=np.arange(len(names)),
            customdata=np.stack([*counts, even, *_places(names, steps)], -1),
            hovertemplate="block %{customdata[3]}, head %{customdata[4]}, step %{customdata[5]}: %{z:.0%}, "
            f"%{{customdata[0]}} of %{{customdata[1]}} counts<br>to {to} "
            "(even attention: %{customdata[2]:.0%})<extra></extra>",
            colorscale=scale(colours.amount), zmin=0, zmax=1, xgap=2, ygap=2, showscale=False,
        )
    )  # fmt: skip
    ink = text_on(np.nan_to_num(share), colours.amount)
    figure.layout.annotations = [  # at once: plotly looks at all of them again for each that is added
        {
            "x": column, "y": row, "text": f"{100 * share[row, column]:.0f}", "showarrow": False,
            "font": {"size": 11, "color": ink[row, column]},
        }
        for row, column in np.argwhere(~np.isnan(share))
    ]  # fmt: skip
    if place is not None and place[:2] in names and place[2] < steps:
        at, row = place[2], names.index(place[:2])
        figure.add_shape(
            type="rect", x0=at - 0.5, x1=at + 0.5, y0=row - 0.5, y1=row + 0.5,
            line={"color": colours.ink, "width": 2},
        )  # fmt: skip
    labels = step_ticks(steps, step_labels if steps < 10 else None)
    figure.update_xaxes(tickvals=np.arange(steps), ticktext=labels, side="top", tickangle=0)
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5], tickvals=np.arange(len(names)), ticktext=said
    )
    title = _title(results, to, since)
    alt = f"{title} By head, at its highest step: " + "; ".join(
        f"{name} {percent(np.nanmax(row))}"
        for name, row in zip(said, share)
        if not np.isnan(row).all()
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=80 + _ROW * len(names), top=24)


def _places(names: Sequence[tuple[int, int]], steps: int) -> list[np.ndarray]:
    """Block, head and step of each cell, counted from 1 as they are shown."""
    blocks, heads = (np.repeat(np.array(part)[:, None] + 1, steps, 1) for part in zip(*names))
    return [blocks, heads, np.broadcast_to(np.arange(1, steps + 1), blocks.shape)]


def _title(results: Sequence[AttentionTo], to: str, since: int) -> str:
    ranked = rank_heads(results, 1, since=since)
    if not ranked:
        return f"No head pays more to {to} than even attention would"
    (most,) = ranked
    return (
        f"All patches of a head together: block {most.block + 1} head {most.head + 1} pays most to {to} beyond an even "
        f"share, {percent(most.paid / most.total)} of {most.total} counts at step {most.step + 1}"
    )
