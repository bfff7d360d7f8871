"""The form that starts a study: a shipped grid, or one's own text; its cost is measured before it begins."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from app.link import plain, url
from app.page import downloads
from app.studies import sweeps
from dista.runs import default_folder
from dista.studies import grid as grids
from dista.studies.grid import Grid, GridError

TEXT, NAME, OPEN = "new-study-text", "new-study-name", "new-study"
_FILE = "new-study-file"


def offer(problems: list[str]) -> None:
    """A part that opens, with what a study needs: its grid as text, its name, and how many train side by side."""
    with st.popover(
        "New study", icon=":material/add:", key=OPEN, on_change="rerun", width="content"
    ):
        _choose_grid(problems)
        name = downloads.file_name(st.session_state[NAME])
        workers = _choose_workers(problems)
        text = st.session_state[TEXT]
        try:
            grid = grids.parse(text, f"{name}.yml")
        except GridError as error:
            plain.error(plain.sentence(error))
            return
        if (default_folder() / name).exists():
            st.caption(f"{plain.text(name)} is there: only what its grid has more is trained.")
        st.markdown(plain.text(_said(grid)))
        _start(name, text, workers)


def _said(grid: Grid) -> str:
    configurations = len(grid.configurations())
    return (
        f"{configurations} configurations × {len(grid.seeds)} seeds: {configurations * len(grid.seeds)} runs of "
        f"{grid.preset} on {grid.data}. All others are compared with {grid.baseline}."
    )


def _choose_grid(problems: list[str]) -> None:
    """A shipped grid fills the text, and so does a file; the text is what counts."""
    names = sorted(path.stem for path in grids.SHIPPED.glob("*.yml"))
    grid = url.choice("new-grid", names, "match-ablation", problems)
    if st.session_state.get("new-study-of") != grid:
        st.session_state["new-study-of"] = grid
        st.session_state[TEXT] = grids.find(grid).read_text("utf-8")
        st.session_state[NAME] = grid
    st.selectbox("Begin with", names, **url.bound("new-grid", grid))
    st.file_uploader("or with a file", type=["yml", "yaml"], key=_FILE, on_change=_uploaded)
    st.text_area("Grid", key=TEXT, height=260)
    st.text_input("Name of the study", key=NAME)


def _uploaded() -> None:
    file = st.session_state[_FILE]
    if file is not None:
        st.session_state[TEXT] = file.getvalue()[:100_000].decode("utf-8", "replace")
        st.session_state[NAME] = downloads.file_name(Path(file.name).stem)


def _choose_workers(problems: list[str]) -> int:
    most = max(1, os.cpu_count() or 1)
    workers = min(max(1, url.number("new-workers", 1, problems)), most)
    st.number_input("Trainings side by side", 1, most, **url.bound("new-workers", workers))
    return workers


@st.fragment(run_every=2.0)
def _start(name: str, text: str, workers: int) -> None:
    """First the cost, then the button: nobody is to start two days of work by a click."""
    cost = sweeps.cost(name, text, workers)
    asked = st.session_state.get("cost-asked") == (name, text, workers)
    if isinstance(cost, str):
        plain.error(f"It cannot be trained: {cost}")
    elif cost is not None:
        st.markdown(
            f"**About {_hours(cost.hours)}**: {cost.left} of {cost.runs} runs are left, {_hours(cost.worker_hours)} "
            "of one training at a time, by steps measured on this machine and runs that are finished."
        )
        command = f"dista sweep {name}.yml --workers {workers}"
        st.caption(
            "It outlives this page. The same in a terminal, with the text above in that file:"
        )
        st.code(command, language="sh", wrap_lines=True)
        st.button("Start the study", type="primary", on_click=_begin, args=(name, text, workers))
        return
    if cost is None and asked:
        st.info("A step of each configuration is being measured; that takes a minute or two.")
        return
    st.button("Measure its cost", on_click=_measure, args=(name, text, workers))


def _hours(hours: float) -> str:
    return f"{hours:.1f} hours" if hours >= 1 else f"{max(1, round(60 * hours))} minutes"


def _measure(name: str, text: str, workers: int) -> None:
    sweeps.measure(name, text, workers)
    st.session_state["cost-asked"] = (name, text, workers)


def _begin(name: str, text: str, workers: int) -> None:
    sweeps.start(name, text, workers)
    url.write(study=name, selected=None)
    st.session_state["study-starting"] = name
    st.session_state[OPEN] = False
