"""Every checkpoint that a page can run: the shipped ones, and the best one of every run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from app.computed import state
from app.link import url
from app.trainings import run_tables
from dista.checkpoint import CARD, CONFIG, WEIGHTS, assets
from dista.runs import Run, find


def known() -> dict[str, state.Checkpoint]:
    """Shipped checkpoints by name, then those of runs by path, newest first.

    For those that are left out see ``show_damaged``.
    """
    found = dict(state.checkpoints())
    for run in find(run_tables.folder()):
        if checkpoint := best(run):
            found[checkpoint.name] = checkpoint
    return {name: one for name, one in found.items() if one.task}


def damaged() -> dict[str, str]:
    """Why a checkpoint cannot be chosen, by its name."""
    left_out = dict(state.damaged())
    for run in find(run_tables.folder()):
        if reason := _read_best(run)[1]:
            left_out[run.name] = reason
    named = state.checkpoints()
    return left_out | {name: "Its card names no task." for name in named if not named[name].task}


def show_damaged() -> None:
    """A popover with what cannot be chosen, where there is something."""
    if left_out := damaged():
        with st.popover(f"{len(left_out)} damaged", icon=":material/warning:", type="tertiary"):
            for name, reason in left_out.items():
                st.text(f"{name}: {reason}")


def best(run: Run) -> state.Checkpoint | None:
    """The best checkpoint of a run, its path as its name; None while there is none to be read."""
    return _read_best(run)[0]


def _read_best(run: Run) -> tuple[state.Checkpoint | None, str | None]:
    """The best checkpoint of a run, or why it cannot be read; neither while there is none."""
    path = run.checkpoint("best")
    if not (path / WEIGHTS).is_file():
        return None, None
    return _best(str(run.path), state.times(path / CONFIG, path / CARD, run.path / CONFIG))


@st.cache_data(show_spinner=False, max_entries=512)
def _best(path: str, changed: tuple[float, ...]) -> tuple[state.Checkpoint | None, str | None]:
    try:
        run = Run(path)
        found = run.checkpoint("best")
        return state.checkpoint_at(str(found), found, run.config.data_root), None
    except (ValueError, OSError) as error:
        return None, state.sentence(error)


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
