"""What the pages read of runs while they grow: tables and snapshots, cached."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import streamlit as st

from app.computed import payloads
from app.inputs import identity
from dista.runs import Run, Tail
from dista.runs.facts import TABLES
from dista.runs.tables import with_columns
from dista.style import sentences
from dista.widgets.payload import probe_payload

if TYPE_CHECKING:
    import pandas as pd

    from dista.widgets.packing import Payload


def table(run: Run, name: str) -> pd.DataFrame:
    """A table of the run; of one that grows only what was added is read. Do not change the frame.

    It has all columns of its kind, and is empty where there are no lines yet.
    """
    tail, lock = _tail(*_which(run), name, run)
    with lock:
        frame = tail.read()
    return frame if frame.empty else with_columns(frame, name)


def damage(run: Run) -> list[str]:
    """What cannot be shown of the run's tables, and what is known to be missing in them."""
    sentences = run.notes()
    for name in TABLES:
        tail, lock = _tail(*_which(run), name, run)
        with lock, contextlib.suppress(OSError):  # ``table`` says that
            tail.read()
            sentences += [tail.damage] if tail.damage else []
    return sentences


def _which(run: Run) -> tuple[str, tuple]:
    """Which run it is: where it lies, and its configuration, which is written once. Another one of the same
    name has another file.
    """
    config = run.path / "config.json"
    return str(run.path.resolve()), identity.stamp(config) if config.is_file() else ()


@st.cache_resource(show_spinner=False, max_entries=64)
def _tail(path: str, stamp: tuple, name: str, _run: Run) -> tuple[Tail, threading.Lock]:
    return Tail(_run, name), threading.Lock()


def snapshot_payload(run: Run, epoch: int, sample: int = 0) -> Payload:
    """A probe sample at one epoch, packed; kept while the file of the snapshot is the same."""
    stamp = identity.stamp(run.path / "snapshots" / f"epoch-{epoch:04d}.zarr.zip")
    return _snapshot_payload(stamp, sample, run, epoch)


@st.cache_data(show_spinner=False, max_entries=64)
def _snapshot_payload(stamp: tuple, sample: int, _run: Run, _epoch: int) -> Payload:
    recording = _run.snapshot(_epoch)
    labels = recording.attrs.get("step_labels")
    return probe_payload(
        recording,
        sample,
        tau_start=_first_taus(_run),
        step_labels=labels,
        step_sentences=payloads.step_sentences(labels) if labels else None,
        class_names=recording.attrs.get("classes"),
        moment=sentences.moment(_epoch),
    )


def _first_taus(run: Run) -> dict[str, float] | None:
    """The time constants before training, by layer; None where the run does not say."""
    neurons = run.table("neurons")
    if neurons.empty:
        return None
    before = neurons[neurons["epoch"] == 0].set_index("layer")["tau"].dropna()
    return before.to_dict() or None
