"""Files of events: N-MNIST's .bin, AEDAT 2.0 and 4, and numpy's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

_EVENT_TYPE = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])
_SIDE = 128  # pixels of a DVS128, either way
_AEDAT_2 = b"#!AER-DAT2.0"


def _read_mnist(path: Path) -> np.ndarray:
    from tonic.io import read_mnist_file

    if path.stat().st_size % 5:
        raise ValueError(f"it has {path.stat().st_size} bytes, but events of N-MNIST have 5 each")
    return read_mnist_file(str(path), dtype=_EVENT_TYPE)


def _read_aedat(path: Path) -> np.ndarray:
    """AEDAT 2.0 of the camera DVS128: lines that start with #, then address and microseconds.

    Of an address, bit 0 is clear for ON, bits 1 to 7 and 8 to 14 count pixels from the far end; bit 15
    marks what comes from outside of the sensor, which is left out. Which seven bits are the columns
    depends on how the camera was mounted: here 8 to 14, as spikingjelly has it for CIFAR10-DVS.
    """
    # Not a library's reader: importing spikingjelly's needs a torchaudio that was built with this
    # torch, and tonic's drops half an event without a word. A test compares with both.
    content, start = path.read_bytes(), 0
    if not content.startswith(_AEDAT_2):
        raise ValueError(f"it starts with {content[:12]!r}, not with {_AEDAT_2!r}")
    while content[start : start + 1] == b"#":
        start = content.index(b"\n", start) + 1
    if (len(content) - start) % 8:
        raise ValueError("it ends within an event of 8 bytes")
    address, time = np.frombuffer(content, ">i4", offset=start).reshape(-1, 2).T.astype(np.int64)
    if (address >> 16).any():
        raise ValueError("its addresses are not those of a DVS128, which has 128 x 128 pixels")
    events = np.empty(len(address), _EVENT_TYPE)
    events["x"] = _SIDE - 1 - (address >> 8 & 127)
    events["y"] = _SIDE - 1 - (address >> 1 & 127)
    events["t"], events["p"] = time, 1 - (address & 1)
    return events[address < 1 << 15]


def _read_aedat4(path: Path) -> np.ndarray:
    from tonic.io import read_aedat4

    try:
        return read_aedat4(str(path))
    except ImportError:
        raise
    except Exception as error:  # the package has exceptions of its own
        raise ValueError(error) from error


def _read_numpy(path: Path) -> np.ndarray:
    return np.load(path, allow_pickle=False)


def _read_archive(path: Path) -> np.ndarray:
    """Arrays named x, y, t, p (or as in ``_FIELDS``), or one array that has them as fields."""
    with np.load(path, allow_pickle=False) as archive:
        if len(archive.files) == 1:
            return archive[archive.files[0]]
        columns = {
            field: archive[next(name for name in names if name in archive.files)]
            for field, names in _FIELDS.items()
        }
    return np.rec.fromarrays(list(columns.values()), names=list(columns))


_READERS: dict[str, Callable[[Path], np.ndarray]] = {
    ".bin": _read_mnist,
    ".aedat": _read_aedat,
    ".aedat4": _read_aedat4,
    ".npy": _read_numpy,
    ".npz": _read_archive,
}
SUFFIXES = tuple(_READERS)
_DAMAGE = (OSError, LookupError, TypeError, ValueError, EOFError, MemoryError, BadZipFile)
_FIELDS = {"x": ("x",), "y": ("y",), "t": ("t", "timestamp"), "p": ("p", "on", "polarity")}


def read_events(path: Path) -> np.ndarray:
    """The events of a file, ordered by time: fields x, y, t (microseconds), p (1 ON, 0 OFF).

    Files are .bin (N-MNIST's format), .npy with fields x, y, t, p, .npz with arrays of these names,
    .aedat (AEDAT 2.0 of a DVS128, turned as those of CIFAR10-DVS), or .aedat4, for which the package
    aedat has to be installed. ValueError where it cannot be read, or holds no events.
    """
    if path.suffix not in _READERS:
        raise ValueError(
            f"{path} ends in {path.suffix!r}; recordings of events end in {', '.join(_READERS)}"
        )
    try:
        raw = _READERS[path.suffix](path)
        events = np.empty(len(raw), _EVENT_TYPE)
        for field, names in _FIELDS.items():
            events[field] = raw[next(name for name in names if name in raw.dtype.names)]
    except ImportError as error:
        raise ValueError(
            f"{path} cannot be read: tonic reads .aedat4 with the package aedat; install it"
        ) from error
    except StopIteration:
        raise ValueError(f"{path} holds no events with x, y, t and p") from None
    except _DAMAGE as error:
        raise ValueError(f"{path} is not a readable recording of events: {error}") from error
    if not len(events):
        raise ValueError(f"{path} holds no events")
    return events[np.argsort(events["t"], kind="stable")]
