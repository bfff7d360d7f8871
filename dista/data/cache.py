"""Arrays that take seconds to make, kept in the user's cache folder."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


def cache_folder(root: str | Path | None = None) -> Path:
    """`root` where given, else $XDG_CACHE_HOME/dista, else ~/.cache/dista."""
    if root is not None:
        return Path(root).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "dista"


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


def _read(path: Path) -> Arrays | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    """Write beside the target and rename, so that no reader ever meets half a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        os.replace(partial, path)
    except OSError:
        Path(partial).unlink(missing_ok=True)
