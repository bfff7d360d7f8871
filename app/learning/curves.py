"""The curves of a run: live charts while it is running, the package's figures after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.inputs import checkpoints
from app.link import plain, url
from app.page import charts, next_page
from app.page.next_page import Way
from app.trainings import live_charts, run_tables
from dista.runs import Run, RunError
from dista.style.labels import layer as short

if TYPE_CHECKING:
    import pandas as pd


def read(run: Run, table: str) -> pd.DataFrame:
    """A table of the run, or a sentence why it cannot be read."""
    try:
        return run_tables.table(run, table)
    except (ValueError, OSError) as error:
        raise RunError(
            f"{run.path / table}.jsonl is damaged and cannot be read; the rest of the run may be whole"
        ) from error


def show(run: Run, epoch: int, running: bool) -> None:
    """Live charts keep zoom and selection over updates; finished runs get the package's figures.

    Each is drawn by itself: a damaged table takes its own with it, and no other.
    """
    if running:
        show_charts(live(run, epoch))
    else:
        show_figures(run, epoch)
    more = st.expander("Gradients, attention maps, silent neurons", **url.opened("more"))
    if more.open:
        with more:
            show_charts(more_charts(run, epoch))


# A chart's title, how it is drawn, and its key; a text here would be shown by Streamlit's magic.
Drawn = tuple[str, Callable[[], Any], str]


def live(run: Run, epoch: int) -> list[Drawn]:
    table = partial(read, run)
    return [
        (
            "Loss by training step",
            lambda: live_charts.loss(table("steps"), epoch),
            "live-loss",
        ),
        (
            "Validation accuracy by epoch",
            lambda: live_charts.accuracy(table("epochs"), epoch),
            "live-accuracy",
        ),
        (
            "Time constants by epoch, steps",
            lambda: live_charts.layers(table("neurons"), "tau", epoch),
            "live-tau",
        ),
        (
            "Spikes per neuron and step",
            lambda: live_charts.layers(table("neurons"), "rate", epoch, share=True),
            "live-rate",
        ),
    ]


def more_charts(run: Run, epoch: int) -> list[Drawn]:
    drawn = [
        ("Gradients of weights", "gradients", "weights", False, "more-weights"),
        ("Gradients of taus", "gradients", "tau", False, "more-taus"),
        ("Removed by the denoiser", "attention", "removed", True, "more-removed"),
        ("Mean lag, steps", "attention", "reach", False, "more-reach"),
        ("Silent neurons", "neurons", "dead", True, "more-dead"),
    ]

    def layers(table: str, column: str, share: bool) -> Any:
        return live_charts.layers(read(run, table), column, epoch, share=share)

    return [(title, partial(layers, *what), key) for title, *what, key in drawn]


def show_charts(drawn: list[Drawn]) -> None:
    for column, (title, chart, key) in zip(st.columns(len(drawn)), drawn):
        with column.container(border=True, key=f"card-{key}"), plain.errors():
            st.markdown(f"**{title}**")
            live_charts.show(chart(), key)


def show_figures(run: Run, epoch: int) -> None:
    from dista import figures

    with contextlib.suppress(RunError):  # which is said in its figure's place
        if read(run, "epochs").empty:
            st.info(
                "The run ended before its first epoch was complete: the loss of its steps is what there is."
            )
            show_charts(live(run, epoch)[:1])
            return
    drawn = [
        (figures.learning_curves, "epochs", "learning"),
        (figures.tau_history, "neurons", "tau"),
        (figures.rate_history, "neurons", "rate"),
    ]
    for column, (figure, table, name) in zip(st.columns(3), drawn):
        with column, plain.errors():
            shown = figure(read(run, table), epoch=epoch, theme=charts.theme())
            charts.plot(shown, f"done-{name}-{run.name}")


def show_layers(neurons: pd.DataFrame) -> None:
    """Name the layers that stay silent or always fire, in words."""
    if neurons.empty:
        return
    for sentence in charts.unusual_layers(neurons):
        st.markdown(sentence)


def offer_layers(run: Run) -> None:
    """What the curves are of, in the best checkpoint: the layer whose tau moved furthest, the denoiser, the spikes."""
    from dista.figures.training import furthest_layers

    if (best := checkpoints.best(run)) is None:
        return
    subject, neurons = {"checkpoint": best.name}, read(run, "neurons")
    moved = [] if neurons.empty else furthest_layers(neurons, "tau")
    next_page.offer(
        *(
            Way(
                "neurons",
                f"{short(layer)}, whose tau moved furthest, in Neurons",
                subject | {"layer": layer},
            )
            for layer in moved[:1]
        ),
        Way("denoise", "What its denoiser removes, in Denoise", subject),
        Way("energy", "What its spikes cost, in Energy", subject),
        key="next-pages-curves",
    )
