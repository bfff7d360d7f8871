"""`nmnist` and `recordings`: event files by class."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dista.data.digits_events import SACCADES
from dista.data.event_readers import SUFFIXES, read_events
from dista.data.files import data_folder, stratified
from dista.data.task import Split, Task
from dista.data.warp import EventWarp

_LARGEST = 255  # frames are bytes
_STRAY = 0.02  # of the events of one recording may lie outside of what a model sees
_DURATION = {name: int(SACCADES.duration_us) for name in ("nmnist", "digits-events")}
_VALIDATION, _TEST = 0.1, 0.2  # of what is there for training; of all, where no split is given


def nmnist(*, root: str | Path | None = None, time_steps: int = 8) -> Task:
    """N-MNIST (Orchard et al. 2015): digits seen by a real event camera during three saccades.

    ``root`` holds ``Train`` and ``Test`` with a folder of .bin files for every digit, all of them or
    some. Frames (time, 2, 34, 34) count OFF (0) and ON (1) events in ``time_steps`` bins of equal
    length, which end at 315 ms, as in ``digits-events``. A tenth of Train is for validation.
    """
    side = SACCADES.sensor
    return _task(
        "nmnist", data_folder("nmnist", root), time_steps, (side, side), int(SACCADES.duration_us)
    )


def recordings(
    *,
    root: str | Path | None = None,
    time_steps: int = 10,
    size: tuple[int, int] | None = None,
) -> Task:
    """Any folder of event recordings by class.

    ``root`` holds ``train`` and ``test`` (in any case) with a folder for each class; or these folders
    themselves, of which a fifth is then for the test. Files are all that ``read_events`` reads. Each
    is cut from its first to its last event into ``time_steps`` bins of equal length. ``size`` is
    (rows, columns), by default what the largest coordinates need; events outside are left out.
    """
    folder = data_folder("recordings", root)
    return _task("recordings", folder, time_steps, size, None)


def _task(
    name: str, folder: Path, steps: int, size: tuple[int, int] | None, duration: int | None
) -> Task:
    if type(steps) is not int or steps < 1:
        raise ValueError(f"time_steps={steps!r}: expected an integer of at least 1")
    parts, classes = _parts(folder)
    size = size or _size([path for files in parts.values() for path, _ in files])
    splits = {
        part: _split(
            part, [path for path, _ in files], [c for _, c in files], steps, size, duration
        )
        for part, files in parts.items()
    }
    counts = ", ".join(f"{len(split)} for {part}" for part, split in splits.items())
    return Task(
        name=name,
        classes=classes,
        input_shape=(2, *size),
        time_steps=steps,
        step_labels=None,
        description=f"{len(classes)} classes of event recordings in {folder.name}: {counts}.",
        **splits,
    )


# Folders ------------------------------------------------------------------------------------------

Files = list[tuple[Path, int]]


def _parts(folder: Path) -> tuple[dict[str, Files], tuple[str, ...]]:
    """The files of each split with their class, and the names of the classes."""
    below = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    given = {"train", "test"} <= below.keys()
    source = below["train"] if given else folder
    classes = tuple(sorted(path.name for path in source.iterdir() if path.is_dir()))
    if len(classes) < 2:
        raise ValueError(f"{source} has {len(classes)} folders; expected one for each class")
    files = _files(source, classes)
    labels = np.array([label for _, label in files])
    if given:
        chosen = dict(
            zip(("train", "validation"), stratified(labels, (1 - _VALIDATION, _VALIDATION)))
        )
        parts = {name: [files[i] for i in indices] for name, indices in chosen.items()}
        return parts | {"test": _files(below["test"], classes)}, classes
    rest = 1 - _TEST
    shares = (rest * (1 - _VALIDATION), rest * _VALIDATION, _TEST)
    chosen = dict(zip(("train", "validation", "test"), stratified(labels, shares)))
    return {name: [files[i] for i in indices] for name, indices in chosen.items()}, classes


def _files(folder: Path, classes: tuple[str, ...]) -> Files:
    found = [
        (path, label)
        for label, name in enumerate(classes)
        for path in sorted((folder / name).glob("*"))
        if path.suffix in SUFFIXES
    ]
    if not found:
        raise ValueError(
            f"{folder} has no recordings in its folders {', '.join(classes[:5])}; "
            f"expected files that end in {', '.join(SUFFIXES)}"
        )
    return found


# Frames -----------------------------------------------------------------------------------------


def frames(
    events: np.ndarray, steps: int, size: tuple[int, int], duration: int | None = None
) -> np.ndarray:
    """Counts per bin of equal length, of events in order: uint8 (time, polarity, row, column).

    The bins cover 0 .. ``duration`` microseconds, or from the first to the last event. Later events
    belong to the last bin, those outside of ``size`` are left out.
    """
    rows, columns = size
    first, last = (0, duration - 1) if duration else events["t"][[0, -1]].tolist()
    events = events[_inside(events, size)]
    step = np.minimum((events["t"] - first) * steps // (last - first + 1), steps - 1)
    cell = ((step * 2 + (events["p"] > 0)) * rows + events["y"]) * columns + events["x"]
    counts = np.bincount(cell, minlength=steps * 2 * rows * columns)
    return np.minimum(counts, _LARGEST).astype(np.uint8).reshape(steps, 2, rows, columns)


def _inside(events: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    rows, columns = size
    y, x = events["y"], events["x"]
    return (y >= 0) & (y < rows) & (x >= 0) & (x < columns)


def as_input(events: np.ndarray, task: Task) -> torch.Tensor:
    """One recording as a model of ``task`` takes it: float32 counts (time, 1, 2, row, column).

    Bins are those of the task, 315 ms in all for ``nmnist`` and ``digits-events``; a recording that
    does not end in that time, and one for ``recordings``, is cut from its first to its last event. A
    few events outside of what the model sees, 2 % at most, are left out. ValueError where there are
    more, as from a camera of another size, or where the task is not one of events.
    """
    channels, *size = task.input_shape
    if channels != 2 or task.time_steps is None:
        raise ValueError(f"{task.name} is not a task of events; its inputs are {task.input_shape}")
    outside = int((~_inside(events, size)).sum())
    if outside > _STRAY * len(events):
        raise ValueError(
            f"{100 * outside / len(events):.0f} % of the events lie outside of the {size[0]} x {size[1]} pixels that "
            f"this model sees (x reaches {events['x'].max()}, y {events['y'].max()}); crop or scale "
            "the recording first"
        )
    duration = _DURATION.get(task.name)
    if duration and not (events["t"][0] >= 0 and events["t"][-1] < duration):
        duration = None
    counts = frames(events, task.time_steps, tuple(size), duration)
    return torch.from_numpy(counts).float().unsqueeze(1)


def _size(paths: list[Path]) -> tuple[int, int]:
    largest = [(e["y"].max(), e["x"].max()) for e in map(read_events, paths)]
    rows, columns = np.max(largest, axis=0) + 1
    return int(rows), int(columns)


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedSplit(Split):
    """Frames of recorded events, and the files that they are of."""

    paths: tuple[Path, ...]

    def events(self, index: int) -> np.ndarray:
        """The raw events of a sample, as ``read_events``; IndexError outside 0 .. len - 1."""
        return read_events(self.paths[int(self._checked([index])[0])])


def _split(
    part: str,
    paths: list[Path],
    labels: list[int],
    steps: int,
    size: tuple[int, int],
    duration: int | None,
) -> RecordedSplit:
    cut = functools.partial(frames, steps=steps, size=size, duration=duration)
    square = size[0] == size[1]
    return RecordedSplit(
        name=part,
        inputs=torch.from_numpy(np.stack([cut(read_events(path)) for path in paths])),
        labels=np.array(labels, np.int64),
        unit=1.0,
        augmentation=EventWarp() if part == "train" and square else None,
        paths=tuple(paths),
    )
