"""Training so far: loss and accuracy, time constants and firing rates, by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, count, finish, palette, percent, short
from dista.style import marks

if TYPE_CHECKING:
    import pandas as pd

_CURVES = ("epoch", "train_loss", "val_loss", "val_accuracy")
_POINTS = 400  # of a curve by step that are drawn
_NAMED = 3  # lines that are labelled: those that moved furthest


@tabled(only=("step", "epoch", "loss"))
def loss_by_step(
    steps: pd.DataFrame, *, epoch: int | None = None, theme: Theme = "light"
) -> go.Figure:
    """Training loss of each step and its mean over a fiftieth of them; a cursor at the end of ``epoch``.

    From a run's ``steps`` table; needs the columns step, epoch and loss. A long curve is thinned.
    """
    check(steps, "steps", ("step", "epoch", "loss"))
    colours, loss = palette(theme), steps["loss"].astype(float)
    mean = loss.rolling(max(1, len(loss) // 50), min_periods=1).mean().to_numpy()
    every = slice(None, None, max(1, len(loss) // _POINTS))
    x = steps["step"].to_numpy(int)
    figure = go.Figure()
    for name, y, width, opacity in (("each step", loss.to_numpy(), 1, 0.35), ("mean", mean, 2, 1)):
        curve = line(x[every], y[every], name, colours.accent, "solid", markers=False, at="step")
        figure.add_trace(curve.update(line_width=width, opacity=opacity, showlegend=False))
    before = x[steps["epoch"].to_numpy(int) <= epoch] if epoch is not None else x[:0]
    _cursor(figure, None if epoch is None else int(before.max(initial=0)), colours)
    figure.update_xaxes(title={"text": "step"}, rangemode="tozero", nticks=5)
    figure.update_yaxes(title={"text": "training loss"}, showgrid=True, nticks=5)
    title = "No step has been made yet"
    if len(x):
        title = f"Training loss {mean[0]:.2f} at first, {mean[-1]:.2f} after {count(int(x[-1]), 'step')}"
    return finish(figure, theme, title=title, alt=f"{title}.", height=330)


@tabled(only=_CURVES)
def learning_curves(
    epochs: pd.DataFrame, *, epoch: int | None = None, theme: Theme = "light"
) -> go.Figure:
    """Loss and validation accuracy by epoch, from a run's ``epochs`` table; a cursor at ``epoch``.

    Needs the columns epoch, train_loss, val_loss, val_accuracy; missing values leave gaps.
    """
    check(epochs, "epochs", _CURVES)
    colours = palette(theme)
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.09)
    x = epochs["epoch"].to_numpy(int)
    accuracy = epochs["val_accuracy"].to_numpy(float)
    lines = (
        (1, "training loss", epochs["train_loss"].to_numpy(float), colours.muted, "dot"),
        (1, "validation loss", epochs["val_loss"].to_numpy(float), colours.accent, "solid"),
        (2, "validation accuracy", 100 * accuracy, colours.accent, "solid"),
    )
    for row, name, y, colour, dash in lines:
        figure.add_trace(line(x, y, name, colour, dash, markers=len(x) < 30), row=row, col=1)
    figure.update_yaxes(title={"text": "loss"}, row=1, col=1, rangemode="tozero", nticks=4)
    figure.update_yaxes(title={"text": "accuracy, %"}, row=2, col=1, nticks=4)
    figure.update_xaxes(title={"text": "epoch"}, row=2, col=1)
    figure.update_yaxes(showgrid=True)
    figure.data[-1].showlegend = False
    _cursor(figure, epoch, colours)
    title = "No epoch has been validated yet"
    if np.isfinite(accuracy).any():
        best = int(np.nanargmax(accuracy))
        title = f"Best validation accuracy: {100 * accuracy[best]:.1f} % after epoch {x[best]}"
        _mark(figure, x[best], 100 * accuracy[best], colours)
    last = _last(accuracy)
    alt = f"{title}; {percent(last) if last is not None else 'none'} at the end of {len(x)} rows."
    return finish(figure, theme, title=title, alt=alt, height=380)


@tabled(only=("epoch", "layer", "tau"))
def tau_history(
    neurons: pd.DataFrame, *, epoch: int | None = None, theme: Theme = "light"
) -> go.Figure:
    """Time constant of each layer by epoch, from a run's ``neurons`` table."""
    return history(neurons, "tau", "time constant in steps", 1.0, epoch, theme)


