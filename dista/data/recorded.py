"""Recordings as the splits of a task: decoded once, with what could not be read counted and said."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from dista.data.cache import key_of
from dista.data.class_folders import Parts, Piece, Recordings
from dista.data.errors import DataError
from dista.data.event_readers import read_events
from dista.data.framing import check_form, fitting_frames, frames
from dista.data.row_cache import Row, cached_rows
from dista.data.task import Split, Task
from dista.data.warp import EventWarp

_VERSION = 3  # of what frames come from a file: count up where reading or binning changes
_STRAY = 0.001  # of all events of a data set may have coordinates far beyond the others
_FAR = 2  # times as far as these
_COORDINATES = 2**16  # as many rows or columns no camera has
_NAMED = 3  # files that are named where more are left out


@dataclass(frozen=True)
class Form:
    """How recordings become frames: time steps, (rows, columns), microseconds of a whole one.

    Without ``size`` it is what the largest coordinates need; without ``duration`` a recording is cut from
    its first event to its last. With ``crop`` any number of events may lie outside of ``size``.
    """

    steps: int
    size: tuple[int, int] | None = None
    duration: int | None = None
    crop: bool = False

    def frames(self, events: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        cut = frames if self.crop else fitting_frames
        return cut(events, self.steps, size, self.duration)


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedSplit(Split):
    """Frames of recorded events, and the files, or the pieces of them, that they are of."""

    pieces: tuple[Piece, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(piece.path for piece in self.pieces)

    def events(self, index: int) -> np.ndarray:
        """The raw events of a sample, as ``read_events``; IndexError outside 0 .. len - 1."""
        piece = self.pieces[int(self._checked([index])[0])]
        return cut(read_events(piece.path), piece)


def cut(events: np.ndarray, piece: Piece) -> np.ndarray:
    """The events of a piece; DataError where it has none."""
    if piece.start is None:
        return events
    low, high = np.searchsorted(events["t"], [piece.start, piece.end])
    if low == high:
        raise DataError(
            f"{piece.path} holds no events between {piece.start} and {piece.end} microseconds"
        )
    return events[low:high]


def recorded_task(name: str, title: str, recordings: Recordings, form: Form) -> Task:
    """The task of these recordings: frames from the cache, which is made where it is missing.

    Where single recordings cannot be read the others are, and it is said how many were left out. DataError
    where most of them cannot.
    """
    check_form(form.steps, form.size)
    pieces = [piece for part in recordings.parts.values() for piece in part]
    key = key_of([piece.path for piece in pieces], _VERSION, form, [p[2:] for p in pieces])
    rows = cached_rows(f"{name}-{key}", len(pieces), lambda: _made(pieces, form))
    counts = torch.from_numpy(rows.array)
    splits = _splits(recordings.parts, counts, rows.missing)
    left_out = tuple([*recordings.left_out, *_said(list(rows.missing.values()), len(pieces))])
    told = ", ".join(f"{len(split)} for {part}" for part, split in splits.items())
    if left_out:
        logging.getLogger(__name__).warning("dista: left out of %s: %s", title, "; ".join(left_out))
    return Task(
        name=name,
        classes=recordings.classes,
        input_shape=tuple(counts.shape[2:]),
        time_steps=form.steps,
        step_labels=None,
        description=f"{title}: {told}." + f" Left out: {'; '.join(left_out)}." * bool(left_out),
        **splits,
        left_out=left_out,
    )


def _said(reasons: list[str], of: int) -> list[str]:
    if not reasons:
        return []
    more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return [f"{len(reasons)} of {of} recordings ({'; '.join(reasons[:_NAMED])}{more})"]


def _splits(
    parts: Parts, counts: torch.Tensor, missing: dict[int, str]
) -> dict[str, RecordedSplit]:
    """Each split with its stretch of the rows, which are in the order of the splits."""
    splits, place, row = {}, 0, 0
    for part, pieces in parts.items():
        there = [piece for at, piece in enumerate(pieces, place) if at not in missing]
        splits[part] = RecordedSplit(
            name=part,
            inputs=counts[row : row + len(there)],
            labels=np.array([piece.label for piece in there], np.int64),
            unit=1.0,
            augmentation=EventWarp() if part == "train" else None,
            pieces=tuple(there),
        )
        place, row = place + len(pieces), row + len(there)
    return splits


# From files to rows -------------------------------------------------------------------------------


def _made(pieces: list[Piece], form: Form) -> tuple[tuple[int, ...], Iterator[tuple[int, Row]]]:
    """The shape of a recording's frames, and those of each with its place."""
    size = form.size or _size(_read(pieces, "Looking for the largest coordinates"))
    check_form(form.steps, size)

    def rows() -> Iterator[tuple[int, Row]]:
        for place, events in _read(pieces, "Reading recordings"):
            try:
                yield place, events if isinstance(events, DataError) else form.frames(events, size)
            except DataError as error:
                yield place, DataError(f"{pieces[place].path}: {error}")

    return (form.steps, 2, *size), rows()


def _read(pieces: list[Piece], doing: str) -> Iterator[tuple[int, np.ndarray | DataError]]:
    """The events of each piece with its place; of a file with many pieces they come after each other."""
    last, events = None, None
    order = sorted(range(len(pieces)), key=lambda place: str(pieces[place].path))
    for place in tqdm(order, doing, disable=None):
        piece = pieces[place]
        if piece.path != last:
            last = piece.path
            try:
                events = read_events(piece.path)
            except DataError as error:
                events = error
        try:
            yield place, events if isinstance(events, DataError) else cut(events, piece)
        except DataError as error:
            yield place, error


def _size(read: Iterable[tuple[int, np.ndarray | DataError]]) -> tuple[int, int]:
    """Rows and columns that the coordinates need; a few far beyond all others are strays."""
    counts = {name: np.zeros(_COORDINATES + 2, np.int64) for name in ("y", "x")}
    first = None
    for _, events in read:
        if isinstance(events, DataError):
            first = first or events
            continue
        for name, histogram in counts.items():
            histogram += np.bincount(
                np.clip(events[name], -1, _COORDINATES) + 1, minlength=len(histogram)
            )
    if not counts["y"].any():
        raise first or DataError("there are no recordings")
    rows, columns = (1 + _largest(histogram[1:]) for histogram in counts.values())
    return rows, columns


def _largest(counts: np.ndarray) -> int:
    """The largest coordinate but for strays: at most one event in a thousand, twice as far as the rest."""
    spare = max(1, int(_STRAY * counts.sum()))
    beyond = np.cumsum(counts[::-1])[::-1]  # events at a coordinate or further out
    usual = int(np.flatnonzero(beyond > spare).max(initial=0))
    return int(np.flatnonzero(counts[: _FAR * (usual + 1)]).max(initial=0))
