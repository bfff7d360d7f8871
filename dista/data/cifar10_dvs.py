"""`cifar10-dvs`: CIFAR-10's photographs, moved in front of an event camera."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from dista.data.cache import cached_rows
from dista.data.cifar import CLASSES
from dista.data.event_readers import SUFFIXES, read_events
from dista.data.files import data_folder, stratified
from dista.data.recordings import Files, RecordedSplit, frames
from dista.data.task import Task
from dista.data.warp import EventWarp

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
    the user's cache folder, from where a batch is read when it is used.
    """
    if type(time_steps) is not int or time_steps < 1:
        raise ValueError(f"time_steps={time_steps!r}: expected an integer of at least 1")
    folder = data_folder("cifar10-dvs", root)
    parts = _parts(_files(folder))
    paths = [path for files in parts.values() for path, _ in files]
    counts = torch.from_numpy(_frames(paths, time_steps))
    splits, start = {}, 0
    for part, files in parts.items():
        splits[part] = RecordedSplit(
            name=part,
            inputs=counts[start : start + len(files)],
            labels=np.array([label for _, label in files], np.int64),
            unit=1.0,
            augmentation=EventWarp() if part == "train" else None,
            paths=tuple(path for path, _ in files),
        )
        start += len(files)
    said = ", ".join(f"{len(split)} for {part}" for part, split in splits.items())
    return Task(
        name="cifar10-dvs",
        classes=CLASSES,
        input_shape=(2, *_SIZE),
        time_steps=time_steps,
        step_labels=None,
        description=f"CIFAR10-DVS, recordings of 10 classes: {said}.",
        **splits,
    )


def _files(folder: Path) -> list[list[Path]]:
    """The recordings of each class, in the order of their names."""
    missing = [name for name in CLASSES if not (folder / name).is_dir()]
    if missing:
        raise ValueError(
            f"{folder} has no folder {', '.join(missing)}; CIFAR10-DVS has one for each class"
        )
    files = [
        sorted(path for path in (folder / name).iterdir() if path.suffix in SUFFIXES)
        for name in CLASSES
    ]
    for name, found in zip(CLASSES, files):
        if len(found) < 3:
            raise ValueError(
                f"{folder / name} has {len(found)} recordings that end in {', '.join(SUFFIXES)}; "
                "expected at least 3, one for each of train, validation and test"
            )
    kinds = sorted({path.suffix for found in files for path in found})
    if len(kinds) > 1:
        raise ValueError(
            f"{folder} has files that end in {' and '.join(kinds)}; leave one kind there, as a recording "
            "that is there twice could be trained on and tested with"
        )
    return files


def _parts(files: list[list[Path]]) -> dict[str, Files]:
    """The files of each split with their class, in random order, which is always the same."""
    kept, test = [], []
    for label, paths in enumerate(files):
        held_out = max(1, len(paths) // _TEST)
        kept += [(path, label) for path in paths[:-held_out]]
        test += [(path, label) for path in paths[-held_out:]]
    train, validation = _shuffled(kept, 1 - _VALIDATION, _VALIDATION)
    return {"train": train, "validation": validation, "test": _shuffled(test, 1)[0]}


def _shuffled(files: Files, *shares: float) -> list[Files]:
    parts = stratified(np.array([label for _, label in files]), shares)
    return [[files[index] for index in part] for part in parts]


def _frames(paths: list[Path], steps: int) -> np.ndarray:
    """The frames of all recordings, uint8 (sample, time, polarity, row, column); cached."""
    facts = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime) for p in paths]
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:12]

    def made() -> Iterator[np.ndarray]:
        for path in tqdm(paths, "Reading recordings", disable=None):
            yield frames(_events(path), steps, _SIZE)

    return cached_rows(f"cifar10-dvs-1-{steps}-{key}", (len(paths), steps, 2, *_SIZE), made)


def _events(path: Path) -> np.ndarray:
    events = read_events(path)
    x, y = events["x"], events["y"]
    if min(x.min(), y.min()) < 0 or x.max() >= _SIZE[1] or y.max() >= _SIZE[0]:
        raise ValueError(
            f"{path} has events with x from {x.min()} to {x.max()} and y from {y.min()} to {y.max()}; "
            "CIFAR10-DVS has 128 x 128 pixels"
        )
    return events
