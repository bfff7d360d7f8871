"""`nmnist` and `recordings`: event files by class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from dista.data.class_folders import find
from dista.data.digits import CLASSES
from dista.data.digits_events import SACCADES
from dista.data.files import data_folder
from dista.data.framing import check_form, fitting_frames, frames
from dista.data.recorded import Form, RecordedSplit, recorded_task
from dista.data.task import Task

__all__ = ["RecordedSplit", "as_input", "frames", "nmnist", "recordings"]

_DURATION = {name: int(SACCADES.duration_us) for name in ("nmnist", "digits-events")}


def nmnist(*, root: str | Path | None = None, time_steps: int = 8) -> Task:
    """N-MNIST (Orchard et al. 2015): digits seen by a real event camera during three saccades.

    ``root`` holds ``Train`` and ``Test`` with a folder of .bin files for every digit, all of them or some:
    the classes are always 0 to 9. Frames (time, 2, 34, 34) count OFF (0) and ON (1) events in
    ``time_steps`` bins of equal length, which end at 315 ms, as in ``digits-events``. A tenth of Train is
    for validation. Recordings that cannot be read are left out, counted and named.
    """
    folder, side = data_folder("nmnist", root), SACCADES.sensor
    form = Form(time_steps, (side, side), _DURATION["nmnist"])
    check_form(form.steps, form.size)
    return _task("nmnist", folder, CLASSES, form)


def recordings(
    *,
    root: str | Path | None = None,
    time_steps: int = 10,
    size: tuple[int, int] | None = None,
    classes: Sequence[str] | None = None,
) -> Task:
    """Any folder of event recordings by class.

    ``root`` holds ``train`` and ``test`` (in any case, ``validation`` as well where there is one) with a
    folder for each class; or these folders themselves, of which a fifth is then for the test. Files are all
    that ``read_events`` reads; those that cannot be read are left out, counted and named. Each is cut from
    its first to its last event into ``time_steps`` bins of equal length. ``size`` is (rows, columns), by
    default what the largest coordinates need, but for strays; events outside are left out. ``classes`` are
    the names of folders in the order of their labels, by default all there are, sorted.
    """
    folder = data_folder("recordings", root)
    form = Form(time_steps, None if size is None else tuple(size), crop=size is not None)
    check_form(form.steps, form.size)
    return _task("recordings", folder, classes, form)


def _task(name: str, folder: Path, classes: Sequence[str] | None, form: Form) -> Task:
    recordings = find(folder, classes)
    title = f"{len(recordings.classes)} classes of event recordings in {folder.name}"
    return recorded_task(name, title, recordings, form)


def as_input(events: np.ndarray, task: Task) -> torch.Tensor:
    """One recording as a model of ``task`` takes it: float32 counts (time, 1, 2, row, column).

    They are those of ``frames`` with the bins of the task, as in its data set: 315 ms in all for ``nmnist``
    and ``digits-events``, from the first event to the last for all others. A few events outside of what the
    model sees, 2 % at most, are left out. DataError where there are more, as from a camera of another size,
    and where all of them fall into one step, as of times in seconds; ValueError where the task is not one
    of events.
    """
    channels, *size = task.input_shape
    if channels != 2 or task.time_steps is None:
        raise ValueError(f"{task.name} is not a task of events; its inputs are {task.input_shape}")
    counts = fitting_frames(events, task.time_steps, tuple(size), _DURATION.get(task.name))
    return torch.from_numpy(counts).float().unsqueeze(1)
