"""What changes cost: the accuracy with each of them against the one without."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, finish, palette, percent
from dista.measures import PairedDifference

_FITS = 46  # characters on a screen of 390 pixels
_ROW = 62  # pixels: a line of text, the interval below it, and what was answered


@tabled()
def accuracy_changes(
    results: Mapping[str, PairedDifference], *, theme: Theme = "light"
) -> go.Figure:
    """A row for each change, by its name: the difference of accuracy in points and its 95 % interval.

    A loss whose interval leaves 0 out is orange, anything else that does is in the accent, with a filled
    dot; a hollow dot is a difference that may be none. Below stand the accuracy and the share of the answer that
    was given most often. The first row makes the title.
    """
    if not results:
        raise ValueError("results is empty; give at least one change and what it did")
    colours = palette(theme)
    figure = go.Figure()
    figure.add_vline(0, line={"color": colours.ink, "width": 1})
    for row, (name, result) in enumerate(results.items()):
        figure.add_trace(_interval(row, name, result, colours))
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=row, yshift=13, showarrow=False,
            text=f"<b>{points(result.difference)}</b>  {fitting(name)}", font={"size": 12},
        )  # fmt: skip
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=row, yshift=-13, showarrow=False,
            text=_answered(result), font={"size": 11, "color": colours.muted},
        )  # fmt: skip
    ends = 100 * np.array([(r.low, r.high) for r in results.values()])
    room = 0.08 * (max(ends.max(), 0) - min(ends.min(), 0))
    figure.update_xaxes(
        range=[min(ends.min(), 0) - room, max(ends.max(), 0) + room],
        title={"text": "change of accuracy, points"},
        showgrid=True,
        nticks=6,
    )
    figure.update_yaxes(range=[len(results) - 0.5, -0.75], visible=False)
    name, first = next(iter(results.items()))
    title = f"{name}: {points(first.difference)} points"
    alt = f"{title} on {first.samples} samples. " + "; ".join(
        f"{name}: {percent(r.before)} before, {percent(r.after)} after, difference "
        f"{points(r.difference)}, 95 % interval {points(r.low)} to {points(r.high)}, {_answered(r)}"
        for name, r in results.items()
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=94 + _ROW * len(results))


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def _answered(result: PairedDifference) -> str:
    """The accuracy, and whether one answer was given to nearly all."""
    return (
        f"{percent(result.after)} right; {percent(result.most_frequent_after)} one answer "
        f"(before {percent(result.most_frequent_before)})"
    )


def fitting(name: str) -> str:
    """A name as it fits on a narrow screen; the whole of it is in the hover and the description."""
    return name if len(name) <= _FITS else f"{name[: _FITS - 1]}…"


def _interval(row: int, name: str, result: PairedDifference, colours: Palette) -> go.Scatter:
    colour = colours.orange if result.high < 0 else colours.accent
    x = 100 * np.array([result.low, result.difference, result.high])
    return go.Scatter(
        x=x,
        y=np.full(3, row),
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={
            "size": [0, 10, 0],
            "opacity": 1,
            "color": colour if result.certain else colours.panel,
            "line": {"color": colour, "width": 2},
        },
        hovertemplate=f"{name}: {round(result.after * result.samples)} instead of "
        f"{round(result.before * result.samples)} of {result.samples} right<br>"
        f"{len(result.lost)} lost, {len(result.gained)} gained<br>{_answered(result)}<br>"
        f"{points(result.difference)}, 95 % interval {points(result.low)} to {points(result.high)}"
        "<extra></extra>",
        showlegend=False,
    )
