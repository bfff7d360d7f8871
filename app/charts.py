"""Charts of a run that is still being written: they redraw in place, keeping zoom.

The package's plotly figures are for finished runs: a plotly chart is built anew with every change
of its data, which would throw a reader's zoom away every two seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dista.figures.theme import count, percent, short

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

POINTS = 400  # points of a curve that are sent to the browser
HEIGHT = 170
DEAD, SATURATED = 0.5, 0.2  # shares of a layer's neurons that deserve a sentence
PLOTLY = {"displaylogo": False, "responsive": True}


def loss(steps: pd.DataFrame) -> alt.Chart | None:
    """Training loss by step, thinned, with a running mean; None while there is none."""
    import altair as alt

    if steps.empty:
        return None
    width = max(1, len(steps) // 50)
    table = steps.assign(mean=steps["loss"].rolling(width, min_periods=1).mean())
    table = table.iloc[:: max(1, len(table) // POINTS)]
    base = alt.Chart(table).encode(alt.X("step:Q", title=None, axis=alt.Axis(tickCount=4)))
    y = alt.Scale(zero=False)
    every = base.mark_line(opacity=0.35, strokeWidth=1).encode(alt.Y("loss:Q", scale=y, title=None))
    mean = base.mark_line(strokeWidth=2).encode(
        alt.Y("mean:Q", scale=y, title=None), tooltip=_tooltip(("step", "d"), ("mean", ".3f"))
    )
    return (
        (every + mean).properties(height=HEIGHT, background="transparent").interactive(bind_y=False)
    )


def accuracy(epochs: pd.DataFrame) -> alt.Chart | None:
    """Validation accuracy by epoch; None before the first."""
    import altair as alt

    if epochs.empty:
        return None
    y = alt.Y("val_accuracy:Q", title=None, scale=alt.Scale(zero=False), axis=_percent_axis())
    return (
        alt.Chart(epochs)
        .mark_line(point=True, strokeWidth=2)
        .encode(_epochs(), y, tooltip=_tooltip(("epoch", "d"), ("val_accuracy", ".2%")))
        .properties(height=HEIGHT, background="transparent")
        .interactive(bind_y=False)
    )


def layers(neurons: pd.DataFrame, column: str) -> alt.Chart | None:
    """A line a layer by epoch of ``tau`` or ``rate``; hovering names it."""
    import altair as alt

    if neurons.empty or neurons[column].isna().all():
        return None
    table = neurons.assign(name=neurons["layer"].map(short), part=neurons["layer"].map(_part))
    axis = _percent_axis() if column == "rate" else alt.Axis(tickCount=4)
    return (
        alt.Chart(table)
        .mark_line(point=alt.OverlayMarkDef(size=16), strokeWidth=1.5)
        .encode(
            _epochs(),
            alt.Y(f"{column}:Q", title=None, scale=alt.Scale(zero=False), axis=axis),
            alt.Color("part:N", title=None, legend=alt.Legend(orient="top", columns=4, offset=2)),
            detail="layer:N",
            tooltip=_tooltip(("name", None), ("epoch", "d"), (column, ".3f")),
        )
        .properties(height=HEIGHT, background="transparent")
        .interactive(bind_y=False)
    )


def unusual_layers(neurons: pd.DataFrame) -> list[str]:
    """Sentences on the layers that are mostly silent or always firing after the last epoch."""
    last = neurons[neurons["epoch"] == neurons["epoch"].max()]
    sentences = []
    for column, limit, what in (
        ("dead", DEAD, "never fired"),
        ("saturated", SATURATED, "fired at every step"),
    ):
        worst = last[last[column] > limit].sort_values(column, ascending=False)
        named = [
            f"{percent(getattr(row, column))} in {short(row.layer)}" for row in worst.itertuples()
        ]
        if named:
            more = f" and in {count(len(named) - 4, 'more layer')}" if len(named) > 4 else ""
            sentences.append(f":orange[◆] Many neurons {what}: {', '.join(named[:4])}{more}.")
    return sentences or ["No layer is mostly silent, and none fires all the time."]


def _part(layer: str) -> str:
    parts = layer.split(".")
    return f"block {int(parts[1]) + 1}" if parts[0] == "blocks" else parts[0]


def _epochs() -> Any:
    import altair as alt

    axis = alt.Axis(tickMinStep=1, tickCount=4, format="d")
    return alt.X("epoch:Q", title=None, axis=axis, scale=alt.Scale(nice=False))


def _percent_axis() -> Any:
    import altair as alt

    return alt.Axis(format=".3~p", tickCount=4)


def _tooltip(*fields: tuple[str, str | None]) -> list[Any]:
    import altair as alt

    return [alt.Tooltip(name, **({"format": form} if form else {})) for name, form in fields]
