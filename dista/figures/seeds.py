"""What configurations reach over seeds, and how far they differ from a baseline."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from dista.figures.ablations import fitting, points
from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, finish, palette
from dista.measures import SeedAccuracy, SeedCurve, SeedDifference

_ROW = 46  # pixels: a line of text, and the seeds below it


@tabled()
def seed_accuracies(results: Mapping[str, SeedAccuracy], *, theme: Theme = "light") -> go.Figure:
    """A row for each configuration, by its name: a dot for every seed, and a line at their mean.

    The interval of the mean, 95 % over seeds and samples, is the band behind.
    """
    _check(results)
    colours = palette(theme)
    figure = go.Figure()
    for row, (name, result) in enumerate(results.items()):
        y = np.full(len(result.seeds), row)
        _band(figure, row, result.low, result.high, colours)
        hover = np.array(
            [f"seed {seed}: {100 * a:.1f} %" for seed, a in zip(result.seeds, result.accuracy)]
        )
        _dots(figure, 100 * result.accuracy, y, hover, colours.accent, colours)
        _mean(figure, row, result.mean, colours.ink)
        _label(figure, row, name, f"{100 * result.mean:.1f} %", len(result.seeds))
    _axes(figure, len(results), "accuracy, %; behind a name, its number of seeds")
    highest, lowest = max(r.mean for r in results.values()), min(r.mean for r in results.values())
    title = f"Means over seeds lie between {100 * lowest:.1f} and {100 * highest:.1f} %"
    alt = "; ".join(
        f"{name}: mean {100 * r.mean:.1f} % of {_count(r.seeds)}, "
        + ", ".join(f"{100 * a:.1f}" for a in r.accuracy)
        for name, r in results.items()
    )
    return finish(
        figure, theme, title=title, alt=f"{title}. {alt}.", height=94 + _ROW * len(results)
    )


@tabled()
def seed_differences(
    results: Mapping[str, SeedDifference], *, theme: Theme = "light"
) -> go.Figure:  # fmt: skip
    """A row for each configuration: its difference to the baseline, for every seed and over all, in points.

    The band is the 95 % interval over other seeds and samples. A difference that is certain, after Holm's
    correction for all rows, is orange where it is a loss and in the accent otherwise; others are grey.
    """
    _check(results)
    colours = palette(theme)
    figure = go.Figure()
    figure.add_vline(0, line={"color": colours.ink, "width": 1})
    for row, (name, result) in enumerate(results.items()):
        colour = colours.orange if result.difference < 0 else colours.accent
        colour = colour if result.certain else colours.muted
        _band(figure, row, result.low, result.high, colours)
        hover = np.array(
            [
                f"seed {seed}: {points(d)} points"
                for seed, d in zip(result.seeds, result.differences)
            ]
        )
        _dots(
            figure,
            100 * result.differences,
            np.full(len(result.seeds), row),
            hover,
            colour,
            colours,
        )
        _mean(figure, row, result.difference, colour)
        _label(figure, row, name, points(result.difference), len(result.seeds))
    _axes(figure, len(results), "difference, points; behind a name, its number of seeds")
    certain = sum(result.certain for result in results.values())
    title = f"{certain} of {len(results)} differences are certain, counting all of them"
    alt = "; ".join(
        f"{name}: {points(r.difference)} points over {_count(r.seeds)}, 95 % interval {points(r.low)} to "
        f"{points(r.high)}, p after Holm {r.holm:.2g}"
        for name, r in results.items()
    )
    return finish(
        figure, theme, title=title, alt=f"{title}. {alt}.", height=94 + _ROW * len(results)
    )


def _check(results: Mapping[str, object]) -> None:
    if not results:
        raise ValueError(
            "results is empty; expected at least one configuration with a finished run"
        )


def _band(figure: go.Figure, row: int, low: float, high: float, colours: Palette) -> None:
    figure.add_trace(
        go.Scatter(
            x=100 * np.array([low, high]),
            y=np.full(2, row),
            mode="lines",
            line={"color": colours.line, "width": 12},
            hovertemplate=f"95 % interval {100 * low:.1f} to {100 * high:.1f}<extra></extra>",
            showlegend=False,
        )
    )


def _dots(
    figure: go.Figure, x: np.ndarray, y: np.ndarray, hover: np.ndarray, colour: str, colours: Palette
) -> None:  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="markers", customdata=hover, hovertemplate="%{customdata}<extra></extra>",
            marker={"color": colours.panel, "size": 8, "line": {"color": colour, "width": 1.5}},
            showlegend=False,
        )
    )  # fmt: skip


def _mean(figure: go.Figure, row: int, mean: float, colour: str) -> None:
    figure.add_trace(
        go.Scatter(
            x=np.array([100 * mean]), y=np.array([row]), mode="markers",
            marker={"symbol": "line-ns", "size": 10, "line": {"color": colour, "width": 3}},
            hovertemplate="mean %{x:.1f}<extra></extra>", showlegend=False,
        )
    )  # fmt: skip


def _label(figure: go.Figure, row: int, name: str, value: str, seeds: int) -> None:
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=row, yshift=16, showarrow=False, align="left",
        text=f"<b>{value}</b>  {fitting(name)} · {seeds}", font={"size": 12},
        hovertext=f"{name}: {seeds} seed{'s' * (seeds != 1)}",
    )  # fmt: skip


def _axes(figure: go.Figure, rows: int, title: str) -> None:
    figure.update_xaxes(title={"text": title}, showgrid=True, nticks=6)
    figure.update_yaxes(range=[rows - 0.5, -0.75], visible=False)


def _count(seeds: tuple[int, ...]) -> str:
    return f"{len(seeds)} seed{'s' * (len(seeds) != 1)}"


@tabled()
def seed_curves(results: Mapping[str, SeedCurve], *, theme: Theme = "light") -> go.Figure:
    """Accuracy against noise of one kind, a line for each configuration, by its name.

    Bars are 95 % intervals of the means over other seeds and samples; dots behind are the runs.
    """
    _check(results)
    kinds = {curve.kind for curve in results.values()}
    if len(kinds) > 1:
        raise ValueError(f"results are of {', '.join(sorted(kinds))}; expected one kind of noise")
    colours, figure = palette(theme), go.Figure()
    for place, (name, curve) in enumerate(results.items()):
        colour = colours.categories[place % len(colours.categories)]
        dash = ("solid", "dot", "dash")[place // len(colours.categories) % 3]
        figure.add_trace(_runs_of(curve, colour))
        figure.add_trace(_line_of(name, curve, colour, dash))
    levels = np.unique(np.concatenate([curve.levels for curve in results.values()]))
    figure.update_xaxes(title={"text": f"{min(kinds)} noise, level"}, tickvals=levels)
    figure.update_yaxes(title={"text": "accuracy, %"}, showgrid=True, nticks=6)
    figure.update_layout(legend={"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0})
    title = "Means over seeds, from no noise to the most: " + (
        "; ".join(f"{n} {_ends(curve)}" for n, curve in results.items())
        if len(results) == 1
        else f"{len(results)} configurations"
    )
    alt = ". ".join(f"{name}: {_told(curve)}" for name, curve in results.items())
    height = 320 + 20 * len(results)
    return finish(figure, theme, title=title, alt=f"{title}. {alt}.", height=height)


def _line_of(name: str, curve: SeedCurve, colour: str, dash: str) -> go.Scatter:
    mean, low, high = (100 * end for end in (curve.mean, curve.low, curve.high))
    return go.Scatter(
        x=curve.levels, y=mean, mode="lines+markers", name=f"{name} · {_count(curve.seeds)}",
        line={"color": colour, "width": 1.6, "dash": dash}, marker={"size": 6},
        error_y={"array": high - mean, "arrayminus": mean - low, "thickness": 1, "width": 2},
        hovertemplate=f"{name}, noise %{{x:g}}: %{{y:.1f}} %<extra></extra>",
    )  # fmt: skip


def _runs_of(curve: SeedCurve, colour: str) -> go.Scatter:
    levels = np.repeat(curve.levels, len(curve.seeds))
    hover = np.array([f"seed {seed}" for _ in curve.levels for seed in curve.seeds])
    return go.Scatter(
        x=levels, y=100 * curve.accuracy.ravel(), mode="markers", customdata=hover,
        marker={"color": colour, "size": 4, "opacity": 0.45}, showlegend=False,
        hovertemplate="%{customdata}: %{y:.1f} %<extra></extra>",
    )  # fmt: skip


def _ends(curve: SeedCurve) -> str:
    return f"{100 * curve.mean[0]:.1f} to {100 * curve.mean[-1]:.1f} %"


def _told(curve: SeedCurve) -> str:
    each = zip(curve.levels, curve.mean, curve.low, curve.high)
    return ", ".join(
        f"{100 * m:.1f} % ({100 * low:.1f} to {100 * high:.1f}) at {level:g}"
        for level, m, low, high in each
    )
