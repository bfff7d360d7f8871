"""Arrays that take seconds to make, kept in the user's cache folder: never beside the user's data."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from dista.files.replacement import replacing

Arrays = dict[str, np.ndarray]


def cache_folder(root: str | Path | None = None) -> Path:
    """`root` where given, else the user's cache folder of this system, as $XDG_CACHE_HOME/dista.

    A user without a home has a folder that cannot be made, and not one of the name "~" where they are.
    """
    if root is not None:
        return Path(os.path.expanduser(root))
    from platformdirs import user_cache_path

    try:
        folder = user_cache_path("dista", appauthor=False)
    except RuntimeError:  # nobody knows the home
        folder = Path("~")
    return folder if folder.is_absolute() else Path(os.devnull, "dista")


def key_of(paths: Iterable[Path], *facts: object) -> str:
    """16 letters that change with the files (their paths, sizes and times) or with any other fact."""
    files = [(str(path.resolve()), *_stamp(path)) for path in paths]
    return hashlib.sha256(repr((files, facts)).encode()).hexdigest()[:16]


def _stamp(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except OSError:  # it went meanwhile, or cannot be read: the reader says so
        return (-1, -1)
    return facts.st_size, facts.st_mtime_ns


def cached_arrays(name: str, make: Callable[[], Arrays], root: str | Path | None = None) -> Arrays:
    """The arrays of `name`.npz in the cache folder, made and stored there if missing.

    A file that cannot be read is made again. A folder that cannot be written costs time at the
    next start and nothing else. Of two processes one makes them while the other waits.
    """
    path = cache_folder(root) / f"{name}.npz"
    stored = _read(path)
    if stored is not None:
        return stored
    with held(path):
        arrays = _read(path)
        if arrays is None:
            arrays = make()
            replace(path, lambda file: np.savez(file, **arrays))
    return arrays


def _read(path: Path) -> Arrays | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except Exception:  # whatever a damaged file raises: zlib.error, BadZipFile, AttributeError
        return None


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock of what is made at ``path``; without one where the folder cannot be written."""
    from filelock import FileLock, Timeout

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock")
        try:
            lock.acquire(timeout=1)
        except Timeout:
            print(f"dista: another process is making {path.name}; waiting for it", file=sys.stderr)
            lock.acquire()
    except (OSError, NotImplementedError):  # read-only, or a file system without locks
        yield
        return
    try:
        yield
    finally:
        lock.release()


def replace(path: Path, write: Callable[[BinaryIO], None]) -> bool:
    """Write the file as a whole, so that no reader ever meets half of it; False without permission or room."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            write(file)
    except OSError:
        return False
    return True
