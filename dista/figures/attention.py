"""Attention of one query patch across space and time, and of a block across time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, count, finish, palette, percent, scale, step_ticks
from dista.measures import AttentionOverTime, AttentionSplit, KeyMaps, LagContributions

_GAP = 1  # cells between two tiles of the filmstrip


@tabled()
def filmstrip(
    maps: KeyMaps, *, step_labels: Sequence[str] | None = None, theme: Theme = "light"
) -> go.Figure:
    """The keys that a query meets: one tile a step, one row each for raw, kept and removed counts.

    All three share their colour range. Tiles of steps that the query cannot reach are crossed by a
    line; the query's own step is framed and its patch outlined in every tile.
    """
    colours = palette(theme)
    stages = {"raw": maps.raw, "kept": maps.denoised, "removed": maps.removed}
    rows = [(name, counts) for name, counts in stages.items() if counts is not None]
    largest = max(1.0, *(float(counts.max(initial=0)) for _, counts in rows))
    height, width = rows[0][1].shape[1:]
    figure = go.Figure()
    for position, (name, counts) in enumerate(rows):
        figure.add_trace(_strip(maps, name, counts, position, largest, colours))
    figure.add_traces(_marks(maps, len(rows), height, width, colours))
    _strip_axes(figure, maps, [name for name, _ in rows], height, width, step_labels)
    title = f"What patch row {maps.query[0] + 1}, column {maps.query[1] + 1} attends to"
    back = count(int(maps.step - maps.key_steps.min()), "step")
    alt = (
        f"{title} at step {maps.step + 1}, block {maps.block + 1}, {_head(maps)}: coincident spikes "
        f"with every patch of the steps that it reaches, up to {back} back; largest count "
        f"{largest:g}. "
        + "; ".join(f"{name} {counts.sum():g} in total" for name, counts in rows)
        + "."
    )
    return finish(figure, theme, title=title, alt=alt, height=90 + 54 * len(rows), top=30)


def _head(maps: KeyMaps) -> str:
    return "all heads" if maps.head is None else f"head {maps.head + 1}"


def _strip(
    maps: KeyMaps, name: str, counts: np.ndarray, position: int, largest: float, colours: Palette
) -> go.Heatmap:
    """One row of tiles as a single heatmap, with gaps of NaN between them."""
    _, height, width = counts.shape
    tiled = np.full((height, maps.steps, width + _GAP), np.nan, np.float32)
    tiled[:, maps.key_steps, :width] = np.moveaxis(counts, 0, 1)
    row, step, column = np.indices(tiled.shape) + 1
    return go.Heatmap(
        z=tiled.reshape(height, -1),
        x=np.arange(maps.steps * (width + _GAP)),
        y=np.arange(height) + position * (height + _GAP),
        customdata=np.stack([step, row, column], -1).reshape(height, -1, 3).astype(np.uint16),
        hovertemplate=f"{name}: %{{z}}<br>step %{{customdata[0]}}, row %{{customdata[1]}}, "
        "column %{customdata[2]}<extra></extra>",
        hoverongaps=False,
        colorscale=scale(colours.removed if name == "removed" else colours.amount),
        zmin=0,
        zmax=largest,
        xgap=0.5,
        ygap=0.5,
        showscale=False,
        name=name,
    )


def _marks(maps: KeyMaps, rows: int, height: int, width: int, colours: Palette) -> list[go.Scatter]:
    """Lines on the tiles: crossed out, the query's step framed, its patch outlined."""
    outside = _lines([(-0.5, height - 0.5), (width - 0.5, -0.5)], maps.outside, rows, height, width)
    frame = _box(-0.5, -0.5, width - 0.5, height - 0.5)
    row, column = maps.query
    patch = _box(column - 0.5, row - 0.5, column + 0.5, row + 0.5)
    now = np.array([maps.step])
    return [
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": colour, "width": line},
            hoverinfo="skip",
            showlegend=False,
        )
        for (x, y), colour, line in (
            (outside, colours.line, 1),
            (
                _lines(
                    _box(-0.5, -0.5, width - 0.5, height - 0.5), maps.outside, rows, height, width
                ),
                colours.line,
                1,
            ),
            (_lines(patch, maps.key_steps, rows, height, width), colours.ink, 1),
            (_lines(frame, now, rows, height, width), colours.ink, 2),
        )
    ]


