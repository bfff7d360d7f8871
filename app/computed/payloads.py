"""Recordings packed for the probe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.computed import map_sizes
from app.inputs.identity import stamp
from app.link import plain
from dista.widgets.payload import probe_payload

if TYPE_CHECKING:
    import xarray as xr

    from dista.widgets.packing import Payload


@st.cache_data(show_spinner=False, max_entries=64)
def payload(_recording: xr.DataTree, *key: Any, position: int = 0) -> Payload:
    """One sample of the recording packed for the probe; ``key`` says which recording it is."""
    labels = _recording.attrs.get("step_labels")
    return probe_payload(
        _recording,
        position,
        step_labels=labels,
        step_sentences=step_sentences(labels) if labels else None,
        class_names=_recording.attrs.get("classes"),
    )


def foreign_payload(recording: xr.DataTree, path: Path, position: int) -> Payload:
    """``payload`` of a recording from a file of the reader's own; ValueError where it is none of a network."""
    if "input" not in recording:
        raise ValueError(f"{path} is not a readable recording: it holds no input")
    if (size := map_sizes.of_maps(recording)) > map_sizes.MOST:
        raise ValueError(
            f"the attention maps in {path} have {size >> 20} MB; {map_sizes.MOST >> 20} can be shown"
        )
    try:
        return payload(recording, str(path), stamp(path), position=position)
    except Exception as error:  # whatever axes, sizes and values that are not ours come to
        raise ValueError(
            f"{path} is not a readable recording of such a network: {plain.sentence(error)}"
        ) from error


def step_sentences(labels: Sequence[str]) -> list[str] | None:
    """What happens at each step of the matching task; None for other labels."""
    if set(labels) != {"cue", "delay", "probe"}:
        return None
    last_cue = max(step for step, label in enumerate(labels) if label == "cue")
    said = {
        "cue": "the cue is shown; nothing to compare it with yet",
        "delay": "only noise is shown; the cue lives on in membranes and in attention's memory",
    }
    sentences = []
    for step, label in enumerate(labels):
        ago = step - last_cue
        probe = f"the probe is compared with a cue last seen {ago} step{'s' * (ago != 1)} ago"
        sentences.append(said.get(label, probe))
    return sentences
