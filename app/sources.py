"""Every checkpoint that a page can run: the shipped ones, and the best one of every run."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import state
import streamlit as st
import url

from dista.checkpoint import WEIGHTS
from dista.runs import Run, find


def known() -> dict[str, state.Checkpoint]:
    """Shipped checkpoints by name, then those of runs by path, newest first; damaged ones are left out."""
    found = dict(state.checkpoints())
    for run in find(state.runs_folder()):
        if checkpoint := best(run):
            found[checkpoint.name] = checkpoint
    return {name: one for name, one in found.items() if one.task}


def best(run: Run) -> state.Checkpoint | None:
    """The best checkpoint of a run, its path as its name; None while there is none to be read."""
    path = run.checkpoint("best")
    if (path / WEIGHTS).is_file():
        with contextlib.suppress(ValueError, OSError):
            return state.checkpoint_at(str(path), path)
    return None


def title(checkpoint: state.Checkpoint) -> str:
    """What a chooser says of a checkpoint: its title, after the name of its run if it is of one."""
    if checkpoint.name in state.checkpoints():
        return checkpoint.title
    return f"{checkpoint.name.split('/')[-3]}: {checkpoint.title}"


def choose(
    name: str, label: str, options: Mapping[str, state.Checkpoint], default: str, problems: list[str]
) -> state.Checkpoint:  # fmt: skip
    """A select box over ``options``, in the URL as ``name``."""
    chosen = url.choice(name, list(options), default, problems)
    st.selectbox(
        label, list(options), format_func=lambda option: title(options[option]),
        label_visibility="collapsed", width=380, **url.bound(name, chosen),
    )  # fmt: skip
    return options[chosen]
