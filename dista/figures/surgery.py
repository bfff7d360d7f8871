"""Before and after an intervention: a membrane, the attention of each block, the answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, count, finish, palette, percent, short, step_ticks
from dista.measures import AttentionOverTime, Decision, MembraneTrace
from dista.style import labels, marks


@tabled()
def membrane_change(
    before: MembraneTrace,
    after: MembraneTrace,
    *,
    step_labels: Sequence[str] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """One neuron's membrane before an intervention (dotted) and after it, with its spikes."""
    colours = palette(theme)
    figure = go.Figure()
    _add_pair(figure, before.h, after.h, colours, "%{y:.2f}")
    for trace, mark in ((before, marks.SPIKE_BEFORE), (after, marks.SPIKE)):
        figure.add_scatter(
            x=trace.fired, y=trace.h[trace.fired], mode="markers", showlegend=False,
            marker=mark.on(colours),
            hovertemplate="spike at %{y:.2f}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(after.threshold, line=marks.THRESHOLD.on(colours))
    _time_axis(figure, len(after.h), step_labels)
    figure.update_yaxes(title={"text": "membrane"})
    spikes = [count(len(trace.fired), "spike") for trace in (before, after)]
    title = f"One neuron of {short(after.layer)}: {spikes[0]} before, {spikes[1]} after"
    alt = (
        f"{title}. It is in {labels.neuron(*after.neuron)}; largest potential "
        f"{before.h.max():.2f} before, {after.h.max():.2f} after, threshold {after.threshold:g}"
    )
    if before.tau is not None and after.tau is not None:
        alt += f"; time constant {before.tau:.2f} before, {after.tau:.2f} after"
    return finish(figure, theme, title=title, alt=f"{alt}.", height=280)


@tabled(only=("result", "block", "stage", "query_step", "mass"))
def attention_change(
    before: Sequence[AttentionOverTime],
    after: Sequence[AttentionOverTime],
    *,
    step_labels: Sequence[str] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Coincident spikes in the maps of each step, a panel a block: before (dotted) and after."""
    if [b.block for b in before] != [a.block for a in after] or not before:
        raise ValueError("before and after must hold the same blocks, at least one")
    colours = palette(theme)
    figure = make_subplots(
        1, len(after), shared_yaxes=True, horizontal_spacing=0.05,
        subplot_titles=[f"block {result.block + 1}" for result in after],
    )  # fmt: skip
    for column, (old, new) in enumerate(zip(before, after), 1):
        _add_pair(figure, old.mass, new.mass, colours, "%{y:.3s}", row=1, col=column)
    labels = step_labels if step_labels is None or len(after) == 1 else _where_new(step_labels)
    _time_axis(figure, len(after[0].mass), labels)
    figure.update_annotations(font_size=12, font_color=colours.muted)
    figure.update_yaxes(tickformat="~s", nticks=4, rangemode="tozero", showgrid=True)
    masses = [sum(float(result.mass.sum()) for result in side) for side in (before, after)]
    relative = masses[1] / masses[0] - 1 if masses[0] else 0.0
    title = f"{percent(abs(relative))} {'less' if relative < 0 else 'more'} attention in all"
    alt = f"{title}: coincident spikes kept by the denoiser, " + "; ".join(
        f"block {new.block + 1} {old.mass.sum():.0f} before and {new.mass.sum():.0f} after"
        for old, new in zip(before, after)
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=240, top=16)


@tabled()
def decision_change(
    before: Decision,
    after: Decision,
    *,
    step_labels: Sequence[str] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Logits of each step before (dotted) and after, for the two answers and the true class."""
    colours = palette(theme)
    shown = [c for c in {after.answer, before.answer, after.label} if c is not None]
    shown = sorted(shown, key=lambda c: after.logits[-1, c])
    figure = go.Figure()
    for place, c in enumerate(shown):
        colour = colours.accent if c == after.answer else colours.muted
        if c == after.label and c != after.answer:
            colour = colours.orange
        lines = before.logits[:, c], after.logits[:, c]
        _add_pair(figure, *lines, colours, "%{y:.2f}", colour=colour)
        nudge = 6 * (2 * place - len(shown) + 1)  # names of lines that end together stay apart
        _name_at_end(figure, after.classes[c], lines[1], colour, nudge)
    _time_axis(figure, len(after.logits), step_labels)
    figure.update_yaxes(title={"text": "logit"}, nticks=5, showgrid=True)
    sure = [float(result.probabilities[-1, result.answer]) for result in (before, after)]
    names = [result.classes[result.answer] for result in (before, after)]
    title = f"The answer stays {names[1]}" if names[0] == names[1] else (
        f"The answer turns from {names[0]} to {names[1]}"
    )  # fmt: skip
    title += f" ({percent(sure[0])} before, {percent(sure[1])} after)"
    alt = f"{title}. Logits over {count(len(after.logits), 'step')}"
    if after.label is not None:
        alt += f"; the true class is {after.classes[after.label]}"
    finish(figure, theme, title=title, alt=f"{alt}.", height=280)
    return figure.update_layout(margin_r=20 + 7 * max(map(len, after.classes)))


def _add_pair(
    figure: go.Figure, before: np.ndarray, after: np.ndarray, colours: Palette, form: str,
    colour: str | None = None, **place: int,
) -> None:  # fmt: skip
    """A dotted line for before and a solid one for after; only the first pair is in the legend."""
    first = not any(trace.name == "after" for trace in figure.data)
    for name, y, line in (
        ("before", before, {"color": colour or colours.muted, "width": 1.4, "dash": "dot"}),
        ("after", after, {"color": colour or colours.accent, "width": 2}),
    ):
        figure.add_scatter(
            x=np.arange(len(y)), y=y, mode="lines", line=line, name=name, legendgroup=name,
            showlegend=first, hovertemplate=f"{name} {form}<extra></extra>", **place,
        )  # fmt: skip


def _time_axis(figure: go.Figure, steps: int, labels: Sequence[str] | None) -> None:
    figure.update_xaxes(
        tickvals=np.arange(steps), ticktext=step_ticks(steps, labels), tickangle=0,
        range=[-0.3, steps - 0.7],
    )  # fmt: skip


def _where_new(labels: Sequence[str]) -> list[str]:
    """A label where it is not that of the step before: panels side by side are too narrow for one at each step."""
    return ["" if one == before else one for before, one in zip([None, *labels], labels)]


def _name_at_end(figure: go.Figure, name: str, line: np.ndarray, colour: str, nudge: int) -> None:
    figure.add_annotation(
        x=len(line) - 1, y=float(line[-1]), text=name, showarrow=False, xanchor="left", xshift=6,
        yshift=nudge, font={"color": colour, "size": 12},
    )  # fmt: skip
