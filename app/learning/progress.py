"""How far a run is, and the buttons that stop it and go on with it."""

from __future__ import annotations

import streamlit as st

from app.link import permission, plain
from app.trainings import processes
from dista.runs import Run, RunError, Status, background
from dista.style import sentences


def continuing(run: Run) -> bool:
    """Whether this reader has asked that the run goes on, and it does not yet."""
    return st.session_state.get("continuing") == run.name


def show(run: Run, status: Status) -> None:
    config = run.config
    epochs, steps = config.training.epochs, status.steps
    done = status.step / steps if steps else status.epoch / epochs
    said = sentences.progress(status.state, status, epochs, status.reason)
    complaint = background.complaint(run.path)
    name, data, said = map(plain.text, (config.preset or run.name, config.data_title, said))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(1.0, done), text=f"**{name}** on {data}. {said}")
        if not permission.training():
            pass  # to look is all
        elif status.state == "running":
            st.button("Stop", icon=":material/stop:", on_click=stop, args=(run,))
        elif status.state != "finished":
            label = "Starting" if continuing(run) and not complaint else "Continue"
            st.button(
                label, icon=":material/play_arrow:", on_click=go_on, args=(run,),
                disabled=label == "Starting",
            )  # fmt: skip
    if continuing(run) and complaint:
        plain.error(f"The training did not go on: {complaint}")
    for sentence in st.session_state.pop("asked", []):
        st.toast(plain.text(sentence))


def stop(run: Run) -> None:
    """Ask the run to end; it finishes its step and saves first."""
    permission.check_training()
    try:
        run.ask_to_stop()
        st.session_state["asked"] = ["The training finishes its step, saves, and stops."]
    except RunError as error:
        st.session_state["asked"] = [str(error)]


def go_on(run: Run) -> None:
    processes.go_on(run.path)
    st.session_state["continuing"] = run.name
    st.session_state["asked"] = ["The training goes on from its last saved state in some seconds."]
