"""Joint plasticity: gradients of weights and of time constants by epoch, and runs in which one of them is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import plotly.graph_objects as go

from dista.figures.tables import tabled
from dista.figures.theme import Theme, finish, palette
from dista.figures.training import check, history, line

if TYPE_CHECKING:
    import pandas as pd


def _gradients(gradients: pd.DataFrame, of: str) -> pd.DataFrame:
    return gradients[["epoch", "layer", of]].drop_duplicates(ignore_index=True)


@tabled(_gradients)
def gradient_history(
    gradients: pd.DataFrame,
    of: Literal["weights", "tau"] = "tau",
    *,
    epoch: int | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Norm of the gradient of each layer's ``weights``, or of its ``tau``, by epoch, as means over its steps.

    From a run's ``gradients`` table; layers of which nothing is trained are left out. ValueError for another ``of``.
    """
    if of not in ("weights", "tau"):
        raise ValueError(f"of={of!r}; expected weights or tau")
    return history(gradients.dropna(subset=[of]), of, f"gradient of {of}, norm", 1.0, epoch, theme)


def _by_run(runs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    rows = {name: table[["epoch", "val_accuracy"]] for name, table in runs.items()}
    return pd.concat(rows, names=["run"]).reset_index(level=0).reset_index(drop=True)


@tabled(_by_run)
def accuracy_by_run(runs: Mapping[str, pd.DataFrame], *, theme: Theme = "light") -> go.Figure:
    """Validation accuracy by epoch of several runs, by their names, from their ``epochs`` tables.

    ValueError where there is no run.
    """
    if not runs:
        raise ValueError("runs is empty; give the epochs table of at least one")
    colours, dashes = palette(theme), ("solid", "dash", "dot", "dashdot")
    figure, last = go.Figure(), {}
    for i, (name, table) in enumerate(runs.items()):
        check(table, "epochs", ("epoch", "val_accuracy"))
        x, y = table["epoch"].to_numpy(int), 100 * table["val_accuracy"].to_numpy(float)
        colour = colours.categories[i % len(colours.categories)]
        figure.add_trace(line(x, y, name, colour, dashes[i % len(dashes)], markers=len(x) < 30))
        if len(y):
            last[name] = y[-1]
    figure.update_xaxes(title={"text": "epoch"}, nticks=6)
    figure.update_yaxes(title={"text": "validation accuracy, %"}, showgrid=True, nticks=5)
    title = "No epoch has been validated yet"
    if last:
        best, worst = max(last, key=last.get), min(last, key=last.get)
        title = f"At the end: {best} {last[best]:.1f} %"
        if best != worst:
            title += f", {worst} {last[worst]:.1f} %"
    alt = f"{title}. " + "; ".join(f"{name} {value:.1f} %" for name, value in last.items()) + "."
    return finish(figure, theme, title=title, alt=alt, height=330)