@tabled(only=("epoch", "layer", "rate"))
def rate_history(
    neurons: pd.DataFrame, *, epoch: int | None = None, theme: Theme = "light"
) -> go.Figure:
    """Firing rate of each layer by epoch, in spikes per neuron and step in per cent."""
    return history(neurons, "rate", "spikes per neuron and step, %", 100.0, epoch, theme)


_WHAT = {
    "time constant in steps": "time constant",
    "spikes per neuron and step, %": "firing rate",
    "gradient of tau, norm": "gradient of tau",
    "gradient of weights, norm": "gradient of weights",
}
"""What moves, by the title of its axis."""


def history(
    neurons: pd.DataFrame,
    column: str,
    unit: str,
    factor: float,
    epoch: int | None,
    theme: Theme,
) -> go.Figure:
    """A line for each layer; those that moved furthest stand out and are named."""
    check(neurons, "neurons", ("epoch", "layer", column))
    colours = palette(theme)
    table = neurons.pivot_table(index="epoch", columns="layer", values=column, sort=False)
    x, values = table.index.to_numpy(int), factor * table.to_numpy(float)
    furthest = _furthest(values)
    dashes = dict(zip(furthest, ("solid", "dash", "dot")))
    figure = go.Figure()
    for i in [*(i for i in range(values.shape[1]) if i not in dashes), *reversed(furthest)]:
        name = short(table.columns[i])
        colour = colours.accent if i in dashes else colours.muted
        curve = line(x, values[:, i], name, colour, dashes.get(i, "solid"), markers=len(x) == 1)
        curve.update(showlegend=i in dashes, opacity=1 if i in dashes else 0.35)
        figure.add_trace(curve)
    _cursor(figure, epoch, colours)
    figure.update_xaxes(title={"text": "epoch"}, rangemode="tozero")
    figure.update_yaxes(title={"text": unit}, showgrid=False, nticks=5)
    what = _WHAT[unit]
    title = f"No {what} has moved yet"
    if furthest:
        first = furthest[0]
        title = (
            f"The {what} of {short(table.columns[first])} moved furthest: "
            f"{values[0, first]:.1f} to {values[-1, first]:.1f}"
        )
    alt = f"{title}. At epoch {x[-1] if len(x) else 0}: " + ", ".join(
        f"{short(layer)} {value:.2f}" for layer, value in zip(table.columns, values[-1:].ravel())
    )
    finish(figure, theme, title=title, alt=f"{alt}.", height=330)
    return figure.update_layout(legend_traceorder="reversed")


def furthest_layers(neurons: pd.DataFrame, column: str) -> list[str]:
    """The layers that ``history`` names: those whose value moved furthest, that first which moved most."""
    check(neurons, "neurons", ("epoch", "layer", column))
    table = neurons.pivot_table(index="epoch", columns="layer", values=column, sort=False)
    return [table.columns[i] for i in _furthest(table.to_numpy(float))]


def _furthest(values: np.ndarray) -> list[int]:
    """The columns of ``values`` (epoch, layer) that moved furthest from the first epoch to the last."""
    travel = np.abs(values[-1] - values[0]) if len(values) else np.zeros(0)
    return [i for i in np.argsort(-travel, kind="stable")[:_NAMED] if travel[i] > 1e-6]


def line(
    x: np.ndarray,
    y: np.ndarray,
    name: str,
    colour: str,
    dash: str,
    *,
    markers: bool,
    at: str = "epoch",
) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="lines+markers" if markers else "lines",
        name=name,
        line={"color": colour, "width": 1.8, "dash": dash},
        marker={"size": 5},
        hovertemplate=f"{name}: %{{y:.3g}}, {at} %{{x}}<extra></extra>",
    )


def _mark(figure: go.Figure, x: float, y: float, colours: Palette) -> None:
    figure.add_trace(
        go.Scatter(
            x=np.array([x]),
            y=np.array([y]),
            mode="markers",
            marker={
                "color": colours.panel,
                "size": 9,
                "line": {"color": colours.ink, "width": 1.5},
            },
            hoverinfo="skip",
            showlegend=False,
        ),
        row=2,
        col=1,
    )


def _cursor(figure: go.Figure, epoch: int | None, colours: Palette) -> None:
    """Where the film is, in every panel."""
    if epoch is not None:
        figure.add_vline(epoch, line=marks.CURSOR.on(colours))


def _last(values: np.ndarray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if finite.size else None


def check(table: pd.DataFrame, name: str, columns: tuple[str, ...]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ValueError(
            f"the {name} table has no {', '.join(missing)}; expected the columns "
            f"{', '.join(columns)} of a run folder's {name}.jsonl"
        )
