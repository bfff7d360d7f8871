"""Checkpoints and recordings anywhere on the server, for readers who sit at it.

Paths are opened, never listed, and only for those whom ``permission`` allows it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from app.inputs import checkpoints
from app.link import permission, plain, url
from dista.checkpoint import CONFIG, WEIGHTS
from dista.runs import Run, RunError

OFF = (
    "The link names a path on the server, which is for who sits at it or came by the link with a token "
    f"that its start printed; {permission.OWN_PATHS}=1 allows it to everybody."
)


# What -------------------------------------------------------------------------------------------


class RecordingFile(NamedTuple):
    """A recording on the server, for pages that need no model."""

    name: str
    path: str


def source(problems: list[str]) -> checkpoints.Checkpoint | RecordingFile | None:
    """What the ``path`` in the URL leads to; None, and a sentence, where that is nothing or not allowed."""
    text = url.text("path")
    if not text:
        return None
    if not permission.own_paths():
        problems.append(OFF)
        return None
    try:
        return source_at(text)
    except (ValueError, OSError) as error:
        problems.append(plain.sentence(error))
        return None


def source_at(text: str) -> checkpoints.Checkpoint | RecordingFile:
    """A checkpoint's folder, a run's folder (its best checkpoint), or a recording; else ValueError."""
    path = Path(os.path.expanduser(text))  # pathlib raises where there is no such user
    best = path / "checkpoints" / "best"
    if (best / WEIGHTS).is_file():
        path = best
    if (path / CONFIG).is_file() and (path / WEIGHTS).is_file():
        checkpoint = checkpoints.checkpoint_at(text, path, _root(path))
        if checkpoint.task is None:
            raise ValueError(f"the card of {text} does not say on which task it was trained")
        return checkpoint
    if path.name.endswith((".zarr", ".zarr.zip")) and path.exists():
        return RecordingFile(text, str(path))
    raise ValueError(
        f"{text} is neither a checkpoint's folder (with {CONFIG} and {WEIGHTS}) "
        "nor a recording (.zarr or .zarr.zip)"
    )


def _root(path: Path) -> str | None:
    """The folder of the task's files that the run of this checkpoint used; None where it is of none."""
    try:
        return Run(path.parent.parent).config.data_root
    except RunError:
        return None


def in_url(checkpoint: checkpoints.Checkpoint) -> dict[str, Any]:
    """What of the URL names this checkpoint."""
    own = checkpoint.name == url.text("path")
    return {"path" if own else "checkpoint": checkpoint.name}


def offer() -> None:
    """A field for a path, where that is allowed."""
    if not permission.own_paths():
        return
    with st.popover("Path", help="A checkpoint or a recording on this server"):
        st.session_state["own-path"] = url.text("path") or ""
        st.text_input(
            "Path on the server",
            key="own-path",
            placeholder="runs/… or one.zarr.zip",
            on_change=_to_url,
            help="A checkpoint's folder, a run's folder, or a recording; it is only read.",
        )


def _to_url() -> None:
    text = st.session_state["own-path"].strip()
    url.write(checkpoint=None, path=text or None)
