"""Files of events: N-MNIST's .bin, AEDAT 2.0, 3.1 and 4, and numpy's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dista.data.aedat import Columns, read_aedat, read_aedat4
from dista.data.errors import DataError, reading
from dista.data.event_arrays import MOST_EVENTS, as_events, check_count
from dista.data.event_numpy import read_npy, read_npz

_OVERFLOW = 240  # in the place of a row: no event, but 2**13 microseconds more for all that follow


def _read_mnist(path: Path, most: int) -> Columns:
    """N-MNIST's format: column, row, then one bit of polarity and 23 of microseconds."""
    # Not tonic's reader: it moves all later events at each overflow, which takes hours for a file of nothing
    # else. A test compares with it.
    size = path.stat().st_size
    if size % 5:
        raise ValueError(f"it has {size} bytes, but events of N-MNIST have 5 each")
    check_count(path, size // 5, most)
    x, y, high, middle, low = np.fromfile(path, np.uint8).reshape(-1, 5).T.astype(np.int64)
    overflow = y == _OVERFLOW
    t = ((high & 127) << 16 | middle << 8 | low) + (np.cumsum(overflow) << 13)
    columns = {"x": x, "y": y, "t": t, "p": high >> 7}
    return {name: column[~overflow] for name, column in columns.items()}


_READERS: dict[str, Callable[[Path, int], Columns]] = {
    ".bin": _read_mnist,
    ".aedat": read_aedat,
    ".aedat4": read_aedat4,
    ".npy": read_npy,
    ".npz": read_npz,
}
SUFFIXES = tuple(_READERS)


def is_recording(path: Path) -> bool:
    """Whether a file's name is that of a recording, in any case, and not a hidden one."""
    return path.suffix.lower() in _READERS and not path.name.startswith(".")


def read_events(path: str | Path, *, most: int = MOST_EVENTS) -> np.ndarray:
    """The events of a file, ordered by time: fields x, y, t (microseconds), p (1 ON, 0 OFF).

    Files are .bin (N-MNIST's format), .npy with fields x, y, t, p, .npz with arrays of these names,
    .aedat (AEDAT 2.0 of a DVS128, turned as those of CIFAR10-DVS, or AEDAT 3.1), or .aedat4, for which the
    package aedat has to be installed. Polarities are 0 and 1, -1 and 1, or booleans. DataError where it
    cannot be read, holds no events or more than ``most``, or means something else by its numbers.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise DataError(
            f"{path} ends in {path.suffix!r}; recordings of events end in {', '.join(_READERS)}"
        )
    with reading(path, "a readable recording of events"):
        return as_events(path, _READERS[suffix](path, most))
