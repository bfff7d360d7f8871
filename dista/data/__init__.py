"""Tasks, one call away: `dista.data.open("digits")`, or `dista.data.open("cifar10", root=FOLDER)`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dista.data.cifar import CLASSES, FINE_CLASSES, cifar10, cifar100
from dista.data.cifar10_dvs import cifar10_dvs
from dista.data.digits import digits
from dista.data.digits_events import digits_events
from dista.data.dvs_gesture import CLASSES as GESTURES
from dista.data.dvs_gesture import dvs128_gesture
from dista.data.errors import DataError
from dista.data.fit import check_fits
from dista.data.match import match
from dista.data.recordings import nmnist, recordings
from dista.data.stand_ins import with_stand_ins
from dista.data.task import Batches, Split, Task

if TYPE_CHECKING:
    from dista.config import ModelConfig

__all__ = [
    "FROM_FILES",
    "Batches",
    "DataError",
    "Split",
    "Task",
    "check_fits",
    "check_options",
    "chosen_steps",
    "chosen_options",
    "fitting",
    "names",
    "open",
    "open_for",
    "with_stand_ins",
    "without_samples",
]

_TASKS: dict[str, Callable[..., Task]] = {
    "digits": digits,
    "digits-events": digits_events,
    "match": match,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "cifar10-dvs": cifar10_dvs,
    "dvs128-gesture": dvs128_gesture,
    "nmnist": nmnist,
    "recordings": recordings,
}

FROM_FILES = ("cifar10", "cifar100", "cifar10-dvs", "dvs128-gesture", "nmnist", "recordings")
"""Tasks that read files which the user has; the others come with the installation."""

_FORMS = {
    "digits": ((1, 28, 28), 10),
    "digits-events": ((2, 34, 34), 10),
    "match": ((1, 28, 28), 2),
    "cifar10": ((3, 32, 32), 10),
    "cifar100": ((3, 32, 32), 100),
    "cifar10-dvs": ((2, 128, 128), 10),
    "dvs128-gesture": ((2, 128, 128), 11),
    "nmnist": ((2, 34, 34), 10),
}


_CLASSES_AND_STEPS = {
    "cifar10": (CLASSES, None),
    "cifar100": (FINE_CLASSES, None),
    "cifar10-dvs": (CLASSES, 10),
    "dvs128-gesture": (GESTURES, 16),
    "nmnist": (tuple("0123456789"), 8),
}
"""Classes and time steps of tasks that are known without their files."""


def names() -> tuple[str, ...]:
    """The names `open` knows."""
    return tuple(_TASKS)


def fitting(input_shape: tuple[int, int, int], classes: int) -> tuple[str, ...]:
    """Tasks with inputs (channel, row, column) and as many classes, known without opening any.

    ``recordings``, whose form is that of its files, is never among them.
    """
    return tuple(name for name, form in _FORMS.items() if form == (tuple(input_shape), classes))


def open(name: str, *, root: str | Path | None = None, **options) -> Task:
    """The task of that name; options are its own.

    `root` is the folder of the files for those of FROM_FILES; where it is None they are looked for in
    the folder of the task's name in $DISTA_DATA. Nothing is ever written there. The others have no use
    for a folder.

    ValueError for an unknown name or option, listing the known ones, and for a folder that would be of no
    use; DataError, which is one, for missing files, and for damaged ones that cannot be left out.
    """
    if name not in _TASKS:
        raise ValueError(f"unknown data {name!r}: expected one of {', '.join(names())}")
    folder = {"root": root} if name in FROM_FILES else {}
    if root is not None and not folder:
        raise ValueError(
            f"{name!r} comes with the installation and reads no files, but {root} was given; leave the "
            f"folder out, or name the data that it holds: {', '.join(FROM_FILES)}"
        )
    make = _TASKS[name]
    _check_names(name, options, _parameters(name))
    own = {option: value for option, value in options.items() if option not in _BY_THE_MODEL}
    return replace(make(**folder, **options), options=own)


_BY_THE_MODEL = {
    "time_steps": "it has as many as the model; change --set model.time_steps",
    "classes": "they are those that the model was trained to tell apart",
}
"""Options of tasks that are no choice where a model is there already, and why."""


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """ValueError for options that the task of this name has no use for, or that follow from a model."""
    if name not in _TASKS:
        open(name)
    for option in options:
        if option in _BY_THE_MODEL and option in _parameters(name):
            raise ValueError(
                f"{option!r} of data {name!r} is no option here: {_BY_THE_MODEL[option]}"
            )
    _check_names(name, options, [one for one in _parameters(name) if one not in _BY_THE_MODEL])


def _parameters(name: str) -> list[str]:
    return [option for option in inspect.signature(_TASKS[name]).parameters if option != "root"]


def _check_names(name: str, options: Mapping[str, Any], parameters: Sequence[str]) -> None:
    for option in options:
        if option not in parameters:
            expected = f"expected one of {', '.join(parameters)}" if parameters else "it takes none"
            raise ValueError(f"unknown option {option!r} of data {name!r}: {expected}")


def open_for(
    config: ModelConfig,
    name: str,
    *,
    root: str | Path | None = None,
    classes: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Task:
    """The task as a model of ``config`` takes it: with its number of steps, where that can be chosen.

    ``options`` are the task's own, as ``delay_steps`` of ``match``; ValueError for others.

    ``classes`` are the names of its answers, where its card has them: a folder of ``recordings`` may hold
    some of them only, and its labels are the places of these names.
    """
    if name not in _TASKS:
        return open(name)
    check_options(name, options or {})
    of_model = chosen_options(name, config.time_steps, classes)
    return open(name, root=root, **of_model, **(options or {}))


def chosen_options(
    name: str, time_steps: int, classes: Sequence[str] | None = None
) -> dict[str, Any]:
    """The options with which ``open`` gives the task so many steps, and labels by these names.

    Those that the task has no use for are left out.
    """
    options = chosen_steps(name, time_steps)
    if classes and "classes" in inspect.signature(_TASKS[name]).parameters:
        options["classes"] = tuple(classes)
    return options


def chosen_steps(name: str, time_steps: int) -> dict[str, Any]:
    """The option with which ``open`` gives the task so many steps.

    None where it has as many anyway, or where they cannot be chosen: still images have no steps of
    their own, those of ``match`` follow from its other options.
    """
    option = inspect.signature(_TASKS[name]).parameters.get("time_steps")
    return {} if option is None or option.default == time_steps else {"time_steps": time_steps}


def without_samples(name: str, *, time_steps: int | None = None) -> Task:
    """A task as far as it is known without files: form, classes, empty splits.

    These are CIFAR's, ``cifar10-dvs``, ``dvs128-gesture`` and ``nmnist``. A model can be shown other inputs with it, frames
    of ``time_steps`` instead of as many as the task has by itself.
    ValueError for tasks whose form is that of their files.
    """
    if name not in _CLASSES_AND_STEPS:
        raise ValueError(
            f"nothing is known of {name!r} without its samples; expected {', '.join(_CLASSES_AND_STEPS)}"
        )
    (classes, steps), (shape, _) = _CLASSES_AND_STEPS[name], _FORMS[name]
    steps = steps and (time_steps or steps)
    inputs = torch.zeros((0, *([] if steps is None else [steps]), *shape), dtype=torch.uint8)
    unit = 1 / 255 if steps is None else 1.0
    splits = {
        part: Split(part, inputs, np.zeros(0, np.int64), unit)
        for part in ("train", "validation", "test")
    }
    return Task(name, classes, shape, steps, None, **splits, description=f"{name} without samples.")
