"""How far a study is: a grid of states, configuration by seed; and the buttons that stop it and go on with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.link import permission, plain
from app.page import run_states
from app.studies import reading, sweeps
from dista.runs import RunError, background
from dista.studies.places import is_shipped

if TYPE_CHECKING:
    from dista.runs import Status
    from dista.studies.study import Planned

POLL = 5.0  # seconds between looks at a study that is being trained
ROW = 31  # pixels of a row of the table
LEGEND = "✓ finished, with its accuracy on the test samples · ● running · ■ stopped · ◆ crashed · – not begun"


def show(path: Path) -> None:
    """The study's states, looked at again while it is trained."""
    active = bool(sweeps.working(path)) or any(_is_running(run) for run in _planned(path))
    st.fragment(follow, run_every=POLL if active or _starting(path) else None)(path, active)


def follow(path: Path, was_active: bool) -> None:
    runs = _planned(path)
    working = bool(sweeps.working(path))
    active = working or any(_is_running(run) for run in runs)
    if active != was_active:
        st.session_state.pop("study-starting", None)
        st.rerun(scope="app")  # one that is trained is looked at again and again, another is not
    finished = sum(run.finished for run in runs)
    name = plain.text(path.name)
    with st.container(horizontal=True, vertical_alignment="center"):
        said = f"**{name}**: {finished} of {len(runs)} runs are finished, {whole_seeds(runs)}."
        st.progress(finished / len(runs), text=said)
        _buttons(path, active, finished < len(runs))
    if not active and (complaint := background.complaint(path)):
        plain.error(f"The sweep ended: {complaint}")
    table = states(path, runs)
    rows = 1 + len(table["configuration"])
    with st.container(height=rows * ROW, border=False, key="room-states"):
        st.table(table)
    st.caption(LEGEND)


def whole_seeds(runs: list[Planned]) -> str:
    """How many seeds are finished in all configurations: those can be compared."""
    seeds = {run.seed for run in runs}
    done = [seed for seed in seeds if all(run.finished for run in runs if run.seed == seed)]
    return f"{len(done)} of {len(seeds)} seeds in all configurations"


def states(path: Path, runs: list[Planned]) -> dict[str, list[str]]:
    """A row for each configuration, a column for each seed."""
    accuracies = reading.results(path).accuracies
    names = list(dict.fromkeys(run.configuration.name for run in runs))
    table = {"configuration": [plain.text(name) for name in names]}
    for run in runs:
        reached = accuracies.get(run.configuration.name)
        accuracy = None
        if reached and run.seed in reached.seeds:
            accuracy = float(reached.accuracy[reached.seeds.index(run.seed)])
        table.setdefault(f"seed {run.seed}", []).append(_cell(run, accuracy))
    return table


def _cell(run: Planned, accuracy: float | None) -> str:
    try:
        status = run.status()
    except RunError:
        return run_states.badge("crashed", "another run")
    if status is None:
        return "–"
    if status.state == "finished":
        said = "no answers yet" if accuracy is None else f"{100 * accuracy:.1f} %"
    else:
        said = f"{100 * _done(status, run):.0f} %"
    return run_states.badge(status.state, said)


def _done(status: Status, run: Planned) -> float:
    if status.steps:
        return status.step / status.steps
    return status.epoch / run.config.training.epochs


def _planned(path: Path) -> list[Planned]:
    return reading.study(path).planned()


def _is_running(run: Planned) -> bool:
    try:
        status = run.status()
    except RunError:
        return False
    return status is not None and status.state == "running"


def _starting(path: Path) -> bool:
    return st.session_state.get("study-starting") == path.name


# Buttons ------------------------------------------------------------------------------------------


def _buttons(path: Path, active: bool, left: bool) -> None:
    if not permission.training() or is_shipped(path):
        return
    if active:
        st.button("Stop", icon=":material/stop:", key="stop-study", on_click=_stop, args=(path,))
    elif left and _starting(path):
        st.button("Starting", icon=":material/play_arrow:", key="go-on-study", disabled=True)
    elif left:
        workers = max(1, (os.cpu_count() or 2) // 2)
        said = f"{workers} training{'s' * (workers != 1)} side by side; what is finished is not repeated"
        st.button(
            "Continue", icon=":material/play_arrow:", key="go-on-study", help=said,
            on_click=_go_on, args=(path, workers),
        )  # fmt: skip
    if said := st.session_state.pop("study-asked", None):
        st.toast(plain.text(said))


def _stop(path: Path) -> None:
    asked = sweeps.stop(path)
    st.session_state["study-asked"] = (
        "Each training finishes its step, saves, and stops."
        if asked
        else "Nothing of it runs at this moment: it is between two runs, or has ended."
    )


def _go_on(path: Path, workers: int) -> None:
    sweeps.go_on(path, workers)
    st.session_state["study-starting"] = path.name
    st.session_state["study-asked"] = "The sweep goes on in some seconds, with what is left."
