"""How the answer comes about, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, finish, palette, percent, step_ticks
from dista.measures import Decision


@tabled()
def decision(
    result: Decision, *, step_labels: Sequence[str] | None = None, theme: Theme = "light"
) -> go.Figure:
    """Logits of each step; the read-out window is shaded, the settling step marked.

    The answer is drawn in the accent and, if it is wrong, the true class in orange and dashed; of
    more than two classes the others stay in the background.
    """
    colours = palette(theme)
    steps, classes = result.logits.shape
    figure = go.Figure()
    _add_readout(figure, result, colours)
    back = [c for c in range(classes) if c not in (result.answer, result.label)]
    for c in [*back, *dict.fromkeys([result.label, result.answer])]:
        if c is not None:
            figure.add_trace(_class_line(result, c, colours))
            _name(figure, result, c, colours)
    figure.add_vline(result.settled_at, line={"color": colours.ink, "width": 1, "dash": "dot"})
    figure.update_xaxes(
        tickvals=np.arange(steps),
        ticktext=step_ticks(steps, step_labels),
        tickangle=0,
        range=[-0.4, steps - 0.6],
    )
    figure.update_yaxes(title={"text": "logit"}, nticks=5, showgrid=True)
    sure = float(result.probabilities[-1, result.answer])
    title = (
        f"Answer: {result.classes[result.answer]} ({percent(sure)}), "
        f"settled at step {result.settled_at + 1}"
    )
    if result.label is not None and result.label != result.answer:
        title += f"; wrong, it is {result.classes[result.label]}"
    alt = (
        f"{title}. Logits of {classes} classes over {steps} steps; the answer is their mean over "
        f"steps {result.first + 1} to {steps}: "
        + ", ".join(f"{n} {x:.2f}" for n, x in zip(result.classes, result.running[-1]))
        + "."
    )
    finish(figure, theme, title=title, alt=alt, height=300, top=10)
    longest = max(len(name) for name in result.classes)
    return figure.update_layout(margin_r=20 + 7 * longest)


def _add_readout(figure: go.Figure, result: Decision, colours: Palette) -> None:
    """The steps whose logits make the answer, shaded and named."""
    left = result.first - 0.35
    figure.add_vrect(
        left,
        len(result.logits) - 0.65,
        fillcolor=colours.line,
        opacity=0.45,
        line_width=0,
        layer="below",
    )
    figure.add_annotation(
        x=left,
        y=1,
        yref="paper",
        text="read-out",
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"color": colours.muted, "size": 11},
    )


def _class_line(result: Decision, c: int, colours: Palette) -> go.Scatter:
    line = {"color": colours.muted, "width": 1}
    if c == result.answer:
        line = {"color": colours.accent, "width": 2.2}
    elif c == result.label:
        line = {"color": colours.orange, "width": 2, "dash": "dash"}
    return go.Scatter(
        x=np.arange(len(result.logits)),
        y=result.logits[:, c],
        mode="lines",
        line=line,
        opacity=1.0 if c in (result.answer, result.label) or result.logits.shape[1] == 2 else 0.5,
        name=result.classes[c],
        hovertemplate="%{fullData.name}: %{y:.2f}<extra></extra>",
        showlegend=False,
    )


def _name(figure: go.Figure, result: Decision, c: int, colours: Palette) -> None:
    """The class at the end of its line, for the lines that stand out."""
    few = result.logits.shape[1] <= 3
    if c not in (result.answer, result.label) and not few:
        return
    colour = colours.accent if c == result.answer else colours.muted
    if c == result.label and c != result.answer:
        colour = colours.orange
    figure.add_annotation(
        x=len(result.logits) - 1,
        y=float(result.logits[-1, c]),
        text=result.classes[c],
        showarrow=False,
        xanchor="left",
        xshift=14,
        font={"color": colour, "size": 12},
    )
