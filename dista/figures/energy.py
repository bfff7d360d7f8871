"""What an answer costs, layer by layer and step by step, and what is lost by stopping early."""

from __future__ import annotations

from typing import Literal

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dista.figures.tables import tabled
from dista.figures.theme import Theme, count, finish, palette, percent, scale, short
from dista.measures import CONVENTIONS, Anytime, Energy
from dista.style import marks

Quantity = Literal["energy", "operations", "spikes"]


@tabled()
def energy_map(result: Energy, *, of: Quantity = "energy", theme: Theme = "light") -> go.Figure:
    """Energy, operations or arriving spikes of each layer at each step; darker is more."""
    z = _quantity(result, of)
    size, unit = 1.0, of
    if of == "energy":
        size, unit = scale_of(float(z.max()))
        z = z / size
    colours = palette(theme)
    layers, steps = z.shape
    figure = go.Figure(
        go.Heatmap(
            z=z,
            x=np.arange(1, steps + 1),
            y=np.arange(layers),
            customdata=_names_and_ann(result),
            hovertemplate=f"%{{customdata[0]}}, step %{{x}}: %{{z:.4s}} {unit}"
            "<br>%{customdata[1]} without spikes<extra></extra>",
            colorscale=scale(colours.amount),
            zmin=0,
            zmax=float(z.max()) or 1.0,
            xgap=2,
            ygap=2,
            colorbar={
                "thickness": 8,
                "len": 0.5,
                "outlinewidth": 0,
                "nticks": 4,
                "tickformat": "~s" if of != "energy" else "~g",
                "title": {"text": unit if of == "energy" else ""},
            },
        )
    )
    names = [short(layer) for layer in result.layers]
    figure.update_yaxes(range=[layers - 0.5, -0.5], tickvals=np.arange(layers), ticktext=names)
    figure.update_xaxes(tickvals=np.arange(1, steps + 1), title={"text": count(steps, "step")})
    most = int(z.sum(1).argmax())
    share = z.sum(1)[most] / z.sum() if z.sum() else 0.0
    what = {"energy": "the energy", "operations": "the operations", "spikes": "the spikes"}[of]
    title = f"{short(result.layers[most])} takes {percent(share)} of {what}"
    alt = f"{title}. By layer: " + ", ".join(
        f"{short(layer)} {row.sum():.4g} {unit}" for layer, row in zip(result.layers, z)
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=110 + 19 * layers)


@tabled(lambda result: result.by_layer.table())
def energy_comparison(result: Energy, *, theme: Theme = "light") -> go.Figure:
    """Energy of each layer for one answer, against a same-shape network without spikes; log scale."""
    colours = palette(theme)
    y = np.arange(len(result.layers))
    size, unit = scale_of(float(max(result.picojoules.sum(1).max(), result.ann.max())))
    spiking, without = result.picojoules.sum(1) / size, result.ann / size
    figure = go.Figure()
    ends = np.column_stack([without, spiking, np.full(len(y), np.nan)])
    line = {"color": colours.line, "width": 2}
    figure.add_scatter(
        x=np.where(ends > 0, ends, np.nan).ravel(), y=np.repeat(y, 3), mode="lines", line=line,
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    for name, values, colour, symbol in (
        ("same shape without spikes", without, colours.muted, "circle-open"),
        ("this network", spiking, colours.accent, "circle"),
    ):
        figure.add_scatter(
            x=np.where(values > 0, values, np.nan), y=y, mode="markers", name=name,
            marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 1.4, "color": colour}},
            hovertemplate=f"{name}: %{{x:.4g}} {unit}<extra></extra>",
        )  # fmt: skip
    names = [short(layer) for layer in result.layers]
    figure.update_yaxes(tickvals=y, ticktext=names, range=[len(y) - 0.5, -0.5])
    figure.update_xaxes(type="log", dtick=1, tickformat="~g", title={"text": unit}, showgrid=True)
    ann = float(result.ann.sum())
    title = f"{joules(result.total)} an answer, {joules(ann)} without spikes"
    ratio = ann / result.total if result.total else float("inf")
    looks = "one look at the image" if result.static else "all steps"
    alt = (
        f"{title}: a ratio of {ratio:.1f}, where the network without spikes takes {looks}. "
        f"Mean over {count(result.samples, 'sample')}; {CONVENTIONS[result.convention]}."
    )
    return finish(figure, theme, title=title, alt=alt, height=130 + 19 * len(y))


