"""Noise in the input [ours]: to see what the denoiser takes out, and what survives it.

    x = dista.experiments.corruption.corrupt(x, Noise("occlusion", 0.4), samples=[3])

``level`` is in the unit of the kind; every kind leaves the input as it is at level 0.

    gaussian         standard deviation of what is added to each pixel
    salt-and-pepper  chance of a pixel to become either nothing or the largest value
    events           mean number of spurious events (in images: of white specks) at each pixel
    occlusion        side of a blank square at a random place, as a part of the region's sides
    painted          1, or 0 for none: pixels that someone marked, see ``dista.experiments.painting``

Frames are changed at every step, or at the one that ``Noise.step`` names. Images stay in 0..1; event counts stay whole and above 0, except for Gaussian noise. A sample's noise
follows from the seed and its number alone, whatever else is in the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from dista.experiments.painting import FULL, SPECKLED, paint_marks

Region = tuple[float, float, float, float]

REGIONS: dict[str, Region] = {
    "everywhere": (0, 0, 1, 1),
    "left half": (0, 0, 1, 0.5),
    "upper half": (0, 0, 0.5, 1),
    "centre": (0.25, 0.25, 0.75, 0.75),
}
"""Places by name, as top, left, bottom and right in parts of the image."""


class Noise(NamedTuple):
    """What is done to an input: a kind of ``KINDS``, how much, and where, by a name of ``REGIONS``.

    ``paint`` is the text of what was painted, of painted noise, which says itself where it is. ``step``,
    from 0, leaves all other steps of frames (time, batch, channel, row, column) as they are; what it does
    at this step is what it does there without it. Images have no steps: theirs is None.
    """

    kind: str = "gaussian"
    level: float = 0.0
    where: str = "everywhere"
    paint: str = ""
    step: int | None = None


def _gaussian(x: Tensor, noise: Noise, largest: float, generator: Generator) -> Tensor:
    return x + noise.level * torch.randn(x.shape, generator=generator)


def _salt_and_pepper(x: Tensor, noise: Noise, largest: float, generator: Generator) -> Tensor:
    drawn = torch.rand(x.shape, generator=generator)
    x = x.masked_fill(drawn < noise.level / 2, 0)
    return x.masked_fill((noise.level / 2 <= drawn) & (drawn < noise.level), largest)


def _events(x: Tensor, noise: Noise, largest: float, generator: Generator) -> Tensor:
    return x + torch.poisson(torch.full(x.shape, float(noise.level)), generator=generator)


def _occlusion(x: Tensor, noise: Noise, largest: float, generator: Generator) -> Tensor:
    rows, columns = (round(noise.level * size) for size in x.shape[-2:])
    top, left = (
        int(torch.randint(size - side + 1, (), generator=generator))
        for size, side in zip(x.shape[-2:], (rows, columns))
    )
    x = x.clone()
    x[..., top : top + rows, left : left + columns] = 0
    return x


def _painted(x: Tensor, noise: Noise, largest: float, generator: Generator) -> Tensor:
    marks = torch.from_numpy(paint_marks(noise.paint, *x.shape[-2:]))
    drawn = torch.rand(x.shape, generator=generator) < 0.5
    full = (marks == FULL) | ((marks == SPECKLED) & drawn)
    return x.masked_fill(marks > 0, 0).masked_fill(full, largest)


KINDS: dict[str, tuple[Callable[[Tensor, Noise, float, Generator], Tensor], float]] = {
    "gaussian": (_gaussian, float("inf")),
    "salt-and-pepper": (_salt_and_pepper, 1.0),
    "events": (_events, float("inf")),
    "occlusion": (_occlusion, 1.0),
    "painted": (_painted, 1.0),
}
"""The function of each kind and its largest level."""


UNITS = {
    "gaussian": "standard deviation per {}",
    "salt-and-pepper": "chance per {}",
    "events": "mean events per {}",
    "occlusion": "side, as a part",
    "painted": "there or not",
}
"""What the level of each kind is, and of what: the place is that of ``unit``."""


def unit(kind: str, shape: Sequence[int], *, counts: bool = False) -> str:
    """What a level of ``kind`` means for inputs of ``shape``: ``0.1`` is "standard deviation per pixel", say.

    ``shape`` is (batch, channel, row, column), or (time, batch, channel, row, column) of frames, whose noise is drawn
    anew at each step; ``counts`` says that channels are polarities of events.
    """
    places = ["pixel"]
    if shape[-3] > 1:
        places.append("polarity" if counts else "colour")
    if len(shape) == 5:
        places.append("step")
    each = " and ".join([", ".join(places[:-1]), places[-1]]) if len(places) > 1 else places[0]
    return UNITS[kind].format(each)


def added(x: Tensor, noisy: Tensor) -> float:
    """What was really added: the root mean square of the change, after all limits that an input has.

    Images end at 0 and 1 and event counts at 0, so that it is less than was drawn.
    """
    return float(((noisy - x).double() ** 2).mean() ** 0.5)


def corrupt(
    x: Tensor, noise: Noise, samples: Sequence[int], *, counts: bool = False, seed: int = 0
) -> Tensor:
    """``x`` with noise: images (batch, channel, row, column) or frames (time, batch, ...).

    ``samples`` are the numbers of the samples in the batch; frames have noise of their own at each
    step. ``counts`` says that ``x`` holds event counts. ValueError for a kind, level or place that
    does not exist, or where ``samples`` does not fit the batch.
    """
    _check(x, noise, samples)
    if not noise.level:
        return x
    parts = [_one(part, noise, counts, seed, s) for part, s in zip(x.unbind(x.ndim - 4), samples)]
    return torch.stack(parts, x.ndim - 4)


def _one(x: Tensor, noise: Noise, counts: bool, *seeds: int) -> Tensor:
    """One sample with noise in the region, and nowhere else."""
    from dista.data.task import seeded_generator

    rows, columns = x.shape[-2:]
    top, left, bottom, right = REGIONS[noise.where]
    region = (
        ...,
        slice(round(top * rows), round(bottom * rows)),
        slice(round(left * columns), round(right * columns)),
    )
    largest = max(1.0, float(x.max())) if counts else 1.0
    change, _ = KINDS[noise.kind]
    noisy = x.clone()
    noisy[region] = change(x[region], noise, largest, seeded_generator(*seeds))
    noisy[region].clamp_(0, None if counts else 1)
    if noise.step is None:
        return noisy
    x = x.clone()
    x[noise.step] = noisy[noise.step]
    return x


def _check(x: Tensor, noise: Noise, samples: Sequence[int]) -> None:
    if noise.kind not in KINDS:
        raise ValueError(f"noise kind {noise.kind!r}; expected one of {', '.join(KINDS)}")
    if noise.where not in REGIONS:
        raise ValueError(f"noise where={noise.where!r}; expected one of {', '.join(REGIONS)}")
    largest = KINDS[noise.kind][1]
    if not 0 <= noise.level <= largest:
        upper = f" and at most {largest:g}" if largest < float("inf") else ""
        raise ValueError(f"noise={noise.level:g}; expected a level of at least 0{upper}")
    if noise.kind == "painted" and (noise.level not in (0, 1) or noise.where != "everywhere"):
        raise ValueError(
            f"painted noise has the level {noise.level:g}, {noise.where}; it is there or not, where it was "
            "painted: give the level 0 or 1, and no place"
        )
    steps = len(x) if x.ndim == 5 else 0
    if noise.step is not None and not 0 <= noise.step < steps:
        there = f"the frames have the steps 0 to {steps - 1}" if steps else "an image has no steps"
        raise ValueError(f"noise at step={noise.step}; {there}")
    if len(samples) != x.shape[x.ndim - 4]:
        raise ValueError(
            f"{len(samples)} samples for a batch of {x.shape[x.ndim - 4]}; give the number of each"
        )
