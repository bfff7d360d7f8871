"""`dvs128-gesture`: hand and arm gestures before an event camera."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from dista.data.class_folders import Piece, Recordings
from dista.data.errors import DataError, reading
from dista.data.files import data_folder, stratified
from dista.data.framing import check_form
from dista.data.recorded import Form, recorded_task
from dista.data.task import Task

CLASSES = (
    "hand clapping", "right hand wave", "left hand wave", "right arm clockwise",
    "right arm counter-clockwise", "left arm clockwise", "left arm counter-clockwise", "arm roll",
    "air drums", "air guitar", "other gestures",
)  # fmt: skip
_SIZE = (128, 128)
_UNFOLDED = "DvsGesture"  # what the published archive calls its folder
_TRIALS = {"train": "trials_to_train.txt", "test": "trials_to_test.txt"}
_VALIDATION = 0.1  # of the trials to train
_TEXT = 2**20  # bytes that a list or a table of labels may have
_LATEST = 2**62


def dvs128_gesture(*, root: str | Path | None = None, time_steps: int = 16) -> Task:
    """DVS128 Gesture (Amir et al. 2017): 11 gestures of 29 people, 128 x 128 pixels.

    ``root`` holds what the published archive unfolds to: ``trials_to_train.txt`` and ``trials_to_test.txt``,
    which name the recordings of the split (users 1 to 23 and 24 to 29), and for each ``user01_lab.aedat``
    (AEDAT 3.1) the table ``user01_lab_labels.csv``, with class (1 to 11), first and last microsecond of
    every gesture: 1,176 to train and 288 to test, as spikingjelly counts them [related]. Frames (time, 2,
    128, 128) count OFF (0) and ON (1) events in ``time_steps`` bins of equal length, from the first event of
    a gesture to its last. A tenth of those to train, the same share of each class, is for validation.

    The frames are made at the first call and kept in the user's cache folder. Recordings that are missing
    or cannot be read are left out, counted and named.
    """
    check_form(time_steps, _SIZE)
    folder = data_folder("dvs128-gesture", root)
    folder = folder / _UNFOLDED if (folder / _UNFOLDED).is_dir() else folder
    left_out: list[str] = []
    pieces = {part: _pieces(folder, name, left_out) for part, name in _TRIALS.items()}
    labels = np.array([piece.label for piece in pieces["train"]])
    train, validation = stratified(labels, (1 - _VALIDATION, _VALIDATION))
    parts = {
        "train": [pieces["train"][index] for index in train],
        "validation": [pieces["train"][index] for index in validation],
        "test": pieces["test"],
    }
    title = f"DVS128 Gesture, {len(CLASSES)} classes"
    recordings = Recordings(parts, CLASSES, tuple(left_out))
    return recorded_task("dvs128-gesture", title, recordings, Form(time_steps, _SIZE))


def _pieces(folder: Path, name: str, left_out: list[str]) -> list[Piece]:
    """The gestures of a split, by recording and time; DataError where there are none."""
    trials = [line.strip() for line in _text(folder / name).splitlines() if line.strip()]
    pieces, reasons = [], []
    for trial in trials:
        try:
            pieces += _gestures(folder, trial)
        except DataError as error:
            reasons.append(str(error))
    if not pieces:
        raise DataError(reasons[0] if reasons else f"{folder / name} names no recordings")
    if reasons:
        left_out.append(f"{len(reasons)} of {len(trials)} recordings of {name} ({reasons[0]})")
    return pieces


def _gestures(folder: Path, trial: str) -> list[Piece]:
    path = folder / trial
    if Path(trial).name != trial or path.suffix != ".aedat":
        raise DataError(
            f"{trial[:100]!r} is not the name of a recording beside the list; expected user01_lab.aedat"
        )
    if not path.is_file():
        raise DataError(f"{path} is not there")
    table = path.with_name(f"{path.stem}_labels.csv")
    text = _text(table)
    with reading(table, "a table of class, startTime_usec, endTime_usec"):
        rows = list(csv.reader(text.splitlines()))[1:]
        return [_piece(path, table, row) for row in rows if row]


def _piece(path: Path, table: Path, row: list[str]) -> Piece:
    label, start, end = (int(field) for field in row)
    if not (1 <= label <= len(CLASSES) and 0 <= start < end < _LATEST):
        raise DataError(
            f"{table} has the row {','.join(row)[:100]}; expected a class from 1 to {len(CLASSES)}, and an end "
            "after the start"
        )
    return Piece(path, label - 1, start, end)


def _text(path: Path) -> str:
    with reading(path, "a readable list or table"):
        if path.stat().st_size > _TEXT:
            raise ValueError(f"it has {path.stat().st_size} bytes")
        return path.read_text("utf-8")
