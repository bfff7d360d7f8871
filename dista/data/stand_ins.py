"""Ten samples in the place of a task's own, where its files are not here: made by this package, and said to be.

CIFAR-10's pictures come without a licence to pass them on, and recordings of N-MNIST are a download: a model
trained on either is shown something of the same form. Nothing is measured on stand-ins.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from dista.data.digits import load_digits, split_indices
from dista.data.digits_events import SACCADES, record_digits
from dista.data.framing import frames
from dista.data.task import Task

SAID = {
    "nmnist": "Held-out digits of MNIST, filmed by this package's simulated camera: not recordings of N-MNIST.",
    "cifar10": "Pictures drawn by a program, one of each class: not of CIFAR-10, and unlike photographs.",
}
"""What stands in, by task."""

Colour = tuple[int, ...]
Shape = tuple[str, Colour, tuple[int, ...]]

_SIDE, _FINE = 32, 4
_SKY, _GRASS, _SEA, _ROAD = (150, 190, 225), (110, 150, 80), (60, 100, 140), (120, 120, 122)
# Of each class: the colour above and below the horizon, and shapes (kind, colour, places in 0..32).
_SCENES: tuple[tuple[Colour, Colour, tuple[Shape, ...]], ...] = (
    (_SKY, _SKY, (("polygon", (235, 235, 240), (3, 17, 26, 13, 30, 15, 26, 18)),
                  ("polygon", (200, 205, 212), (14, 16, 20, 15, 12, 27, 9, 27)),
                  ("polygon", (200, 205, 212), (4, 17, 7, 17, 4, 9, 2, 9)))),
    (_SKY, _ROAD, (("polygon", (190, 40, 40), (3, 18, 9, 17, 12, 11, 23, 11, 27, 17, 30, 19, 30, 24, 3, 24)),
                   ("polygon", (60, 80, 100), (11, 17, 13, 13, 17, 13, 17, 17)),
                   ("ellipse", (25, 25, 25), (6, 21, 12, 27)), ("ellipse", (25, 25, 25), (21, 21, 27, 27)))),
    (_SKY, _GRASS, (("ellipse", (120, 85, 60), (8, 12, 23, 22)), ("ellipse", (120, 85, 60), (20, 7, 27, 14)),
                    ("polygon", (225, 160, 50), (26, 10, 30, 11, 26, 12)),
                    ("polygon", (85, 60, 40), (2, 13, 11, 15, 11, 18)), ("line", (60, 45, 30), (15, 21, 14, 28)))),
    ((150, 130, 110), (110, 90, 75), (("ellipse", (110, 105, 100), (7, 15, 25, 31)),
                                      ("ellipse", (120, 115, 110), (9, 6, 23, 19)),
                                      ("polygon", (110, 105, 100), (10, 10, 11, 2, 15, 7)),
                                      ("polygon", (110, 105, 100), (22, 10, 21, 2, 17, 7)),
                                      ("ellipse", (210, 200, 80), (12, 10, 14, 13)),
                                      ("ellipse", (210, 200, 80), (18, 10, 20, 13)))),
    (_SKY, _GRASS, (("ellipse", (150, 110, 70), (6, 13, 23, 22)), ("polygon", (150, 110, 70), (20, 16, 24, 6, 28, 8, 24, 17)),
                    ("line", (110, 80, 50), (8, 20, 8, 30)), ("line", (110, 80, 50), (20, 20, 21, 30)),
                    ("line", (90, 65, 40), (25, 7, 23, 1)), ("line", (90, 65, 40), (27, 7, 30, 1)))),
    ((190, 180, 165), _GRASS, (("ellipse", (175, 130, 80), (6, 14, 26, 31)), ("ellipse", (185, 140, 90), (9, 5, 23, 19)),
                               ("ellipse", (120, 80, 45), (6, 6, 11, 17)), ("ellipse", (120, 80, 45), (21, 6, 26, 17)),
                               ("ellipse", (25, 20, 20), (14, 13, 18, 16)))),
    ((80, 110, 60), (90, 80, 55), (("ellipse", (95, 150, 50), (5, 13, 27, 27)), ("ellipse", (95, 150, 50), (8, 8, 14, 15)),
                                   ("ellipse", (95, 150, 50), (18, 8, 24, 15)), ("ellipse", (20, 20, 15), (10, 9, 13, 12)),
                                   ("ellipse", (20, 20, 15), (19, 9, 22, 12)))),
    (_SKY, _GRASS, (("ellipse", (95, 60, 40), (7, 12, 23, 21)), ("polygon", (95, 60, 40), (19, 16, 24, 4, 30, 8, 24, 18)),
                    ("polygon", (50, 30, 20), (7, 14, 3, 24, 8, 18)), ("line", (80, 50, 30), (9, 19, 8, 30)),
                    ("line", (80, 50, 30), (13, 20, 14, 30)), ("line", (80, 50, 30), (21, 19, 22, 30)))),
    (_SKY, _SEA, (("polygon", (225, 225, 228), (3, 18, 29, 18, 25, 24, 7, 24)), ("polygon", (160, 50, 45), (4, 21, 27, 21, 25, 24, 7, 24)),
                  ("polygon", (240, 240, 240), (10, 12, 21, 12, 21, 18, 10, 18)), ("polygon", (60, 60, 65), (14, 6, 17, 6, 17, 12, 14, 12)))),
    (_SKY, _ROAD, (("polygon", (230, 230, 225), (3, 8, 20, 8, 20, 23, 3, 23)), ("polygon", (40, 80, 150), (20, 13, 26, 13, 30, 18, 30, 23, 20, 23)),
                   ("ellipse", (25, 25, 25), (5, 20, 11, 26)), ("ellipse", (25, 25, 25), (22, 20, 28, 26)))),
)  # fmt: skip


def with_stand_ins(task: Task) -> Task:
    """The task, which has no samples, with ten for its test; itself where there is nothing that could stand in."""
    if task.name not in SAID:
        return task
    inputs = _frames(task) if task.name == "nmnist" else drawn()
    test = replace(task.test, inputs=torch.from_numpy(inputs), labels=np.arange(10))
    return replace(task, test=test, description=SAID[task.name])


def is_stand_in(task: Task) -> bool:
    """Whether the samples are not the task's own."""
    return task.description == SAID.get(task.name)


