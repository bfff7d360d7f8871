"""Where the files of a task are on this server, and whether they are still those that were read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import streamlit as st

AGAIN = 15.0
"""Seconds after which it is asked again whether files have changed: there may be 60,000 of them."""


def folder_of(task: str, root: str | None) -> str | None:
    """The folder of the task's files, ``root`` or the one below $DISTA_DATA; None where there is neither."""
    above = os.environ.get("DISTA_DATA")
    folders = [root, str(Path(above, task)) if above else None]
    return next((one for one in folders if one and Path(one).is_dir()), None)


@st.cache_data(show_spinner=False, ttl=AGAIN, max_entries=16)
def version(folder: str) -> str:
    """What changes when a file below ``folder`` is written, replaced, added or removed."""
    digest = hashlib.sha256()
    for base, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(base, name)
            try:
                facts = os.stat(path)
            except OSError:  # gone meanwhile, or a link that leads nowhere
                continue
            digest.update(f"{path}\0{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}\n".encode())
    return digest.hexdigest()[:16]