@tabled()
def anytime(result: Anytime, *, stop: int | None = None, theme: Theme = "light") -> go.Figure:
    """Accuracy and confidence if the answer is read out early, and the energy spent until then.

    ``stop`` is the number of steps that are used, from 1; it is marked.
    """
    steps = np.arange(1, len(result.accuracy) + 1)
    if stop is not None and not 1 <= stop <= len(steps):
        raise ValueError(f"stop={stop}; expected 1 to {len(steps)} steps")
    colours = palette(theme)
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.08, row_heights=[0.62, 0.38])
    errors = {
        "array": result.high - result.accuracy, "arrayminus": result.accuracy - result.low,
        "thickness": 1, "width": 3,
    }  # fmt: skip
    for name, y, style in (
        ("correct", result.accuracy, {"color": colours.accent, "width": 2.2}),
        ("confidence", result.confidence, {"color": colours.muted, "width": 1.4, "dash": "dash"}),
        ("as at the end", result.agreement, {"color": colours.muted, "width": 1.4, "dash": "dot"}),
    ):
        figure.add_scatter(
            x=steps, y=y, mode="lines+markers", name=name, line=style, marker={"size": 6},
            error_y=errors if name == "correct" else None,
            hovertemplate=f"{name}: %{{y:.1%}}<extra></extra>", row=1, col=1,
        )  # fmt: skip
    size, unit = scale_of(float(result.picojoules.max()))
    figure.add_bar(
        x=steps, y=result.picojoules / size, width=0.45, showlegend=False,
        marker={"color": colours.soft, "line": {"width": 0}},
        hovertemplate=f"%{{y:.4g}} {unit} so far<extra></extra>", row=2, col=1,
    )  # fmt: skip
    last = stop or len(steps)
    if stop is not None:
        figure.add_vline(stop, line=marks.CURSOR.on(colours))
    figure.update_xaxes(tickvals=steps, range=[0.5, len(steps) + 0.5])
    figure.update_xaxes(title={"text": "steps used"}, row=2, col=1)
    figure.update_yaxes(tickformat=".0%", nticks=5, showgrid=True, row=1, col=1)
    figure.update_yaxes(tickformat="~g", nticks=3, title={"text": f"{unit} so far"}, row=2, col=1)
    spent = result.picojoules[last - 1] / (result.picojoules[-1] or 1.0)
    correct = round(float(result.accuracy[last - 1]) * result.samples)
    title = f"After {count(last, 'step')}: {correct} of {result.samples} correct"
    # Few samples say little: 25 of 25 is no 100 %.
    title += f" ({100 * result.low[last - 1]:.0f} to {percent(result.high[last - 1])})"
    title += f" for {percent(spent)} of the energy"
    alt = f"{title}. Of {count(result.samples, 'sample')}, by steps used: " + ", ".join(
        f"{100 * a:.1f} % correct for {joules(e)}"
        for a, e in zip(result.accuracy, result.picojoules)
    )
    return finish(figure, theme, title=title, alt=f"{alt}.", height=360)


def joules(picojoules: float) -> str:
    """``340 pJ``, ``1.2 nJ``, ``15 µJ``."""
    size, unit = scale_of(picojoules)
    return f"{picojoules / size:.3g} {unit}"


def scale_of(picojoules: float) -> tuple[float, str]:
    """The unit in which ``picojoules`` are a number of one to three digits, and how many make one of it."""
    for unit, size in (("mJ", 1e9), ("µJ", 1e6), ("nJ", 1e3)):
        if picojoules >= size:
            return size, unit
    return 1.0, "pJ"


def _names_and_ann(result: Energy) -> np.ndarray:
    """(layer, time, 2): what a cell belongs to, and the energy that it takes without spikes."""
    return np.array(
        [
            [(short(n), joules(pj)) for pj in row]
            for n, row in zip(result.layers, result.dense_picojoules)
        ]
    )


def _quantity(result: Energy, of: Quantity) -> np.ndarray:
    quantities = {
        "energy": result.picojoules,
        "operations": result.accumulates + result.multiplies,
        "spikes": result.spikes,
    }
    if of not in quantities:
        raise ValueError(f"of={of!r}; expected one of {', '.join(quantities)}")
    return quantities[of]