def _frames(task: Task) -> np.ndarray:
    """``filmed``, cut into the steps of the task: uint8 (sample, time, 2, 34, 34)."""
    side, steps = SACCADES.sensor, task.time_steps or 1
    form = (steps, (side, side), int(SACCADES.duration_us))
    return np.stack([frames(events, *form) for events in filmed()]).astype(np.uint8)


def filmed() -> list[np.ndarray]:
    """The events of the first held-out digit of each class: fields x, y, t (microseconds), p."""
    images, labels = load_digits()
    held_out = split_indices(labels)["test"]
    of_class = [held_out[np.flatnonzero(labels[held_out] == digit)[0]] for digit in range(10)]
    return record_digits(images[of_class])


def drawn() -> np.ndarray:
    """A scene of each class: uint8 (sample, 3, 32, 32)."""
    return np.stack([_scene(number, *scene) for number, scene in enumerate(_SCENES)])


def _scene(number: int, above: Colour, below: Colour, shapes: tuple[Shape, ...]) -> np.ndarray:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (_SIDE * _FINE, _SIDE * _FINE), above)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 20 * _FINE, _SIDE * _FINE, _SIDE * _FINE), fill=below)
    for kind, colour, places in shapes:
        at = [place * _FINE for place in places]
        width = {"width": 2 * _FINE} if kind == "line" else {}
        getattr(pen, kind)(at, fill=colour, **width)
    small = np.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.BOX), float)
    noise = np.random.default_rng(number).normal(0, 6, small.shape)  # no surface is of one colour
    return (small + noise).clip(0, 255).astype(np.uint8).transpose(2, 0, 1)
