"""Every checkpoint that a page can run: the shipped ones, and the best one of every run."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import run_files
import state
import streamlit as st
import url

from dista.checkpoint import CARD, CONFIG, WEIGHTS, assets
from dista.runs import Run, find


def known() -> dict[str, state.Checkpoint]:
    """Shipped checkpoints by name, then those of runs by path, newest first; damaged ones are left out."""
    found = dict(state.checkpoints())
    for run in find(run_files.folder()):
        if checkpoint := best(run):
            found[checkpoint.name] = checkpoint
    return {name: one for name, one in found.items() if one.task}


def best(run: Run) -> state.Checkpoint | None:
    """The best checkpoint of a run, its path as its name; None while there is none to be read."""
    path = run.checkpoint("best")
    if not (path / WEIGHTS).is_file():
        return None
    files = (path / CONFIG, path / CARD, run.path / CONFIG)
    changed = tuple(file.stat().st_mtime for file in files if file.is_file())
    return _best(str(run.path), changed)


@st.cache_data(show_spinner=False, max_entries=512)
def _best(path: str, changed: tuple[float, ...]) -> state.Checkpoint | None:
    with contextlib.suppress(ValueError, OSError):
        run = Run(path)
        found = run.checkpoint("best")
        return state.checkpoint_at(str(found), found, run.config.data_root)
    return None


def default(options: Mapping[str, state.Checkpoint]) -> str:
    """The checkpoint of the shipped recording, with which a page opens at once; or the first one."""
    first = state.first_light()
    preferred = first.attrs.get("model") if first is not None else "match-map"
    return preferred if preferred in options else next(iter(options))


def title(checkpoint: state.Checkpoint) -> str:
    """What a chooser says of a checkpoint: its title, after the name of its run or folder."""
    path = Path(checkpoint.path)
    if path.parent == assets():
        return checkpoint.title
    parts = path.parts
    owner = parts[-3] if parts[-2:] == ("checkpoints", "best") else parts[-1]
    return f"{owner}: {checkpoint.title}"


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
