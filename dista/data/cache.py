"""Arrays that take seconds to make, kept in the user's cache folder."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from dista.replacement import replacing

Arrays = dict[str, np.ndarray]


def cache_folder(root: str | Path | None = None) -> Path:
    """`root` where given, else $XDG_CACHE_HOME/dista, else ~/.cache/dista.

    A user without a home has a folder that cannot be made, and not one of the name "~" where they are.
    """
    if root is not None:
        return Path(os.path.expanduser(root))
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base if os.path.isabs(base) else os.devnull) / "dista"


def cached_arrays(name: str, make: Callable[[], Arrays], root: str | Path | None = None) -> Arrays:
    """The arrays of `name`.npz in the cache folder, made and stored there if missing.

    A file that cannot be read is made again. A folder that cannot be written costs time at the
    next start and nothing else.
    """
    path = cache_folder(root) / f"{name}.npz"
    stored = _read(path)
    if stored is not None:
        return stored
    arrays = make()
    _write(path, arrays)
    return arrays


def cached_rows(
    name: str, shape: tuple[int, ...], make: Callable[[], Iterable[np.ndarray]]
) -> np.ndarray:
    """uint8 rows, one after the other an array of ``shape``, mapped from `name`.npy in the cache folder.

    For what memory need not hold as a whole: rows are written as they are made, and read when they are
    used. Where the folder cannot be written, or is full, they are made again into memory.
    """
    path = cache_folder() / f"{name}.npy"
    stored = _mapped(path)
    if stored is None:
        _write_rows(path, shape, make)
        stored = _mapped(path)
    if stored is not None:
        return stored
    rows = np.empty(shape, np.uint8)
    for place, row in zip(rows, make(), strict=True):
        place[...] = row
    return rows


def _mapped(path: Path) -> np.ndarray | None:
    try:
        return np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None


def _write_rows(
    path: Path, shape: tuple[int, ...], make: Callable[[], Iterable[np.ndarray]]
) -> None:
    form = {"descr": "|u1", "fortran_order": False, "shape": shape}

    def write(file: BinaryIO) -> None:
        np.lib.format.write_array_header_1_0(file, form)
        for row in make():
            file.write(row.tobytes())

    _replace(path, write)


def _read(path: Path) -> Arrays | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    _replace(path, lambda file: np.savez(file, **arrays))


def _replace(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write beside the target and rename, so that no reader ever meets half a file."""
    with contextlib.suppress(OSError):  # no permission, or no room
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            write(file)
