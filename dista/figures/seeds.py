"""What configurations reach over seeds, and how far they differ from a baseline."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from dista.figures.ablations import fitting, points
from dista.figures.rows import say
from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, finish, palette, percent
from dista.measures import SeedAccuracy, SeedCurve, SeedDifference
from dista.style import marks
from dista.style.sentences import count, p_value

_ROW = 64  # pixels: a line of text, the seeds below it, and how many they are


@tabled()
def seed_accuracies(results: Mapping[str, SeedAccuracy], *, theme: Theme = "light") -> go.Figure:
    """A row for each configuration, by its name: an open dot for every seed, and a full one at their mean.

    The interval of the mean, 95 % over seeds and samples, is the line. Chance, a dashed line, is what the same
    answer to all samples would reach. Below a name stands how many seeds there are, and the largest share of one
    answer: a network that gives it to nearly all has learned nothing.
    """
    _check(results)
    colours = palette(theme)
    figure = go.Figure()
    for row, (name, result) in enumerate(results.items()):
        y = np.full(len(result.seeds), row)
        hover = np.array(
            [
                f"seed {seed}: {100 * a:.1f} %, {percent(m)} one answer"
                for seed, a, m in zip(result.seeds, result.accuracy, result.most_frequent)
            ]
        )
        _interval(figure, row, result.mean, result.low, result.high, colours.accent, True, colours)
        _dots(figure, 100 * result.accuracy, y, hover, colours.accent, colours)
        below = f"{count(len(result.seeds), 'seed')}; one answer to {percent(result.most_frequent.max())} at most"
        _label(figure, row, name, f"{100 * result.mean:.1f} %", below, colours)
    _chance(figure, max(result.chance for result in results.values()), len(results), colours)
    _axes(figure, len(results), "accuracy, %")
    highest, lowest = max(r.mean for r in results.values()), min(r.mean for r in results.values())
    title = f"Means over seeds lie between {100 * lowest:.1f} and {100 * highest:.1f} %"
    alt = "; ".join(
        f"{name}: mean {100 * r.mean:.1f} % of {count(len(r.seeds), 'seed')}, "
        + ", ".join(f"{100 * a:.1f}" for a in r.accuracy)
        + f", chance {percent(r.chance)}"
        for name, r in results.items()
    )
    height = 94 + _ROW * len(results)
    return finish(figure, theme, title=title, alt=f"{title}. {alt}.", height=height, top=14)


@tabled()
def seed_differences(
    results: Mapping[str, SeedDifference], *, theme: Theme = "light"
) -> go.Figure:  # fmt: skip
    """A row for each configuration: its difference to the baseline, for every seed and over all, in points.

    Open dots are seeds; the line is the 95 % interval over other seeds and samples. A difference that is certain,
    after Holm's correction for all rows, is orange where it is a loss and in the accent otherwise; others are grey,
    and hollow at their mean.
    """
    _check(results)
    colours = palette(theme)
    figure = go.Figure()
    figure.add_vline(0, line={"color": colours.ink, "width": 1})
    for row, (name, result) in enumerate(results.items()):
        colour = colours.orange if result.difference < 0 else colours.accent
        colour = colour if result.certain else colours.muted
        hover = np.array(
            [
                f"seed {seed}: {points(d)} points"
                for seed, d in zip(result.seeds, result.differences)
            ]
        )
        _interval(
            figure, row, result.difference, result.low, result.high, colour, result.certain, colours
        )
        y = np.full(len(result.seeds), row)
        _dots(figure, 100 * result.differences, y, hover, colour, colours)
        said = f"{count(len(result.seeds), 'seed')}; {points(result.low)} to {points(result.high)}, p {p_value(result.holm)}"
        _label(figure, row, name, points(result.difference), said, colours)
    _axes(figure, len(results), "difference of accuracy, points")
    certain = sum(result.certain for result in results.values())
    alone = any(len(result.seeds) == 1 for result in results.values())
    of = "of these networks alone: one seed" if alone else "counting all of them"
    title = f"{certain} of {len(results)} differences are certain, {of}"
    alt = "; ".join(
        f"{name}: {points(r.difference)} points over {count(len(r.seeds), 'seed')}, 95 % interval {points(r.low)} to "
        f"{points(r.high)}, p after Holm {p_value(r.holm)}"
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


def _interval(
    figure: go.Figure, row: int, mean: float, low: float, high: float, colour: str, full: bool, colours: Palette
) -> None:  # fmt: skip
    """The line of an interval, and the mean on it."""
    figure.add_trace(
        go.Scatter(
            x=100 * np.array([low, mean, high]),
            y=np.full(3, row),
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={
                "size": [0, 11, 0],
                "opacity": 1,
                "color": colour if full else colours.panel,
                "line": {"color": colour, "width": 2},
            },
            hovertemplate=f"mean {100 * mean:.1f}, 95 % interval {100 * low:.1f} to {100 * high:.1f}<extra></extra>",
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


def _label(
    figure: go.Figure, row: int, name: str, value: str, below: str, colours: Palette
) -> None:
    said, hover = f"<b>{value}</b>  {fitting(name)}", f"{name}: {below}"
    say(figure, row, said, colours, shift=15, hover=hover)
    say(figure, row, below, colours, shift=-15, remark=True, hover=hover)


def _chance(figure: go.Figure, share: float, rows: int, colours: Palette) -> None:
    figure.add_vline(100 * share, line=marks.AREA.on(colours))
    figure.add_annotation(
        x=100 * share, y=1, yref="paper", yanchor="bottom", showarrow=False,
        text=f"chance, {percent(share)}", font={"size": 11, "color": colours.muted},
    )  # fmt: skip


def _axes(figure: go.Figure, rows: int, title: str) -> None:
    figure.update_xaxes(title={"text": title}, showgrid=True, nticks=6)
    figure.update_yaxes(range=[rows - 0.5, -0.75], visible=False)


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
        x=curve.levels, y=mean, mode="lines+markers", name=f"{name} · {count(len(curve.seeds), 'seed')}",
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
