"""What of a new run's model is chosen in the form: memory, window, taus, denoiser, depth and steps.

Only what differs from the preset is handed on, as ``--set``: the command in the form stays as short as it can be.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.link import url
from dista.config import ConfigError, ModelConfig
from dista.denoisers import DENOISERS
from dista.memories import FORMS

MOST_DEPTH, MOST_STEPS, MOST_TAU = 8, 32, 20.0
STEPS_OF_TASK = ("match",)  # whose number of steps is the task's own


def choose(preset: ModelConfig, task: str, problems: list[str]) -> dict[str, Any]:
    """The fields of the model that are set otherwise than in the preset, by their dotted names.

    Each is in the URL as ``new-`` and its name. What is impossible together is said, and nothing is returned of it.
    """
    with st.expander("Memory, time constants, denoiser, size", **url.opened("new-model")):
        left, right = st.columns(2)
        with left:
            wanted = _memory(preset, problems)
            wanted |= _steps(preset, task, problems)
        with right:
            wanted |= _denoiser(preset, problems)
            wanted |= _neurons_and_depth(preset, problems)
    return {name: value for name, value in wanted.items() if value != _of(preset, name)}


def _of(config: ModelConfig, name: str) -> Any:
    for part in name.split("."):
        config = getattr(config, part)
    return config


def check(preset: ModelConfig, changes: dict[str, Any]) -> str | None:
    """Why there is no such model; None where there is."""
    try:
        preset.changed(changes)
    except ConfigError as error:
        return str(error)
    return None


def _memory(preset: ModelConfig, problems: list[str]) -> dict[str, Any]:
    form = url.choice("new-memory", list(FORMS), preset.memory.form, problems)
    st.selectbox(
        "Attention's memory", list(FORMS), format_func=lambda name: FORMS[name].title,
        **url.bound("new-memory", form),
    )  # fmt: skip
    if form == "none":
        return {"memory.form": form, "memory.window": 1}
    most = max(preset.time_steps, preset.memory.window, 2)
    usual = preset.memory.window if preset.memory.window > 1 else most
    window = min(max(1, url.number("new-window", usual, problems)), MOST_STEPS)
    st.number_input(
        "Its window, steps", 1, MOST_STEPS, step=1, help="1 is the current step alone.",
        **url.bound("new-window", window),
    )  # fmt: skip
    return {"memory.form": form, "memory.window": window}


def _steps(preset: ModelConfig, task: str, problems: list[str]) -> dict[str, Any]:
    if task in STEPS_OF_TASK:
        return {}
    steps = min(max(1, url.number("new-steps", preset.time_steps, problems)), MOST_STEPS)
    st.number_input("Time steps", 1, MOST_STEPS, step=1, **url.bound("new-steps", steps))
    return {"time_steps": steps}


def _denoiser(preset: ModelConfig, problems: list[str]) -> dict[str, Any]:
    kinds = ["threshold", "none"]
    kind = preset.denoiser.kind if preset.denoiser.kind in kinds else kinds[0]
    kind = url.choice("new-denoiser", kinds, kind, problems)
    st.selectbox(
        "Denoiser", kinds, **url.bound("new-denoiser", kind),
        format_func=lambda name: "keeps counts above u" if name == "threshold" else DENOISERS[name].title(0.0),
    )  # fmt: skip
    if kind == "none":
        return {"denoiser.kind": kind}
    u = min(url.number("new-u", int(preset.denoiser.u), problems), preset.head_dim)
    st.number_input("u", 0, preset.head_dim, step=1, **url.bound("new-u", u))
    return {"denoiser.kind": kind, "denoiser.u": float(u)}


def _neurons_and_depth(preset: ModelConfig, problems: list[str]) -> dict[str, Any]:
    tau = url.real("new-tau", preset.neuron.tau, 1.01, MOST_TAU, problems)
    st.number_input(
        "tau at the start, steps", 1.01, MOST_TAU, step=0.5, **url.bound("new-tau", tau)
    )
    depth = min(max(1, url.number("new-depth", preset.depth, problems)), MOST_DEPTH)
    st.number_input("Blocks", 1, MOST_DEPTH, step=1, **url.bound("new-depth", depth))
    return {"neuron.tau": tau, "depth": depth}
