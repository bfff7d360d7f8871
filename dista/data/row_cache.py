"""Rows of bytes that are made once, one after the other, and mapped from the user's cache folder.

NAME-KEY.npy    the rows, one array
NAME-KEY.json   which of them could not be made, and why; written last, so that it says the other is whole
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from dista.data.cache import cache_folder, held, replace
from dista.data.errors import DataError

Row = np.ndarray | DataError
Maker = Callable[[], tuple[tuple[int, ...], Iterable[tuple[int, Row]]]]
"""The shape of a row, and every row with its place, in any order; an error where there is none."""


class Rows(NamedTuple):
    """uint8 rows in the order of their places, and for each place without a row the reason."""

    array: np.ndarray
    missing: dict[int, str]


def cached_rows(name: str, count: int, make: Maker) -> Rows:
    """``count`` rows, mapped from the cache folder, where they are written as they are made.

    For what memory need not hold as a whole. Of two processes one makes them while the other waits. Where
    the folder cannot be written, or is full, they are made into memory; DataError where that is too small,
    and where not a single row can be made.
    """
    path = cache_folder() / f"{name}.npy"
    stored = _stored(path, count)
    if stored is not None:
        return stored
    with held(path):
        stored = _stored(path, count)
        if stored is None:
            _write(path, count, make)
            stored = _stored(path, count)
    return stored if stored is not None else _in_memory(count, make)


def _stored(path: Path, count: int) -> Rows | None:
    """The rows in the cache; None where one of its files is missing, damaged, or of something else."""
    try:
        array = np.lib.format.open_memmap(path, mode="c")
        missing = {int(k): str(v) for k, v in json.loads(_beside(path).read_text("utf-8")).items()}
    except Exception:  # whatever damage raises: the rows are made again
        return None
    fits = array.dtype == np.uint8 and array.ndim >= 1 and len(array) + len(missing) == count
    return Rows(array, missing) if fits else None


def _beside(path: Path) -> Path:
    return path.with_suffix(".json")


def _write(path: Path, count: int, make: Maker) -> None:
    missing: dict[int, str] = {}
    if replace(path, lambda file: _fill(file, count, make, missing)):
        text = json.dumps(missing).encode()
        replace(_beside(path), lambda file: file.write(text))


def _fill(file: BinaryIO, count: int, make: Maker, missing: dict[int, str]) -> None:
    """Write a .npy file: each row at its place, then those after a missing one moved up."""
    # Not through a writable map, as a full disk ends a process that writes into one (SIGBUS).
    shape, rows = make()
    size = int(np.prod(shape))
    start = _header(file, (count, *shape))
    for place, row in rows:
        if isinstance(row, DataError):
            missing[place] = str(row)
        else:
            file.seek(start + place * size)
            file.write(row.tobytes())
    _check(missing, count)
    if not missing:
        return
    there = [place for place in range(count) if place not in missing]
    for target, place in enumerate(there):
        if target != place:
            file.seek(start + place * size)
            row = file.read(size)
            file.seek(start + target * size)
            file.write(row)
    file.truncate(start + len(there) * size)
    file.seek(0)
    if _header(file, (len(there), *shape)) != start:
        raise OSError("a header of another length")  # cannot be: numpy pads it to 64 bytes


def _header(file: BinaryIO, shape: tuple[int, ...]) -> int:
    form = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, form)
    return file.tell()


def _in_memory(count: int, make: Maker) -> Rows:
    import psutil

    shape, rows = make()
    needed, there = count * int(np.prod(shape)), psutil.virtual_memory().available
    if needed > there:
        raise DataError(
            f"the frames take {needed / 1e9:.1f} GB; {cache_folder()} cannot hold them, and memory has "
            f"{there / 1e9:.1f} GB left; make room there, or name another folder in XDG_CACHE_HOME"
        )
    array, missing = np.zeros((count, *shape), np.uint8), {}
    for place, row in rows:
        if isinstance(row, DataError):
            missing[place] = str(row)
        else:
            array[place] = row
    _check(missing, count)
    return Rows(
        array[[place not in missing for place in range(count)]] if missing else array, missing
    )


def _check(missing: dict[int, str], count: int) -> None:
    """DataError where more than half cannot be read: that is another kind of file, not damage."""
    if 2 * len(missing) > count:
        first = missing[min(missing)]
        others = f" (and {len(missing) - 1} of {count - 1} others cannot be used either)"
        raise DataError(first + others * (len(missing) > 1))
