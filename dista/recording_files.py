"""Recordings from files, read with care: nothing is unpickled, and no more memory is taken than is allowed.

xarray and zarr alone read a recording as well (see README). What is done here besides is to look before: a
few bytes can say that terabytes of zeros are to come, or name a codec that runs code. Without torch.
"""

from __future__ import annotations

import contextlib
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr
    import zarr

LARGEST = 4 << 30
"""Bytes in memory that a recording may come to, unless more are allowed."""

MOST_FILES = 100_000
"""Files that a zip may hold; a network of 100 blocks has about 10,000."""

COMPLETE = "complete"
"""The attribute that says that every array was written, also where all is zero: one that is missing is lost."""

CODECS = {"bytes", "blosc", "zstd", "gzip", "crc32c", "transpose", "vlen-utf8", "sharding_indexed"}
"""The codecs of zarr's own specification. Others may be anything, pickle included."""


class RecordingError(ValueError):
    """A name that does not exist, or a recording that cannot be read."""


def open_recording(path: str | Path, *, largest: int = LARGEST) -> xr.DataTree:
    """Read what ``save`` wrote, into memory; RecordingError where there is nothing readable.

    That includes what would come to more than ``largest`` bytes, or has lost a part.
    """
    import xarray as xr

    path = Path(path)
    with _readable(path), _opened(path, largest) as store:
        complete = _check_arrays(store, largest)
        with xr.open_datatree(store, engine="zarr", consolidated=False, zarr_format=3) as tree:
            recording = tree.load()
        if complete:
            del recording.attrs[COMPLETE]
        _check_attributes(recording.attrs)
        return recording


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """The boundary around a recording's file: whatever it can cause becomes a RecordingError."""
    if not path.exists():
        raise RecordingError(f"there is no recording at {path}; dista record writes one")
    try:
        yield
    except Exception as error:  # zarr, xarray and codecs have no class of errors in common
        said = error if isinstance(error, RecordingError) else f"{type(error).__name__}: {error}"
        raise RecordingError(
            f"{path} is not a readable recording ({said}); expected a zarr folder or .zip written by dista"
        ) from error


@contextlib.contextmanager
def _opened(path: Path, largest: int) -> Iterator[Any]:
    """What zarr reads from: the folder, or the zip if what it unpacks to is within bounds."""
    import zarr

    if path.is_dir():
        yield path
        return
    with zipfile.ZipFile(path) as file:
        entries = file.infolist()
        unpacked = sum(entry.file_size for entry in entries)
    if unpacked > largest or len(entries) > MOST_FILES:
        raise RecordingError(
            f"it unpacks to {len(entries)} files of {unpacked} bytes; at most {MOST_FILES} of {largest} are read"
        )
    with contextlib.closing(zarr.storage.ZipStore(path, mode="r")) as store:
        yield store


def _check_arrays(store: Any, largest: int) -> bool:
    """Look at what every array says of itself; whether the recording claims to be complete."""
    import zarr

    root = zarr.open_group(store, mode="r", zarr_format=3)
    complete, total = bool(root.attrs.get(COMPLETE)), 0
    for name, array in root.members(max_depth=None):
        if not isinstance(array, zarr.Array):
            continue
        total += max(array.nbytes, math.prod(array.chunks) * array.dtype.itemsize)
        if total > largest:
            raise RecordingError(
                f"its arrays come to more than {largest} bytes in memory, {name} alone has the shape "
                f"{array.shape}; open_recording(path, largest=...) allows more"
            )
        _check_array(name, array, complete)
    return complete


def _check_array(name: str, array: zarr.Array, complete: bool) -> None:
    unknown = {codec["name"] for codec in array.metadata.to_dict()["codecs"]} - CODECS
    if unknown:
        raise RecordingError(f"{name} needs {', '.join(sorted(unknown))}, which is not used here")
    if array.dtype.kind == "O":
        raise RecordingError(f"{name} holds Python objects; expected numbers")
    stored = array.nchunks_initialized
    if stored < array.nchunks and (complete or stored):
        raise RecordingError(f"{name} has lost {array.nchunks - stored} of {array.nchunks} parts")


def _check_attributes(attributes: dict[str, Any]) -> None:
    """That what figures and pages read from the attributes is what they take it for."""
    config = attributes.get("model_config", "{}")
    if not isinstance(config, str) or not isinstance(json.loads(config), dict):
        raise RecordingError(f"model_config={str(config)[:40]!r}; expected a JSON object as text")
    for name in ("classes", "step_labels"):
        words = attributes.get(name, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise RecordingError(f"{name}={str(words)[:40]!r}; expected a list of texts")
