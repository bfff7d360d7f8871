"""`cifar10-dvs`: CIFAR-10's photographs, moved in front of an event camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dista.data.cifar import CLASSES
from dista.data.class_folders import Parts, Piece, Recordings, visible
from dista.data.errors import DataError
from dista.data.event_readers import SUFFIXES, is_recording
from dista.data.files import data_folder, stratified
from dista.data.framing import check_form
from dista.data.recorded import Form, recorded_task
from dista.data.task import Task

_SIZE = (128, 128)
_TEST = 10  # one in so many recordings of a class
_VALIDATION = 0.1  # of the others


def cifar10_dvs(*, root: str | Path | None = None, time_steps: int = 10) -> Task:
    """CIFAR10-DVS (Li et al. 2017): 1,000 recordings of each of CIFAR-10's classes, 128 x 128 pixels.

    ``root`` holds a folder for each class, airplane to truck, as the published archives unfold: with
    cifar10_airplane_0.aedat and so on, all of them or some. Tonic's .aedat4 and spikingjelly's .npz
    (its folder ``events_np``) will do as well; what ``read_events`` says of each holds. Frames (time,
    2, 128, 128) count OFF (0) and ON (1) events in ``time_steps`` bins of equal length, from the first
    event to the last [ours: Spikformer has bins with equal numbers of events].

    The data set has no split of its own. For the test is the last tenth of each class in the order of
    the files' names, as letters sort them: what Spikformer trains with [related]. spikingjelly also
    has TEBN's, numbers 0 to 99, on which it finds higher accuracies; for that one, put the files into
    ``train`` and ``test`` and open them as ``recordings``. A tenth of the rest is for validation.

    The frames of all take 3.3 GB at 10 steps. They are made at the first call, in minutes, and kept in
    the user's cache folder, from where a batch is read when it is used. Recordings that cannot be read are
    left out, counted and named.
    """
    check_form(time_steps, _SIZE)
    parts = _parts(_files(data_folder("cifar10-dvs", root)))
    title = "CIFAR10-DVS, recordings of 10 classes"
    return recorded_task(
        "cifar10-dvs", title, Recordings(parts, CLASSES, ()), Form(time_steps, _SIZE)
    )


def _files(folder: Path) -> list[list[Path]]:
    """The recordings of each class, in the order of their names."""
    missing = [name for name in CLASSES if not (folder / name).is_dir()]
    if missing:
        raise DataError(
            f"{folder} has no folder {', '.join(missing)}; CIFAR10-DVS has one for each class"
        )
    files = [
        [path for path in visible((folder / name).iterdir()) if is_recording(path)]
        for name in CLASSES
    ]
    for name, paths in zip(CLASSES, files):
        if len(paths) < 3:
            raise DataError(
                f"{folder / name} has {len(paths)} recordings that end in {', '.join(SUFFIXES)}; "
                "expected at least 3, one for each of train, validation and test"
            )
    kinds = sorted({path.suffix.lower() for paths in files for path in paths})
    if len(kinds) > 1:
        raise DataError(
            f"{folder} has files that end in {' and '.join(kinds)}; leave one kind there, as a recording "
            "that is there twice could be trained on and tested with"
        )
    return files


def _parts(files: list[list[Path]]) -> Parts:
    """The recordings of each split, in random order, which is always the same."""
    rest, test = [], []
    for label, paths in enumerate(files):
        held_out = max(1, len(paths) // _TEST)
        rest += [Piece(path, label) for path in paths[:-held_out]]
        test += [Piece(path, label) for path in paths[-held_out:]]
    train, validation = _shuffled(rest, 1 - _VALIDATION, _VALIDATION)
    return {"train": train, "validation": validation, "test": _shuffled(test, 1)[0]}


def _shuffled(pieces: list[Piece], *shares: float) -> list[list[Piece]]:
    parts = stratified(np.array([piece.label for piece in pieces]), shares)
    return [[pieces[index] for index in part] for part in parts]
