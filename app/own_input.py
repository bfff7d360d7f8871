"""What readers bring themselves: which kind a checkpoint can see, and how it becomes its input.

A text stands for it: a picture as it is in the link (``images``), or the key of a recording of events
(``event_files``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import event_files
import images

if TYPE_CHECKING:
    from torch import Tensor

    from dista.data import Task

Kind = Literal["digit", "colours", "events"]


def kind(input_shape: Sequence[int]) -> Kind | None:
    """What a model with inputs (channel, row, column) can be shown; None where there is no way yet."""
    if input_shape[0] == 2:
        return "events"
    return {(1, 28, 28): "digit", (3, 32, 32): "colours"}.get(tuple(input_shape))


def put(text: str, x: Tensor, task: Task) -> Tensor:
    """The input ``x`` of a held-out sample with the own input in its place; ValueError if it is damaged."""
    what = kind(task.input_shape)
    if what == "events":
        return event_input(text, task)
    pixels = images.colour_pixels(text) if what == "colours" else images.image_pixels(text)
    return images.with_own_image(x, pixels, task.step_labels)


def event_input(key: str, task: Task) -> Tensor:
    """The recording on the shelf as frames; ValueError where it is not there, or does not fit."""
    from dista.data.recordings import as_input

    recording = event_files.shelf().get(key)
    if recording is None:
        raise ValueError(
            "this server does not have the recording of the link (any more); upload it again"
        )
    return as_input(recording.events, task)
