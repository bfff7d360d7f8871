"""Noise in the input: where it lies, what attends to it, what it does to answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dista.figures import outside
from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, finish, palette, percent, scale
from dista.measures import (
    AttentionReceived,
    InputChange,
    NoiseCurve,
    PatchAttention,
    stacked,
)
from dista.measures import patch_attention as attention_to
from dista.style import marks

if TYPE_CHECKING:
    import pandas as pd


@tabled()
def input_change(
    change: InputChange,
    received: Sequence[AttentionReceived] = (),
    *,
    theme: Theme = "light",
) -> go.Figure:
    """The input before and after noise, and what its patches receive before and after the denoiser.

    Patches that the noise touched are outlined. ``received`` is what each block of the noisy run
    receives; the two maps of a block share their colour range.
    """
    colours = palette(theme)
    rows = [("clean", "noisy", change.clean, change.noisy)]
    rows += [(f"{r.block + 1} raw", f"{r.block + 1} kept", r.raw, r.denoised) for r in received]
    figure = make_subplots(
        len(rows), 2, horizontal_spacing=0.04, vertical_spacing=0.22 / len(rows),
        subplot_titles=[_panel(name) for row in rows for name in row[:2]],
    )  # fmt: skip
    for row, (*names, left, right) in enumerate(rows, 1):
        colourscale = scale((colours.panel, colours.ink) if row == 1 else colours.amount)
        largest = max(float(left.max()), float(right.max())) or 1.0
        for column, (name, image) in enumerate(zip(names, (left, right)), 1):
            cells = _picture(name, image, largest, colourscale)
            figure.add_trace(cells, row=row, col=column)
            if (row, column) != (1, 1):
                figure.add_trace(_outlines(change.patches, image.shape, colours), row, column)
    figure.update_annotations(font_size=12, font_color=colours.muted)
    figure.update_xaxes(showticklabels=False, constrain="domain", showline=False)
    figure.update_yaxes(showticklabels=False, autorange="reversed", showline=False)
    for trace in figure.data:  # square pixels, whatever the width
        figure.layout[trace.yaxis.replace("y", "yaxis")].scaleanchor = trace.xaxis
    title = f"Noise reaches {percent(change.share)} of the patches"
    if not change.patches.any():
        title = "There is no noise in the input"
    alt = (
        f"{title}: {int(change.patches.sum())} of {change.patches.size}, outlined in the noisy input "
        f"and in the attention that patches receive in {len(received)} blocks."
    )
    return finish(figure, theme, title=title, alt=alt, height=40 + 165 * len(rows), top=16)


def _to_patches(
    received: Sequence[AttentionReceived],
    patches: np.ndarray,
    clean: Sequence[AttentionReceived],
) -> pd.DataFrame:
    """Of the noisy input and, where it is there, of the one without noise."""
    sides = {"noisy": received} | ({"clean": clean} if clean else {})
    tables = {name: [attention_to(one, patches) for one in side] for name, side in sides.items()}
    return stacked(tables, "input") if clean else stacked(tables["noisy"])


@tabled(_to_patches)
def patch_attention(
    received: Sequence[AttentionReceived],
    patches: np.ndarray,
    *,
    clean: Sequence[AttentionReceived] = (),
    theme: Theme = "light",
) -> go.Figure:
    """Share of all attention that goes to the corrupted ``patches``, before and after the denoiser.

    A dotted line marks the share that they would have if every patch received the same. Below each block stands
    what the denoiser removes of it and, where ``clean`` is the attention without noise, what it removes at the same
    places there: the difference is what it does to noise, the rest what it does to these places.
    """
    results = [attention_to(one, patches) for one in received]
    if not results:
        raise ValueError("received is empty; expected dista.measures.attention_received")
    colours = palette(theme)
    without = [attention_to(one, patches) for one in clean]
    names = np.array([f"block {result.block + 1}" for result in results])
    if without:
        removed = [(_share(a.removed), _share(b.removed)) for a, b in zip(results, without)]
        names = np.array([
            f"{name}<br>{outside.SMALL}−{noisy},<br>−{quiet} without noise</span>".replace("−nothing", "nothing")
            for name, (noisy, quiet) in zip(names, removed)
        ])  # fmt: skip
    figure = go.Figure()
    for name, label, stage, colour in (
        ("raw", "before the denoiser", "raw", colours.soft),
        ("denoised", "after it", "kept", colours.accent),
    ):
        figure.add_bar(
            x=names, y=np.array([getattr(result, name) for result in results]), name=label,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate=f"{stage}: %{{y:.1%}} of the attention<extra></extra>",
        )  # fmt: skip
    area = float(patches.mean())
    figure.add_hline(
        area, line=marks.AREA.on(colours),
        annotation={"text": f"{percent(area)} of<br>the patches", "font": {"size": 11}},
        annotation_position="top right", annotation_font_color=colours.muted,
    )  # fmt: skip
    # Room for what the line says; words that do not fit beside each other break, and are not turned.
    figure.update_xaxes(range=[-0.5, len(results) - 0.15], tickangle=0)
    figure.update_yaxes(tickformat=".0%", nticks=5, rangemode="tozero", showgrid=True)
    figure.update_layout(bargap=0.45, bargroupgap=0.08)
    title = f"{percent(_mean(results, 'raw'))} of attention goes to corrupted patches, "
    title += f"{percent(_mean(results, 'denoised'))} after the denoiser"
    alt = f"{title}. " + " ".join(_removals(result) for result in results)
    alt += "".join(
        f" Block {result.block + 1} without noise: {_share(result.removed)} removed at the same places."
        for result in without
    )
    return finish(figure, theme, title=title, alt=alt, height=270, top=8)


@tabled()
def noise_curve(
    result: NoiseCurve, *, own: float | None = None, theme: Theme = "light"
) -> go.Figure:
    """Accuracy against noise, a line for each threshold; ``own`` is the one the model was trained with."""
    colours = palette(theme)
    figure = go.Figure()
    for i, u in enumerate(result.thresholds):
        is_own = u == own
        line, marker = marks.of_u(u, colours, own=is_own)
        figure.add_scatter(
            x=result.levels, y=result.accuracy[i], mode="lines+markers",
            name=f"u = {u:g}" + (", as trained" if is_own else ""),
            line=line,
            marker=marker,
            error_y={
                "array": result.high[i] - result.accuracy[i],
                "arrayminus": result.accuracy[i] - result.low[i],
                "thickness": 1, "width": 2,
            },
            hovertemplate=f"u = {u:g}, noise %{{x:g}}: %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    _level_axis(figure, result)
    figure.update_yaxes(tickformat=".0%", nticks=5, showgrid=True, title={"text": "accuracy"})
    means = zip(result.thresholds, result.accuracy.mean(1))
    title = "Answered correctly on average over these levels: "
    title += ", ".join(f"{percent(mean)} with u = {u:g}" for u, mean in means)
    alt = f"{title}, of {result.samples} samples. " + "; ".join(
        f"u = {u:g}: " + ", ".join(f"{100 * a:.1f} %" for a in accuracy)
        for u, accuracy in zip(result.thresholds, result.accuracy)
    )
    levels = ", ".join(f"{level:g}" for level in result.levels)
    alt += f" at the levels {levels}."
    return finish(figure, theme, title=title, alt=alt, height=330)


@tabled()
def noise_differences(result: NoiseCurve, *, theme: Theme = "light") -> go.Figure:
    """The paired difference of accuracy to the threshold ``result.against``, a line for each other one, in points.

    ValueError where there is no other threshold.
    """
    others = [i for i, u in enumerate(result.thresholds) if u != result.against]
    if result.difference is None or not others:
        raise ValueError("there is one threshold alone; give measures.noise_curve at least two")
    colours = palette(theme)
    figure = go.Figure()
    figure.add_hline(0, line={"color": colours.ink, "width": 1})
    ends = (result.difference, result.difference_low, result.difference_high)
    for i in others:
        line, marker = marks.of_u(result.thresholds[i], colours, own=False)
        difference, low, high = (100 * end[i] for end in ends if end is not None)
        figure.add_scatter(
            x=result.levels, y=difference, mode="lines+markers", name=f"u = {result.thresholds[i]:g}",
            line=line,
            marker=marker,
            error_y={
                "array": high - difference, "arrayminus": difference - low, "thickness": 1, "width": 2,
            },
            hovertemplate=f"u = {result.thresholds[i]:g}, noise %{{x:g}}: %{{y:+.1f}} points<extra></extra>",
        )  # fmt: skip
    _level_axis(figure, result)
    figure.update_yaxes(
        nticks=5, showgrid=True, title={"text": f"points against u = {result.against:g}"}
    )
    low, high = (np.stack([end[i] for i in others]) for end in ends[1:] if end is not None)
    sure = int(np.count_nonzero((low > 0) | (high < 0)))
    places = len(others) * len(result.levels)
    title = (
        f"On the same samples {sure} of {places} differences to u = {result.against:g} leave 0 out"
    )
    alt = f"{title}, of {result.samples} samples. " + "; ".join(
        f"u = {result.thresholds[i]:g}: "
        + ", ".join(
            f"{100 * d:+.1f} ({100 * a:+.1f} to {100 * b:+.1f})"
            for d, a, b in zip(*(end[i] for end in ends))
        )
        for i in others
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=300)


def _level_axis(figure: go.Figure, result: NoiseCurve) -> None:
    """Levels, what they mean, and below each what was really added after the limits of an input."""
    ticks = [f"{level:g}" for level in result.levels]
    if result.added is not None:
        ticks = [
            f"{tick}<br>{outside.SMALL}+{one:.2g}</span>" for tick, one in zip(ticks, result.added)
        ]
    unit = f", {result.unit}" if result.unit else ", level"
    below = "; below: added after clipping (rms)" if result.added is not None else ""
    figure.update_xaxes(
        title={"text": f"{result.kind}{unit}{below}"}, tickvals=result.levels, ticktext=ticks
    )


def _panel(name: str) -> str:
    return name if name in ("clean", "noisy") else f"block {name}"


def _picture(name: str, image: np.ndarray, largest: float, colourscale: list) -> go.Heatmap:
    rows, columns = image.shape
    return go.Heatmap(
        z=image,
        x=np.arange(columns),
        y=np.arange(rows),
        zmin=0,
        zmax=largest,
        colorscale=colourscale,
        showscale=False,
        name=name,
        hovertemplate=f"{name}, row %{{y}}, column %{{x}}: %{{z:.3g}}<extra></extra>",
    )


def _outlines(patches: np.ndarray, shape: tuple[int, int], colours: Palette) -> go.Scatter:
    """A square around each true patch of a picture of ``shape``, as one line with gaps."""
    height, width = (-(-size // count) for size, count in zip(shape, patches.shape))
    rows, columns = (index[:, None] for index in np.nonzero(patches))
    y = rows * height - 0.5 + np.array([0, 0, height, height, 0, np.nan])
    x = columns * width - 0.5 + np.array([0, width, width, 0, 0, np.nan])
    return go.Scatter(
        x=x.ravel(),
        y=y.ravel(),
        mode="lines",
        line={"color": colours.orange, "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )


def _mean(results: Sequence[PatchAttention], name: str) -> float:
    return sum(getattr(result, name) for result in results) / len(results)


def _share(removed: float | None) -> str:
    return "nothing" if removed is None else percent(removed)


def _removals(result: PatchAttention) -> str:
    parts = [
        "nothing to remove" if share is None else f"{percent(share)} removed"
        for share in (result.removed, result.removed_elsewhere)
    ]
    return f"Block {result.block + 1}: {parts[0]} there, {parts[1]} elsewhere."
