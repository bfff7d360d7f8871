"""Recordings of events that readers bring: read safely, and kept on a shelf under their content."""

from __future__ import annotations

import base64
import hashlib
import io
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st

SUFFIXES = (
    ".bin",
    ".npy",
    ".npz",
    ".aedat",
    ".aedat4",
)  # of dista's reader, which would load torch
MOST_EVENTS = 2_000_000  # of one recording
_SHELF_EVENTS = 3 * MOST_EVENTS  # of all of them, about 100 MB

_COMPACT = np.dtype([("x", np.int32), ("y", np.int32), ("t", np.int64), ("p", np.uint8)])


class EventFile(NamedTuple):
    """A file's name and its events, ordered by time: fields x, y, t (microseconds), p."""

    name: str
    events: np.ndarray


class Shelf:
    """Files by a hash of their events; the oldest go when there are too many events."""

    def __init__(self, most: int = _SHELF_EVENTS) -> None:
        self._most, self._files, self._lock = most, {}, threading.Lock()

    def keep(self, file: EventFile) -> str:
        """The key under which the file is kept."""
        key = hashlib.sha256(file.events.tobytes()).hexdigest()[:12]
        with self._lock:
            self._files.pop(key, None)
            self._files[key] = file
            while len(self._files) > 1 and self._events() > self._most:
                del self._files[next(iter(self._files))]
        return key

    def get(self, key: str) -> EventFile | None:
        return self._files.get(key)

    def _events(self) -> int:
        return sum(len(one.events) for one in self._files.values())


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """The shelf of this server, which is empty again when it restarts."""
    return Shelf()


def read(name: str, content: bytes) -> EventFile:
    """The events of an uploaded file; ValueError, in one sentence about ``name``, for anything else."""
    from dista.data.event_readers import read_events

    # On a disk, as the reader of data sets takes it; a system that has no deleting of a file that is still
    # mapped keeps it until it cleans up itself.
    with tempfile.TemporaryDirectory(prefix="dista-events-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, "recording").with_suffix(Path(name).suffix.lower())
        path.write_bytes(content)
        try:
            events = read_events(path, most=MOST_EVENTS)
        except ValueError as error:
            raise ValueError(_plain(str(error), path, name)) from error
    return EventFile(name, _compact(events))


def _compact(events: np.ndarray) -> np.ndarray:
    """The events in 17 bytes each; a coordinate that four bytes cannot hold stays outside of any view."""
    held = np.empty(len(events), _COMPACT)
    most = np.iinfo(np.int32)
    for name in ("x", "y"):
        held[name] = np.clip(events[name], most.min, most.max)
    held["t"], held["p"] = events["t"], events["p"]
    return held


def packed(events: np.ndarray) -> str:
    """The events as text: an .npz of columns x, y, t and p, compressed, in base64."""
    file = io.BytesIO()
    # Of a type no wider than the values: what is left then compresses to a half.
    columns = {
        name: events[name].astype(np.min_scalar_type(_widest(events[name]))) for name in "xytp"
    }
    np.savez_compressed(file, **columns)
    return base64.b64encode(file.getvalue()).decode()


def _widest(values: np.ndarray) -> int:
    """The value that needs most bytes; a negative one stands for all of them."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    return high if low >= 0 else -max(high, -low)


def _plain(said: str, path: Path, name: str) -> str:
    """What the reader of files said, of the file as it is called, and without how the bytes failed."""
    sentence = said.replace(str(path), f"the file {name}")
    return sentence.partition(": ")[0] if " readable " in sentence else sentence
