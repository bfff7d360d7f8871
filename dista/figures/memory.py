"""What each step remembers of every other, and the answer of the cue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dista.figures.rows import say
from dista.figures.tables import tabled
from dista.figures.theme import (
    Palette,
    Theme,
    count,
    finish,
    palette,
    scale,
    short,
    step_ticks,
    text_on,
)
from dista.measures import CausalMemory, CueEffect

SMALLEST = 0.005  # what is written as 0
NUMBERED = 10  # steps up to which the numbers fit into the cells


@tabled()
def causal_memory(
    result: CausalMemory,
    *,
    subject: str = "",
    largest: float | None = None,
    step: int | None = None,
    step_labels: Sequence[str] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """The changed step m across, the step t at which it is looked at down; empty where t < m.

    ``subject`` opens the title. ``largest`` is the end of the colour scale, to be shared by matrices
    that are compared; None is the matrix' own. ``step`` outlines the column of one changed step.
    """
    colours = palette(theme)
    steps = len(result.effect)
    largest = result.largest if largest is None else largest
    figure = go.Figure(
        go.Heatmap(
            z=result.effect.astype(np.float32),
            x=np.arange(steps),
            y=np.arange(steps),
            customdata=np.stack(np.indices((steps, steps)) + 1, -1).astype(np.uint16),
            hovertemplate="step %{customdata[1]} changed, seen at step %{customdata[0]}: "
            f"%{{z:.3f}} {result.unit}<extra></extra>",
            hoverongaps=False,
            colorscale=scale(colours.amount),
            zmin=0,
            zmax=largest or 1,
            xgap=2,
            ygap=2,
            showscale=False,
        )
    )
    if steps <= NUMBERED:
        figure.add_trace(_numbers(result.effect, largest or 1, colours))
    if step is not None:
        _outline(figure, step, steps, colours)
    _axes(figure, step_ticks(steps, step_labels), steps)
    title = _left_of(result, step or 0)
    title = f"{subject}: {title}" if subject else title[0].upper() + title[1:]
    alt = (
        f"{title}. {_what(result.of)}: the largest effect after the changed step is "
        f"{result.later:.2f} {result.unit}. Change at the last step: {result.effect[-1, -1]:.2f} {result.unit}; seen there of the "
        f"first step: {result.effect[-1, 0]:.2f}."
    )
    return finish(figure, theme, title=title, alt=alt, height=340, top=30)


def _left_of(result: CausalMemory, step: int) -> str:
    """What the last step still knows of a changed one: the number by which matrices that are compared differ."""
    last, left = len(result.effect), float(result.effect[-1, step])
    furthest = int(result.reach.max())
    if furthest < 0:
        return "no change is seen at all"
    if step == last - 1:
        return f"step {last} changed, {left:.2f} {result.unit} there"
    if left < SMALLEST:
        seen = f", seen for up to {count(furthest, 'more step')}" if furthest else ""
        return f"nothing is left of step {step + 1} at step {last}{seen}"
    return f"{left:.2f} {result.unit} are left of step {step + 1} at step {last}"


@tabled()
def cue_effects(results: Mapping[str, CueEffect], *, theme: Theme = "light") -> go.Figure:
    """What a change of the cue does to the answer in each network, by name: every sample, mean and 95 % interval."""
    if not results:
        raise ValueError("results is empty; give at least one network and its CueEffect")
    colours = palette(theme)
    figure = go.Figure()
    for row, (name, result) in enumerate(results.items()):
        spread = (
            np.linspace(-0.16, 0.16, len(result.effect)) if len(result.effect) > 1 else np.zeros(1)
        )
        figure.add_scatter(
            x=result.effect, y=row + spread, mode="markers", showlegend=False,
            marker={"size": 4, "color": colours.soft, "opacity": 0.6},
            hovertemplate="%{x:.2f} logits in one sample<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=np.array([result.low, result.mean, result.high]), y=np.full(3, row), mode="lines+markers", name=name,
            line={"color": colours.accent, "width": 2}, marker={"size": [0, 10, 0], "opacity": 1},
            hovertemplate=f"{name}: {_interval(result)} logits<extra></extra>", showlegend=False,
        )  # fmt: skip
        say(figure, row, f"<b>{result.mean:.2f}</b>  {name}", colours, shift=21)
    figure.update_yaxes(range=[len(results) - 0.5, -0.85], visible=False)
    figure.update_xaxes(
        rangemode="tozero", showgrid=True, title={"text": "change of the answer, logits"}
    )
    name, first = next(iter(results.items()))
    title = f"{name}: the cue moves the answer by {first.mean:.2f} logits"
    alt = f"{title}, over {count(len(first.effect), 'sample')}. " + "; ".join(
        f"{name}: {_interval(result)}" for name, result in results.items()
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=94 + 62 * len(results))


def _interval(result: CueEffect) -> str:
    return f"{result.mean:.2f} ({result.low:.2f} to {result.high:.2f})"


def _numbers(effect: np.ndarray, largest: float, colours: Palette) -> go.Scatter:
    """The effects as text on the cells; a heatmap's own text is hard to read on middling colours."""
    t, m = np.nonzero(~np.isnan(effect))
    return go.Scatter(
        x=m,
        y=t,
        mode="text",
        text=[_brief(value) for value in effect[t, m]],
        textfont={"size": 11, "color": text_on(effect[t, m] / largest, colours.amount)},
        hoverinfo="skip",
        showlegend=False,
    )


def _brief(value: float) -> str:
    """At most three characters: .07, 1.3, 25."""
    if value < SMALLEST:
        return "0"
    return f"{value:.2f}"[1:] if value < 0.995 else f"{value:.{1 if value < 9.95 else 0}f}"


def _axes(figure: go.Figure, ticks: list[str], steps: int) -> None:
    axis = {"tickvals": np.arange(steps), "constrain": "domain", "tickangle": 0}
    numbers = step_ticks(steps)  # what the steps show is said once, down the side
    figure.update_xaxes(
        axis
        | {"ticktext": numbers, "side": "top", "title": {"text": "changed step", "standoff": 4}}
    )
    figure.update_yaxes(
        axis
        | {
            "ticktext": [tick.replace("<br>", " ") for tick in ticks],
            "title": {"text": "seen at step"},
            "range": [steps - 0.5, -0.5],
            "scaleanchor": "x",
            "constraintoward": "top",
        }
    )


def _outline(figure: go.Figure, step: int, steps: int, colours: Palette) -> None:
    """A frame around what the change of one step does from then on."""
    figure.add_shape(
        type="rect",
        x0=step - 0.5,
        x1=step + 0.5,
        y0=step - 0.5,
        y1=steps - 0.5,
        line={"color": colours.ink, "width": 2},
    )


def _what(of: str) -> str:
    if of == "head":
        return "Logits"
    layer, _, part = of.rpartition(".")
    if part == "membrane":
        return f"Membranes of {short(layer)}"
    stage = {"denoise": "kept", "scores": "raw"}.get(part, part)
    return f"Attention of block {int(of.split('.')[1]) + 1}, {stage}"
