"""Recordings in files: the shipped one, with which the first page opens, and those of a reader."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.inputs.identity import stamp, version
from dista import checkpoint as checkpoints_on_disk
from dista.config import ModelConfig

if TYPE_CHECKING:
    import xarray as xr

    from app.inputs.checkpoints import Checkpoint


def first_light() -> xr.DataTree | None:
    """The shipped recording, with which the first page opens without loading torch."""
    path = checkpoints_on_disk.assets() / "first-light.zarr.zip"
    if path.is_file():
        with contextlib.suppress(ValueError, OSError):  # damaged: the page then records anew
            return open_recording(path)
    return None


def open_recording(path: Path) -> xr.DataTree:
    """A recording in a file or folder; RecordingError where it is damaged or something else."""
    return _open(str(path), stamp(path) if path.exists() else ())


@st.cache_resource(show_spinner=False, max_entries=4)
def _open(path: str, stamp: tuple) -> xr.DataTree:
    from dista.files.recordings import open_recording

    return open_recording(path)


def of_same_weights(recording: xr.DataTree | None, checkpoint: Checkpoint) -> bool:
    """Whether ``recording`` was made with the weights, and the configuration, of this checkpoint."""
    if recording is None or recording.attrs.get("model") != checkpoint.name:
        return False  # by its name at once: weights are read only where they may be the same
    with contextlib.suppress(ValueError, OSError):
        config = ModelConfig.from_json(recording.attrs.get("model_config", ""))
        made_by = version(recording.attrs.get("weights", ""), config)
        return made_by == checkpoint.weights.version
    return False
