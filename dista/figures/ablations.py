"""What changes cost: the accuracy with each of them against the one without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from dista.figures import outside
from dista.figures.rows import say
from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, finish, palette, percent
from dista.measures import PairedDifference, stacked

if TYPE_CHECKING:
    import pandas as pd

_FITS = 46  # characters on a screen of 390 pixels
_PART, _MODEL = 44, 14  # pixels: a row of one model, and what another one adds
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
        said = f"<b>{points(result.difference)}</b>  {fitting(name)}"
        say(figure, row, said, colours, shift=15)
        say(figure, row, _answered(result), colours, shift=-15, remark=True)
    ends = 100 * np.array([(r.low, r.high) for r in results.values()])
    room = 0.08 * (max(ends.max(), 0) - min(ends.min(), 0))
    figure.update_xaxes(
        range=[min(ends.min(), 0) - room, max(ends.max(), 0) + room],
        title={"text": "change of accuracy, points"},
        showgrid=True,
        nticks=6,
    )
    figure.update_yaxes(range=[len(results) - 0.5, -0.75], visible=False)
    name, first = greatest(results)
    title = f"{name}: {points(first.difference)} points"
    alt = f"{title} on {first.samples} samples. " + "; ".join(
        f"{name}: {percent(r.before)} before, {percent(r.after)} after, difference "
        f"{points(r.difference)}, 95 % interval {points(r.low)} to {points(r.high)}, {_answered(r)}"
        for name, r in results.items()
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=94 + _ROW * len(results))


def _of_models(results: Mapping[str, Mapping[str, PairedDifference]]) -> pd.DataFrame:
    """A row for each model and part, in the order of the figure."""
    rows = {(model, part): results[model][part] for part in by_effect(results)
            for model in results if part in results[model]}  # fmt: skip
    table = stacked(list(rows.values()))
    table.insert(0, "part", [part for _, part in rows])
    table.insert(0, "model", [model for model, _ in rows])
    return table


@tabled(_of_models)
def part_changes(
    results: Mapping[str, Mapping[str, PairedDifference]],
    *,
    chance: float | None = None,
    what: str = "part",
    theme: Theme = "light",
) -> go.Figure:
    """What each part is worth, by model and part: a row for each, the one that costs most first.

    A dot is the change of accuracy in points with its 95 % interval, filled where that leaves 0 out; of a second
    model it stands below that of the first. ``chance`` is the accuracy of guessing, 0 to 1, drawn as a line for
    each model, as it lies further off where more was correct. ``what`` says in one word what the parts are.
    """
    if not results or not all(results.values()):
        raise ValueError("results is empty; give at least one model and what a change did to it")
    colours, order = palette(theme), by_effect(results)
    figure = go.Figure()
    figure.add_vline(0, line={"color": colours.ink, "width": 1})
    hues = dict(zip(results, [colours.accent, colours.off, *colours.categories[2:]]))
    gap = _MODEL / (_MODEL * (len(results) - 1) + _PART)  # between models, in rows
    for place, (model, of_parts) in enumerate(results.items()):
        rows = [order.index(part) + place * gap for part in of_parts]
        figure.add_traces(_dots(model, of_parts, rows, hues[model], colours, len(results) > 1))
        if chance is not None:
            at = 100 * (chance - next(iter(of_parts.values())).before)
            dash = {"color": hues[model], "width": 1, "dash": "dot"}
            text = {"text": "" if place else "chance", "font": {"size": 11, "color": colours.muted}}
            figure.add_vline(at, line=dash, annotation=text, annotation_position="top")
    for row, part in enumerate(order):
        say(figure, row, _part_said(part, results), colours, shift=15)
    figure.update_xaxes(title={"text": "change of accuracy, points"}, showgrid=True, nticks=6)
    figure.update_yaxes(range=[len(order) - 0.3, -0.75], visible=False)
    first, title = next(iter(results.values())), _most(results, what)
    alt = f"{title} {next(iter(first.values())).samples} samples. " + "; ".join(
        f"{model}, {part}: {points(r.difference)} points, 95 % interval {points(r.low)} to {points(r.high)}, "
        f"{_answered(r)}"
        for model, of_parts in results.items()
        for part, r in of_parts.items()
    )
    height = 94 + (_PART + _MODEL * (len(results) - 1)) * len(order) + 24 * (len(results) > 1)
    return finish(figure, theme, title=title, alt=f"{alt}.", height=height, top=14)


def by_effect(results: Mapping[str, Mapping[str, PairedDifference]]) -> list[str]:
    """The parts of all models, that first which costs one of them most."""
    parts = dict.fromkeys(part for of_parts in results.values() for part in of_parts)
    return sorted(
        parts, key=lambda part: min(own[part].difference for own in results.values() if part in own)
    )


def _part_said(part: str, results: Mapping[str, Mapping[str, PairedDifference]]) -> str:
    """A part, what it is worth, and the share of the answer that is then given most often."""
    of_part = [own[part] for own in results.values() if part in own]
    worth = " / ".join(points(result.difference) for result in of_part)
    same = " / ".join(percent(result.most_frequent_after) for result in of_part)
    return f"<b>{worth}</b>  {fitting(part)}  {outside.SMALL}one answer {same}</span>"


def _most(results: Mapping[str, Mapping[str, PairedDifference]], what: str) -> str:
    """The title: which part costs the first model most, or that none does for certain."""
    model, first = next(iter(results.items()))
    whose = f" of {model}" if len(results) > 1 else ""
    part, worst = min(first.items(), key=lambda item: item[1].difference)
    if worst.high < 0:
        return f"Without {part}: {points(worst.difference)} points, the most{whose}."
    return f"No single {what}{whose} costs more than chance may."


def _dots(
    model: str, of_parts: Mapping[str, PairedDifference], rows: list[float], hue: str, colours: Palette, named: bool
) -> list[go.Scatter]:  # fmt: skip
    """The intervals of one model, and its dots."""
    own = list(of_parts.values())
    ends = np.array([(r.low, r.high, np.nan) for r in own]) * 100
    losses = [colours.orange if r.high < 0 and not named else hue for r in own]
    said = [
        f"{part}: {round(r.after * r.samples)} instead of {round(r.before * r.samples)} of {r.samples} correct<br>"
        f"{points(r.difference)}, 95 % interval {points(r.low)} to {points(r.high)}<br>{_answered(r)}"
        for part, r in of_parts.items()
    ]
    lines = go.Scatter(
        x=ends.ravel(), y=np.repeat(rows, 3), mode="lines", line={"color": hue, "width": 2},
        hovertemplate="%{x:.1f} points<extra></extra>", showlegend=False, name=model, legendgroup=model,
    )  # fmt: skip
    dots = go.Scatter(
        x=np.array([100 * r.difference for r in own]), y=np.array(rows), mode="markers", name=model,
        marker={
            "size": 10,
            "color": [c if r.certain else colours.panel for c, r in zip(losses, own)],
            "line": {"color": losses, "width": 2},
        },
        text=said, hovertemplate="%{text}<extra></extra>", showlegend=named, legendgroup=model,
    )  # fmt: skip
    return [lines, dots]


def greatest(results: Mapping[str, PairedDifference]) -> tuple[str, PairedDifference]:
    """The change that moves the accuracy furthest, by its name; the first of those that move it as far."""
    return max(results.items(), key=lambda item: abs(item[1].difference))


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def _answered(result: PairedDifference) -> str:
    """The accuracy, and whether one answer was given to nearly all."""
    return (
        f"{percent(result.after)} correct; {percent(result.most_frequent_after)} one answer "
        f"(before {percent(result.most_frequent_before)})"
    )


def fitting(name: str) -> str:
    """A name as it fits on a narrow screen; the whole of it is in the hover and the description.

    What is left out is in its middle: names of one figure begin with a configuration, and end with what was done to it.
    """
    end = _FITS // 3
    return name if len(name) <= _FITS else f"{name[: _FITS - 1 - end]}…{name[-end:]}"


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
        f"{round(result.before * result.samples)} of {result.samples} correct<br>"
        f"{len(result.lost)} lost, {len(result.gained)} gained<br>{_answered(result)}<br>"
        f"{points(result.difference)}, 95 % interval {points(result.low)} to {points(result.high)}"
        "<extra></extra>",
        showlegend=False,
    )
