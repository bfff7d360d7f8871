"""The words of a row in figures that have one row for each thing: above what is drawn, or below it."""

from __future__ import annotations

import plotly.graph_objects as go

from dista.style.palette import Palette

NAME, REMARK = 12, 11  # pixels of the letters


def say(
    figure: go.Figure,
    row: int,
    text: str,
    colours: Palette,
    *,
    shift: int = 14,
    remark: bool = False,
    hover: str | None = None,
) -> None:
    """Write ``text`` at the left end of a row, ``shift`` pixels above its middle; a ``remark`` is small and muted.

    The words have the ground of the figure: a line that stands for a value ends where it would cross them.
    """
    font = {"size": REMARK, "color": colours.muted} if remark else {"size": NAME}
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=row, yshift=shift, showarrow=False, align="left",
        text=text, font=font, hovertext=hover, bgcolor=colours.panel, borderpad=0,
    )  # fmt: skip
