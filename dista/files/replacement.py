"""Write files and folders whole, and never over something that is not ours.

Every writer of the package comes through here. ``place`` is asked before any work is done, and answers
where to write or refuses; ``replacing`` and ``whole`` then put a file or a folder there at once. What a
writer may replace is for its ``Kind`` to tell: a recording, a checkpoint. Runs are never replaced.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

PART = ".part"
"""How the names of unfinished files end, which begin with a dot."""


class Kind(NamedTuple):
    """Something that the package writes.

    ``name`` is as in a sentence, ``error`` is raised where it cannot be written, and ``objection``
    says of an existing file or folder why it is not one: "" where it is, and may be replaced.
    """

    name: str
    error: type[ValueError]
    objection: Callable[[Path], str]


def place(path: str | os.PathLike[str], kind: Kind) -> Path:
    """Where ``path`` leads, links followed; an error of the kind where nothing of it may be written there.

    Free is what does not exist, an empty folder, and one of the kind. The current folder and those
    above it are never free: whoever replaces them takes the ground from under a shell.
    """
    target = Path(os.path.realpath(path))
    try:
        problem = _problem(target, kind)
    except OSError as error:
        problem = f"cannot be looked at ({error.strerror or error})"
    if problem:
        raise kind.error(
            f"{path} {problem}; choose another path for {kind.name}, nothing was changed"
        )
    return target


def _problem(target: Path, kind: Kind) -> str:
    """Why nothing may be written to ``target``, "" where it may."""
    if Path(os.getcwd()).is_relative_to(target):
        return "is the current folder, or one above it"
    if os.path.lexists(target):
        if not target.is_dir() and not target.is_file():
            return "is neither a file nor a folder"
        empty = target.is_dir() and not any(target.iterdir())
        if not empty and (objection := kind.objection(target)):
            return objection
    above = next(folder for folder in target.parents if os.path.lexists(folder))
    if not above.is_dir():
        return f"would lie in {above}, which is not a folder"
    return (
        "" if os.access(above, os.W_OK | os.X_OK) else f"would lie in {above}, which is read-only"
    )


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write into, which takes the place of ``path`` at the end.

    A reader sees the old content or the new, never half of it. After an exception it is the old.
    """
    # A name that no other process has, on another host or in another container either.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
    try:
        with part.open("xb+") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _take_place(part, path)
    finally:
        part.unlink(missing_ok=True)


def _take_place(part: Path, path: Path, patience: float = 2.0) -> None:
    """Rename; on Windows that is refused while a reader has the old file open, which takes milliseconds."""
    end = time.monotonic() + patience
    while True:
        try:
            part.replace(path)
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > end:
                raise
            time.sleep(0.01)


@contextlib.contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A path for a file or folder to be written, which takes the place of ``target`` at the end.

    ``target`` comes from ``place``. After an exception what was there before is there again.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=target.parent, prefix=f".{target.name}.", suffix=PART
    ) as temporary:
        new = Path(temporary, "new")
        yield new
        if new.is_file():
            with new.open("rb+") as file:
                os.fsync(file.fileno())  # its name must not be on the disk before its content
        _exchange(new, target)


def _exchange(new: Path, target: Path) -> None:
    if target.is_file() and new.is_file():
        _take_place(new, target)
        return
    # A folder that is not empty cannot be renamed over: the old one steps aside, outside of the
    # temporary folder, so that even a restoring that fails leaves it on the disk.
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    try:
        if target.exists():
            target.rename(old)
        new.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    if old.exists():
        shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink()