def _box(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


def _lines(
    path: list[tuple[float, float]], steps: np.ndarray, rows: int, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """A path repeated on the tiles of ``steps`` in every row, interrupted by NaN in between."""
    points = np.array([*path, (np.nan, np.nan)])
    corners = [
        (step * (width + _GAP), row * (height + _GAP)) for row in range(rows) for step in steps
    ]
    placed = points[None] + np.array(corners, float).reshape(-1, 1, 2)
    return placed[..., 0].ravel(), placed[..., 1].ravel()


def _strip_axes(
    figure: go.Figure,
    maps: KeyMaps,
    names: list[str],
    height: int,
    width: int,
    labels: Sequence[str] | None,
) -> None:
    figure.update_xaxes(
        tickvals=np.arange(maps.steps) * (width + _GAP) + (width - 1) / 2,
        ticktext=step_ticks(maps.steps, labels, maps.step),
        range=[-1, maps.steps * (width + _GAP) - 0.5],
        side="top",
        tickangle=0,
        constrain="domain",
    )
    figure.update_yaxes(
        tickvals=np.arange(len(names)) * (height + _GAP) + (height - 1) / 2,
        ticktext=names,
        range=[len(names) * (height + _GAP) - 0.5, -1],
        scaleanchor="x",
        constrain="domain",
        constraintoward="top",
    )


_PARTS = (
    ("same_patch", "same patch, other steps", ""),
    ("same_step", "same step", "."),
    ("elsewhere", "elsewhere", "/"),
)


@tabled()
def attention_split(split: AttentionSplit, *, theme: Theme = "light") -> go.Figure:
    """One bar: the shares of a query's attention; patterns as well as colours tell them apart."""
    colours = palette(theme)
    tints = {"same_patch": colours.accent, "same_step": colours.soft, "elsewhere": colours.muted}
    figure = go.Figure()
    even = dict(zip(("same_patch", "same_step", "elsewhere"), split.even or ()))
    for part, words, pattern in _PARTS:
        share = getattr(split, part)
        beside = f" (even: {percent(even[part])})" if even else ""
        figure.add_bar(
            x=np.array([share]),
            y=np.array([0]),
            orientation="h",
            name=f"{words} {percent(share)}",
            marker={
                "color": tints[part],
                "line": {"width": 1, "color": colours.panel},
                "pattern": {
                    "shape": pattern,
                    "size": 6,
                    "fgcolor": colours.panel,
                    "fillmode": "overlay",
                },
            },
            hovertemplate=f"{words}: %{{x:.1%}}{beside}<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0)
    figure.update_xaxes(range=[0, 1], visible=False)
    figure.update_yaxes(visible=False)
    title = f"Where the {split.of} attention goes"
    words = ", ".join(
        f"{words} {percent(getattr(split, part))}"
        + (f" (even attention {percent(even[part])})" if even else "")
        for part, words, _ in _PARTS
    )
    if not split.total:
        title, words = f"There is no {split.of} attention to share", "nothing is attended to"
    alt = f"{title}: {words}, of {split.total:g} coincident spikes."
    finish(figure, theme, title=title, alt=alt, height=150)
    return figure.update_layout(legend_traceorder="normal")


@tabled()
def attention_over_time(
    result: AttentionOverTime,
    *,
    step_labels: Sequence[str] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Query step against key step: which share of a step's attention goes to which step."""
    colours = palette(theme)
    steps = len(result.share)
    percents = 100 * result.share
    figure = go.Figure(
        go.Heatmap(
            z=percents.astype(np.float32),
            x=np.arange(steps),
            y=np.arange(steps),
            texttemplate="%{z:.0f}",
            textfont={"size": 11},
            hovertemplate="query step %{customdata[0]}, key step %{customdata[1]}: %{z:.1f} %"
            "<extra></extra>",
            customdata=np.stack(np.indices((steps, steps)) + 1, -1).astype(np.uint16),
            hoverongaps=False,
            colorscale=scale(colours.amount),
            zmin=0,
            zmax=100,
            xgap=2,
            ygap=2,
            showscale=False,
        )
    )
    axis = {"tickvals": np.arange(steps), "constrain": "domain", "tickangle": 0}
    ticks = step_ticks(steps, step_labels)
    figure.update_xaxes(
        axis | {"ticktext": ticks, "side": "top", "title": {"text": "key step, attended to"}}
    )
    figure.update_yaxes(
        axis
        | {
            "ticktext": [tick.replace("<br>", " ") for tick in ticks],
            "title": {"text": "query step"},
            "autorange": "reversed",
            "scaleanchor": "x",
            "constraintoward": "top",
        }
    )
    last = result.share[-1]
    past = float(np.nansum(last[:-1]))
    title = (
        f"The last step pays {percent(past)} of its attention to the past, even attention "
        f"{percent(float(result.even[-1]))} (block {result.block + 1}, {result.of})"
    )
    reached = ", ".join(f"step {m + 1} {percent(x)}" for m, x in enumerate(last) if not np.isnan(x))
    alt = f"{title}. Shares of the last step: {reached}."
    return finish(figure, theme, title=title, alt=alt, height=390, top=52)


@tabled()
def lag_contributions(
    result: LagContributions,
    *,
    step_labels: Sequence[str] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """What each lag adds to Q, K and V at every step, as three tiles of step against lag."""
    colours = palette(theme)
    parts, steps, lags = result.share.shape
    tiled = np.full((parts, lags + _GAP, steps), np.nan, np.float32)
    reachable = np.arange(lags)[:, None] <= np.arange(steps)
    tiled[:, :lags] = np.where(reachable, 100 * np.moveaxis(result.share, 1, 2), np.nan)
    rows = parts * (lags + _GAP)
    figure = go.Figure(
        go.Heatmap(
            z=tiled.reshape(rows, steps),
            x=np.arange(steps),
            y=np.arange(rows),
            customdata=np.broadcast_to(
                (np.arange(rows) % (lags + _GAP))[:, None], (rows, steps)
            ).astype(np.uint16),
            hovertemplate="lag %{customdata}: %{z:.1f} %<extra></extra>",
            hoverongaps=False,
            colorscale=scale(colours.amount),
            zmin=0,
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": "%"}, "thickness": 8, "outlinewidth": 0},
        )
    )
    top = np.arange(parts) * (lags + _GAP)
    figure.update_xaxes(
        tickvals=np.arange(steps),
        ticktext=step_ticks(steps, step_labels),
        tickangle=0,
        title={"text": "step"},
    )
    figure.update_yaxes(
        tickvals=np.concatenate([top, top + lags - 1]),
        ticktext=[f"{part} now" for part in ("query", "key", "value")] + [f"lag {lags - 1}"] * 3,
        autorange="reversed",
    )
    past = float(result.share[:, -1, 1:].sum(-1).mean())
    title = (
        f"At the last step {percent(past)} of the current of Q, K and V comes from earlier steps "
        f"(block {result.block + 1})"
    )
    return finish(
        figure, theme, title=title, alt=f"{title}; one tile each, step against lag.", height=400
    )
