"""Several runs beside each other: their curves, all their options at once, and which options matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dista.figures.rows import say
from dista.figures.tables import tabled
from dista.figures.theme import Theme, count, finish, palette, percent, scale
from dista.measures import OptionImportance

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_ENDS = 18  # characters of a level that stand beside an axis
REACHED = "accuracy"


@tabled(only=("run", "epoch", "val_accuracy"))
def run_curves(curves: pd.DataFrame, *, theme: Theme = "light") -> go.Figure:
    """Validation accuracy by epoch of several runs, a line each.

    Needs the columns run, epoch and val_accuracy: the ``epochs`` tables of the runs, one below the other.
    """
    _check(curves, ("run", "epoch", "val_accuracy"))
    colours = palette(theme)
    figure, ends = go.Figure(), {}
    hues = [colours.accent, colours.ink, colours.off, colours.on, colours.muted]
    for place, (name, rows) in enumerate(curves.groupby("run", sort=False)):
        y = 100 * rows["val_accuracy"].to_numpy(float)
        ends[name] = y[-1]
        figure.add_trace(
            go.Scatter(
                x=rows["epoch"].to_numpy(int), y=y, mode="lines+markers", name=name,
                line={"color": hues[place % len(hues)], "width": 1.8, "dash": _DASHES[place % len(_DASHES)]},
                marker={"size": 4},
                hovertemplate=f"{name}: %{{y:.1f}} %, epoch %{{x}}<extra></extra>",
            )
        )  # fmt: skip
    figure.update_xaxes(title={"text": "epoch"}, rangemode="tozero")
    figure.update_yaxes(title={"text": "validation accuracy, %"}, showgrid=True, nticks=6)
    low, high = min(ends.values()), max(ends.values())
    title = f"{count(len(ends), 'run')}, at the end between {low:.1f} and {high:.1f} % on validation samples"
    alt = "; ".join(f"{name}: {end:.1f} %" for name, end in ends.items())
    height = 330 + 20 * len(ends)
    return finish(figure, theme, title=title, alt=f"{title}. {alt}.", height=height)


@tabled()
def parallel_runs(runs: pd.DataFrame, *, theme: Theme = "light") -> go.Figure:
    """A line for each run through its options to its accuracy; drag along an axis to keep some of them.

    ``runs`` has a column for each option and one, ``accuracy``, from 0 to 1.
    """
    _check(runs, (REACHED,))
    colours = palette(theme)
    reached = 100 * runs[REACHED].to_numpy(float)
    names = [name for name in runs if name != REACHED]
    axes = [_axis(name, runs[name]) for name in names]
    axes.append({"label": "accuracy, %", "values": reached})
    figure = go.Figure(
        go.Parcoords(
            dimensions=axes,
            line={"color": reached, "colorscale": scale(colours.amount), "showscale": False},
            labelfont={"size": 12}, tickfont={"size": 11, "color": colours.muted},
            unselected={"line": {"opacity": 0.15}},
        )
    )  # fmt: skip
    best, worst = reached.max(), reached.min()
    title = f"{count(len(runs), 'run')} between {worst:.1f} and {best:.1f} %"
    alt = f"{title}, by {', '.join(names)}. Each line is a run."
    finish(figure, theme, title=title, alt=alt, height=360)
    return figure.update_layout(margin={"l": 70, "r": 60, "t": 84, "b": 24})


def codes(values: pd.Series) -> np.ndarray:
    """Where the values of an option stand on its axis: numbers at themselves, others in their order."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return values.to_numpy(float)
    return pd.Categorical(values.astype(str)).codes.astype(float)


def _axis(name: str, values: pd.Series) -> dict[str, object]:
    """An axis of parallel coordinates; plotly has numbers on them, and texts as ticks."""
    places = codes(values)
    said = values.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    ticks = dict(sorted(zip(places.tolist(), said)))
    texts = [text if len(text) <= _ENDS else f"{text[: _ENDS - 1]}…" for text in ticks.values()]
    return {
        "label": name, "values": places, "tickvals": np.array(list(ticks)), "ticktext": np.array(texts),
    }  # fmt: skip


@tabled()
def option_importance(result: OptionImportance, *, theme: Theme = "light") -> go.Figure:
    """A row for each option: the share of the variance of accuracies that it accounts for.

    The line goes from the smallest to the largest of several forests. The seed is in muted grey: what is not above
    it is not told apart from the accidents of training.
    """
    colours = palette(theme)
    figure = go.Figure()
    for row, (name, share) in enumerate(zip(result.option, result.share)):
        colour = colours.muted if name == "seed" else colours.accent
        x = 100 * np.array([result.low[row], share, result.high[row]])
        figure.add_trace(
            go.Scatter(
                x=x, y=np.full(3, row), mode="lines+markers", line={"color": colour, "width": 2},
                marker={"size": [0, 10, 0], "color": colour, "opacity": 1}, showlegend=False,
                hovertemplate=f"{name}: {percent(share)}<extra></extra>",
            )
        )  # fmt: skip
        say(figure, row, f"<b>{percent(share)}</b>  {name}", colours)
    figure.update_xaxes(
        title={"text": "share of the variance of accuracies, %"}, range=[0, 105], showgrid=True
    )
    figure.update_yaxes(range=[len(result.option) - 0.5, -0.75], visible=False)
    first = result.option[0]
    title = f"{first} accounts for {percent(result.share[0])} of the differences between runs"
    alt = ", ".join(f"{name} {percent(share)}" for name, share in zip(result.option, result.share))
    height = 94 + 44 * len(result.option)
    return finish(
        figure, theme, title=title, alt=f"{title}. Of {result.runs} runs: {alt}.", height=height
    )


def _check(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing or table.empty:
        raise ValueError(
            f"the table has {len(table)} rows and lacks {', '.join(missing) or 'no column'}; expected at least one "
            f"row, and the columns {', '.join(columns)}"
        )
