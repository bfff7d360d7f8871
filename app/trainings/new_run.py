"""The form that starts a training."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import streamlit as st

import dista.data
from app.link import plain, url
from app.trainings import new_model, processes
from dista.presets import preset, presets
from dista.runs import background, default_folder

OPEN = "new-run"
_FREEZE = {"none": "synapses and taus", "taus": "synapses only", "synapses": "taus only"}


def offer(problems: list[str]) -> None:
    """A popover with what a run needs; its choices are in the URL, as ``new-`` and their name."""
    with st.popover("New run", icon=":material/add:", key=OPEN, on_change="rerun"):
        options = _choices(problems)
        st.caption(
            "It trains in a process of its own: closing this page does not end it. The run is written "
            f"into the folder {plain.path(default_folder())}. The same in a terminal:"
        )
        words = " ".join(
            f"--{name} {value}" for name, values in options.items() for value in _several(values)
        )
        st.code(f"dista train {words}", language="sh", wrap_lines=True)
        changed = dict(
            word.removeprefix("model.").split("=")
            for word in options["set"]
            if word.startswith("model.")
        )
        wrong = new_model.check(
            preset(options["preset"]), {n: json.loads(v) for n, v in changed.items()}
        )
        if wrong:
            plain.error(wrong)
        st.button(
            "Start training", type="primary", on_click=_start, args=(options,), disabled=bool(wrong)
        )


def _choices(problems: list[str]) -> dict:
    names = [name for name in presets() if _tasks(name)]
    model = url.choice("new-preset", names, "digits", problems)
    st.selectbox("Model", names, **url.bound("new-preset", model))
    tasks = _tasks(model)
    data = url.choice("new-data", tasks, tasks[0], [])  # of another model: silently the first
    st.selectbox("Data", tasks, **url.bound("new-data", data))
    changes = new_model.choose(preset(model), data, problems)
    freeze = url.choice("new-freeze", list(_FREEZE), "none", problems)
    st.segmented_control(
        "What learns", list(_FREEZE), format_func=_FREEZE.get, required=True,
        **url.bound("new-freeze", freeze),
    )  # fmt: skip
    left, middle, right = st.columns(3)
    epochs = max(1, url.number("new-epochs", 12, problems))
    left.number_input("Epochs", min_value=1, step=1, **url.bound("new-epochs", epochs))
    minutes = max(1, url.number("new-minutes", 30, problems))
    middle.number_input("Minutes at most", min_value=1, step=5, **url.bound("new-minutes", minutes))
    seed = url.number("new-seed", 0, problems)
    right.number_input("Seed", min_value=0, step=1, **url.bound("new-seed", seed))
    every = url.number("new-film", 0, problems)
    st.number_input(
        "Steps an epoch, 0 for all of the data", min_value=0, step=10, **url.bound("new-film", every),
        help="After each epoch accuracy is measured and the film gets a picture: with 20, say, every 20 steps.",
    )  # fmt: skip
    return {
        "preset": model, "data": data, "epochs": epochs, "minutes": minutes, "seed": seed,
        "freeze": None if freeze == "none" else freeze,
        "set": [f"model.{name}={json.dumps(value)}" for name, value in changes.items()]
        + ([f"epoch_steps={every}"] if every else []),
    }  # fmt: skip


def _several(value: Any) -> list[Any]:
    """The values of an option that may be there several times, or not at all."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _tasks(name: str) -> list[str]:
    """The tasks that fit a preset and whose files are here."""
    config = preset(name)
    base = os.environ.get("DISTA_DATA")
    return [
        task
        for task in dista.data.fitting(config.input_shape, config.classes)
        if task not in dista.data.FROM_FILES or (base and (Path(base) / task).is_dir())
    ]


def _start(options: dict) -> None:
    run = processes.start(default_folder(), options)
    url.write(run=run.name, epoch=None)
    st.session_state["starting"] = run.name
    st.session_state[OPEN] = False


@st.fragment(run_every=1.0)
def wait() -> None:
    """Say that a run is starting, until it is there or has failed."""
    name = st.session_state["starting"]
    there = (default_folder() / name / "config.json").is_file()
    said = None if there else background.complaint(default_folder() / name)
    if said:
        st.session_state["start-failed"] = said
        url.write(run=None)
    if there or said:
        del st.session_state["starting"]
        st.rerun(scope="app")
    st.info(f"Starting {plain.text(name)}: loading libraries and data takes some ten seconds.")


def starting() -> bool:
    """Whether a run of this reader's is starting; says so, or why it did not."""
    if said := st.session_state.pop("start-failed", None):
        plain.error(f"The training did not start: {said}")
    if "starting" in st.session_state:
        wait()
        return True
    return False
