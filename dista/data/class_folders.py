"""Recordings in a folder for each class: which there are, whose names say their labels, and what is left out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dista.data.errors import DataError
from dista.data.event_readers import SUFFIXES, is_recording
from dista.data.files import stratified

_VALIDATION, _TEST = 0.1, 0.2  # of what is there for training; of all, where no split is given
_PARTS = {
    "train": "train", "training": "train", "test": "test", "testing": "test",
    "validation": "validation", "valid": "validation", "val": "validation",
}  # fmt: skip


class Piece(NamedTuple):
    """A labelled recording: a file, or what of it lies in ``start`` <= t < ``end`` microseconds."""

    path: Path
    label: int
    start: int | None = None
    end: int | None = None


Parts = dict[str, list[Piece]]


class Recordings(NamedTuple):
    """The recordings of train, validation and test, the names of their labels, what was left out and why."""

    parts: Parts
    classes: tuple[str, ...]
    left_out: tuple[str, ...]


def find(folder: str | Path, classes: Sequence[str] | None = None) -> Recordings:
    """The recordings below ``folder``, labelled by the names of their folders.

    ``folder`` has ``train`` and ``test`` (in any case; ``validation`` too where there is one) with a folder
    for each class; or these folders themselves, of which a fifth is then for the test. A label is the place
    of the folder's name in ``classes``, by default the sorted names. Hidden folders are no classes.
    DataError for a folder of recordings that is none of the classes, and where there are no recordings.
    """
    folder, notes = Path(folder), []
    folders = _part_folders(folder, notes)
    source = folders.get("train", folder)
    classes = tuple(classes or _names(source))
    if len(classes) < 2:
        raise DataError(f"{source} has {len(classes)} folders; expected one for each class")
    parts = {part: _pieces(path, classes, notes) for part, path in folders.items()}
    if not folders:
        parts = _split(_pieces(folder, classes, notes), (_VALIDATION, _TEST))
    elif "validation" not in parts:
        parts |= _split(parts["train"], (_VALIDATION,))
    order = ("train", "validation", "test")
    return Recordings({part: parts[part] for part in order}, classes, tuple(notes))


def _split(pieces: list[Piece], shares: tuple[float, ...]) -> Parts:
    """Train, validation and, where ``shares`` has a second entry, test; the same share of each class."""
    labels = np.array([piece.label for piece in pieces])
    rest = 1 - sum(shares[1:])
    splits = stratified(labels, (rest * (1 - shares[0]), rest * shares[0], *shares[1:]))
    return {
        part: [pieces[index] for index in indices]
        for part, indices in zip(("train", "validation", "test"), splits)
    }


# Folders ------------------------------------------------------------------------------------------


def visible(paths: Iterable[Path]) -> list[Path]:
    """Sorted, without what programs leave behind: .ipynb_checkpoints, ._1.bin, __MACOSX."""
    return sorted(path for path in paths if not path.name.startswith((".", "__")))


def _folders(folder: Path) -> list[Path]:
    return [path for path in visible(folder.iterdir()) if path.is_dir()]


def _names(folder: Path) -> list[str]:
    return [path.name for path in _folders(folder)]


def _part_folders(folder: Path, notes: list[str]) -> dict[str, Path]:
    """The folders train, test and validation; none where ``folder`` has those of the classes itself."""
    folders: dict[str, Path] = {}
    others = []
    for path in _folders(folder):
        part = _PARTS.get(path.name.lower())
        if part is None or not _folders(path):  # a class may be called train
            others.append(path.name)
        elif part in folders:
            raise DataError(
                f"{folder} has both {folders[part].name} and {path.name}; leave one there"
            )
        else:
            folders[part] = path
    missing = [part for part in ("train", "test") if part not in folders]
    if folders and missing:
        there = [path.name for path in folders.values()]
        raise DataError(
            f"{folder} has {' and '.join(there)}, but no folder {' and '.join(missing)}"
            f"{_near(missing[0], others)}; expected both, or a folder for each class"
        )
    if folders and others:
        notes.append(f"folders beside {folders['train'].name}: {', '.join(others)}")
    return folders


def _near(name: str, others: Sequence[str]) -> str:
    """A name that may be meant, for the end of a clause."""
    near = difflib.get_close_matches(name.lower(), [other.lower() for other in others], 1)
    return f" (is it {next(o for o in others if o.lower() == near[0])}?)" if near else ""


def _pieces(folder: Path, classes: tuple[str, ...], notes: list[str]) -> list[Piece]:
    """The recordings of the folders that are called like a class."""
    _check_names(folder, classes, notes)
    recordings: list[Piece] = []
    others = 0
    for label, name in enumerate(classes):
        files = sorted((folder / name).iterdir()) if (folder / name).is_dir() else []
        pieces = [Piece(path, label) for path in files if is_recording(path)]
        others += sum(not path.name.startswith(".") for path in files) - len(pieces)
        recordings += pieces
        if files and not pieces:
            notes.append(f"{folder.name}/{name}, which has no recordings")
    if not recordings:
        raise DataError(
            f"{folder} has no recordings in its folders {', '.join(classes[:5])}; "
            f"expected files that end in {', '.join(SUFFIXES)}"
        )
    if others:
        notes.append(f"{others} other files and folders beside the recordings of {folder.name}")
    hidden = [path.name for path in folder.iterdir() if path.is_dir()]
    hidden = [name for name in sorted(hidden) if name.startswith((".", "__"))]
    if hidden:
        notes.append(f"{', '.join(hidden)} in {folder.name}")
    return recordings


def _check_names(folder: Path, classes: tuple[str, ...], notes: list[str]) -> None:
    """DataError where a folder has recordings that no class would get: they would vanish."""
    for name in _names(folder):
        if name in classes:
            continue
        if any(is_recording(path) for path in (folder / name).iterdir()):
            raise DataError(
                f"{folder} has recordings of {name!r}, which is none of the classes "
                f"{_list(classes)}{_near(name, classes)}; rename or remove that folder"
            )
        notes.append(f"{folder.name}/{name}, which is no class and has no recordings")


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:11]) + (f" and {len(names) - 11} more" if len(names) > 11 else "")
