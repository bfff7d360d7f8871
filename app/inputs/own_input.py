"""What readers bring themselves: which kind a checkpoint can see, and how it becomes its input.

A text stands for it: a picture as it is in the link (``images``), or the key of a recording of events
(``event_files``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from app.inputs import event_files, images

if TYPE_CHECKING:
    from torch import Tensor

    from dista.data import Task

Kind = Literal["digit", "colours", "events"]


def kind(input_shape: Sequence[int]) -> Kind | None:
    """What a model with inputs (channel, row, column) can be shown; None where there is no way yet."""
    if input_shape[0] == 2:
        return "events"
    return {(1, 28, 28): "digit", (3, 32, 32): "colours"}.get(tuple(input_shape))


def put(text: str, task: Task, sample: int) -> Tensor:
    """What the model of ``task`` is shown; ValueError where the own input is damaged or gone.

    In match-to-sample images are put in the place of the probe or the cue of a held-out sample, with its noise.
    """
    what = kind(task.input_shape)
    if what == "events":
        return event_input(text, task)
    x = _around(task, sample)
    if what == "colours":
        return images.with_own_image(x, images.colour_pixels(text), task.step_labels)
    noise_of = getattr(task.test, "noise_of", None)
    noise = noise_of(sample) if noise_of else None
    for role, part in images.roles(text).items():
        if task.step_labels or role == "probe":
            pixels = images.image_pixels(part)
            x = images.with_own_image(x, pixels, task.step_labels, role, noise)
    return x


def _around(task: Task, sample: int) -> Tensor:
    """What the own image is put into: the held-out sample, or black where there are none."""
    import torch

    if len(task.test):
        return task.test.batch([sample])[0]
    return torch.zeros(1, *task.input_shape)


def event_input(key: str, task: Task) -> Tensor:
    """The recording on the shelf as frames; ValueError where it is not there, or does not fit."""
    from dista.data.recordings import as_input

    file = event_files.shelf().get(key)
    if file is None:
        raise ValueError(
            "this server does not have the recording of the link (any more); upload it again"
        )
    return as_input(file.events, task)
