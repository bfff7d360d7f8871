"""Train: a run while it is being written, and what it came to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import charts
import controls
import state
import streamlit as st

from dista.runs import Run, RunError, find
from dista.widgets.streamlit import probe

if TYPE_CHECKING:
    import pandas as pd

KEY = "train-probe"
POLL = 2.0  # seconds between looks into the folder of a running run

EMPTY = """
#### No run yet

A run appears here as soon as it starts, and this page follows it. On a laptop, for instance:

```
dista train --preset digits --data digits
dista train --preset match_map --data match
```

Runs are looked for in the folder `{folder}`; the variable `DISTA_RUNS` names another one.
"""


def show() -> None:
    problems: list[str] = []
    runs = {run.name: run for run in find(state.runs_folder())}
    if not runs:
        st.markdown(EMPTY.format(folder=state.runs_folder()))
        return
    run = controls.choose_run(runs, problems)
    state.place(problems)
    if problems:
        st.warning(" ".join(problems))
    running = run.status()["state"] == "running"
    every = POLL if running else None
    with st.container(key="live"), state.plain_errors():
        check(run)
        st.fragment(follow, run_every=every)(run, running)
        st.fragment(show_snapshot, run_every=every)(run)


def check(run: Run) -> None:
    """RunError, in one plain sentence, where the run cannot be shown at all."""
    try:
        _ = run.config
    except RunError as error:
        raise RunError(
            f"the run {run.name} cannot be shown: its config.json is damaged, or of another version"
        ) from error


def follow(run: Run, was_running: bool) -> None:
    """Progress and curves; called again every few seconds while the run is running."""
    status = run.status()
    running = status["state"] == "running"
    if was_running and not running:
        st.rerun(scope="app")  # the last look was at a live run: stop polling, show what it came to
    with state.plain_errors():
        show_progress(run, status)
        epochs, neurons = read(run, "epochs"), read(run, "neurons")
        show_curves(run, epochs, neurons, running)
        show_layers(neurons)


def read(run: Run, table: str) -> pd.DataFrame:
    """A table of the run, or a sentence why it cannot be read."""
    try:
        return run.table(table)
    except (ValueError, OSError) as error:
        raise RunError(
            f"{run.path / table}.jsonl is damaged and cannot be read; the rest of the run may be whole"
        ) from error


# Progress ---------------------------------------------------------------------------------------


def show_progress(run: Run, status: dict) -> None:
    config = run.config
    epochs, steps = config.training.epochs, status.get("steps")
    epoch, step = status.get("epoch", 0), status.get("step", 0)
    done = step / steps if steps else epoch / epochs
    said = {
        "running": f"Epoch {min(epoch + 1, epochs)} of {epochs}, step {step}"
        + (f" of {steps}." if steps else "."),
        "finished": f"Finished after {epochs} epochs and {step} steps.",
        "stopped": f"Stopped in epoch {min(epoch + 1, epochs)} of {epochs}.",
        "crashed": f"Ended early in epoch {min(epoch + 1, epochs)} of {epochs}.",
    }[status["state"]]
    if status.get("reason"):
        said += f" Reason: {status['reason']}."
    st.progress(min(1.0, done), text=f"**{config.preset or run.name}** on {config.data}. {said}")


# Curves -----------------------------------------------------------------------------------------


def show_curves(run: Run, epochs: pd.DataFrame, neurons: pd.DataFrame, running: bool) -> None:
    """Live charts keep zoom and selection over updates; finished runs get the package's figures."""
    if running:
        show_live_curves(read(run, "steps"), epochs, neurons)
    elif epochs.empty:
        st.info("The run ended before its first epoch was complete; there is nothing to plot.")
    else:
        show_figures(run, epochs, neurons)


def show_live_curves(steps: pd.DataFrame, epochs: pd.DataFrame, neurons: pd.DataFrame) -> None:
    drawn = [
        ("Loss by training step", charts.loss(steps), "live-loss"),
        ("Validation accuracy by epoch", charts.accuracy(epochs), "live-accuracy"),
        ("Time constants by epoch, steps", charts.layers(neurons, "tau"), "live-tau"),
        ("Spikes per neuron and step", charts.layers(neurons, "rate"), "live-rate"),
    ]
    for column, (title, chart, key) in zip(st.columns(4), drawn):
        with column.container(border=True, key=f"card-{key}"):
            st.markdown(f"**{title}**")
            if chart is None:
                st.caption("Measured after the first epoch.")
            else:
                st.altair_chart(chart, key=key)


def show_figures(run: Run, epochs: pd.DataFrame, neurons: pd.DataFrame) -> None:
    from dista import figures

    theme = state.theme()
    drawn = [
        figures.learning_curves(epochs, theme=theme),
        figures.tau_history(neurons, theme=theme),
        figures.rate_history(neurons, theme=theme),
    ]
    for column, figure, name in zip(st.columns(3), drawn, ("learning", "tau", "rate")):
        column.plotly_chart(figure, key=f"done-{name}-{run.name}", theme=None, config=charts.PLOTLY)


def show_layers(neurons: pd.DataFrame) -> None:
    """Name the layers that stay silent or always fire, in words."""
    if neurons.empty:
        return
    for sentence in charts.unusual_layers(neurons):
        st.markdown(sentence)


# The probe sample, epoch by epoch -----------------------------------------------------------------


def show_snapshot(run: Run) -> None:
    """The probe on the sample that the run records after every epoch."""
    with state.plain_errors():
        probe_epoch(run)


def probe_epoch(run: Run) -> None:
    epochs = run.snapshots()
    if not epochs:
        st.caption("The recording of the probe sample appears with the first snapshot.")
        return
    epoch = controls.choose_epoch(epochs)
    try:
        payload = state.snapshot_payload(run, epoch)
    except (ValueError, KeyError, OSError) as error:
        raise RunError(
            f"the recording of epoch {epoch} in {run.path} is damaged and cannot be shown"
        ) from error
    remember = partial(state.remember_place, KEY, run=run.name)
    probe(payload, key=KEY, state=state.place([]), on_change=remember)


show()
