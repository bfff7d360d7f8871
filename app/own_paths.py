"""Checkpoints and recordings anywhere on the server, for readers who sit at it.

Paths are opened, never listed. They are offered only where the dashboard is served to localhost, or
where the variable DISTA_OWN_PATHS says 1.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import state
import streamlit as st
import url

from dista.checkpoint import CONFIG, WEIGHTS
from dista.runs import Run, RunError

OFF = (
    "The link names a path on the server, and own paths are switched off here; "
    "DISTA_OWN_PATHS=1 switches them on."
)
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


# Whether ----------------------------------------------------------------------------------------


def offered(
    setting: str | None, address: str | None, peer: str | None, headers: Mapping[str, str]
) -> bool:
    """Whether a reader may name paths: who sits at the server may, unless ``setting`` says 0 or 1.

    ``address`` is what the server listens at (None: everywhere), ``peer`` whom the request came from,
    ``headers`` those of the request. Host must be a name of this machine, so that no other page can
    stand in for it; and nobody else may be able to reach the server, or have sent this request. What a
    proxy passed on came from somewhere else.
    """
    if setting in ("0", "1"):
        return setting == "1"
    if any(name in headers for name in _FORWARDED):
        return False
    host = headers.get("Host", "")
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return local(name) and (local(address) if address else local(peer))


def local(name: str | None) -> bool:
    """Whether a host's name or address means this machine."""
    if not name:
        return False
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def allowed() -> bool:
    """``offered`` for the session that asks."""
    setting, address = os.environ.get("DISTA_OWN_PATHS"), st.get_option("server.address")
    headers = {name.title(): value for name, value in st.context.headers.items()}
    peer = st.context.ip_address or "127.0.0.1"  # streamlit says None for loopback
    return offered(setting, address, peer, headers)


# What -------------------------------------------------------------------------------------------


class Recorded(NamedTuple):
    """A recording on the server, for pages that need no model."""

    name: str
    path: str


def chosen(problems: list[str]) -> state.Checkpoint | Recorded | None:
    """What the ``path`` in the URL leads to; None, and a sentence, where that is nothing or not allowed."""
    text = st.query_params.get("path")
    if not text:
        return None
    if not allowed():
        problems.append(OFF)
        return None
    try:
        return opened(text)
    except (ValueError, OSError) as error:
        problems.append(state.sentence(error))
        return None


def opened(text: str) -> state.Checkpoint | Recorded:
    """A checkpoint's folder, a run's folder (its best checkpoint), or a recording; else ValueError."""
    path = Path(os.path.expanduser(text))  # pathlib raises where there is no such user
    best = path / "checkpoints" / "best"
    if (best / WEIGHTS).is_file():
        path = best
    if (path / CONFIG).is_file() and (path / WEIGHTS).is_file():
        checkpoint = state.checkpoint_at(text, path, _root(path))
        if checkpoint.task is None:
            raise ValueError(f"the card of {text} does not say on which task it was trained")
        return checkpoint
    if path.name.endswith((".zarr", ".zarr.zip")) and path.exists():
        return Recorded(text, str(path))
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


def in_url(checkpoint: state.Checkpoint) -> dict[str, Any]:
    """What of the URL names this checkpoint."""
    own = checkpoint.name == st.query_params.get("path")
    return {"path" if own else "checkpoint": checkpoint.name}


def offer() -> None:
    """A field for a path, where that is allowed."""
    if not allowed():
        return
    with st.popover("Path", help="A checkpoint or a recording on this server"):
        st.session_state["own-path"] = st.query_params.get("path", "")
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
