"""What every data set looks like to the rest of the package: a Task with three Splits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from einops import rearrange

# (inputs, generator) -> inputs of the same shape; works on a whole batch and draws from the
# generator alone, so that a batch depends on nothing but (seed, epoch).
Augmentation = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


@dataclass(frozen=True)
class Task:
    """A classification problem: what goes in, what the answers are called, three splits.

    `input_shape` is (channel, row, column). `time_steps` is None for still images; for frames it
    is their number, and `step_labels` may then name what every step shows. `left_out` says of what was
    beside the samples, or was damaged, how much there was and why it is not among them. `options` are
    those of its own that `dista.data.open` was given: with them it is opened again.
    """

    name: str
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]
    time_steps: int | None
    step_labels: tuple[str, ...] | None
    train: Split
    validation: Split
    test: Split
    description: str
    left_out: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled samples, kept as bytes and served as float32.

    `inputs` is uint8: (sample, channel, row, column) for images, or (sample, time, channel, row,
    column) for frames. `labels` is int64 (sample,). `unit` is the value of one count when served:
    1/255 makes images run from 0 to 1, 1 leaves event counts as they are. A split without
    `augmentation` (validation, test) refuses `augment=True`.
    """

    name: str
    inputs: torch.Tensor
    labels: np.ndarray
    unit: float
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        self.labels.setflags(write=False)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def has_time(self) -> bool:
        """Whether samples are frames over time; their batches then start with the time axis."""
        return self.inputs.ndim == 5

    def sample(self, index: int) -> tuple[torch.Tensor, int]:
        """One sample without augmentation: (channel, row, column) or (time, channel, row, column).

        IndexError outside 0 .. len - 1.
        """
        x, y = self.batch([index])
        return (x[:, 0] if self.has_time else x[0]), int(y[0])

    def batch(self, indices) -> tuple[torch.Tensor, torch.Tensor]:
        """The samples of a sequence of indices, without augmentation.

        x is float32 (batch, channel, row, column), for frames (time, batch, channel, row, column);
        y is int64 (batch,). TypeError unless the indices are integers, IndexError where one is
        outside 0 .. len - 1.
        """
        indices = self._checked(indices)
        return self._collate(indices, None), self._answers(indices)

    def batches(
        self,
        size: int,
        *,
        shuffle: bool = False,
        augment: bool = False,
        seed: int = 0,
        epoch: int = 0,
    ) -> Batches:
        """The whole split once, as a sized iterable of (x, y); the last batch may be smaller.

        Order and augmentation follow from (seed, epoch) alone: iterating again repeats them.
        ValueError for a size below 1, a negative seed or epoch, or `augment` without augmentation.
        """
        for name, value, least in (("size", size, 1), ("seed", seed, 0), ("epoch", epoch, 0)):
            if value < least:
                raise ValueError(f"{name}={value}: expected an integer of at least {least}")
        if augment and self.augmentation is None:
            raise ValueError(
                f"augment=True: the {self.name} split has no augmentation; use augment=False"
            )
        return Batches(self._at_epoch(seed, epoch), size, shuffle, augment, seed, epoch)

    def _checked(self, indices) -> torch.Tensor:
        indices = torch.as_tensor(np.atleast_1d(np.asarray(indices)))
        if len(indices) and (indices.is_floating_point() or indices.dtype == torch.bool):
            raise TypeError(f"sample indices are {indices.dtype}: expected integers")
        outside = indices[(indices < 0) | (indices >= len(self))]
        if len(outside):
            raise IndexError(
                f"sample {int(outside[0])} is not in the {self.name} split: "
                f"valid are 0 to {len(self) - 1}"
            )
        return indices.long()

    def _answers(self, indices: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self.labels[indices.numpy()])

    def to(self, device: torch.device | str) -> Split:
        """The split with its bytes on a device, where its batches are then made and augmented."""
        return replace(self, inputs=self.inputs.to(device))

    # The two methods below are what a task with samples of its own replaces.

    def _collate(self, indices: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Model input of the chosen samples; augmented where a generator is given."""
        x = self.inputs[indices.to(self.inputs.device)].float().mul_(self.unit)
        if generator is not None:
            x = self.augmentation(x, generator)
        return rearrange(x, "batch time ... -> time batch ...") if self.has_time else x

    def _at_epoch(self, seed: int, epoch: int) -> Split:
        """The split as it is in that epoch: itself, unless samples are drawn afresh."""
        return self


@dataclass(frozen=True, eq=False)
class Batches:
    """One pass over a split: `len()` batches, the same ones at every iteration.

    Every batch draws its augmentation from a generator of its own, so that a pass can begin anywhere.
    With several processes, `world` of them, number `rank` gets its part of batches that are `world`
    times as large; the few samples that cannot be shared out evenly are left out of that pass.
    """

    split: Split
    size: int
    shuffle: bool
    augment: bool
    seed: int
    epoch: int
    start: int = 0
    rank: int = 0
    world: int = 1

    def __len__(self) -> int:
        """Batches of the whole pass, wherever it begins."""
        return math.ceil(len(self.split) // self.world / self.size)

    def part(self, *, start: int = 0, rank: int = 0, world: int = 1) -> Batches:
        """The same pass from batch `start` on, as process `rank` of `world` sees it."""
        return replace(self, start=start, rank=rank, world=world)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        count = len(self.split)
        shuffled = seeded_generator(self.seed, self.epoch)
        order = torch.randperm(count, generator=shuffled) if self.shuffle else torch.arange(count)
        shared = order[: count - count % self.world]
        for number, indices in enumerate(shared.split(self.size * self.world)):
            if number >= self.start:
                yield self._batch(number, indices[self.rank :: self.world])

    def _batch(self, number: int, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        generator = None
        if self.augment:
            generator = seeded_generator(self.seed, self.epoch, 1 + number, self.rank)
        return self.split._collate(indices, generator), self.split._answers(indices)


def seeded_generator(*numbers: int) -> torch.Generator:
    """A torch generator seeded by several numbers; (1, 0) and (0, 1) are unrelated streams."""
    seed = np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(seed))


def frozen_random(*numbers: int) -> np.random.RandomState:
    """A numpy generator whose stream never changes between numpy releases.

    Which digit is a test digit must not depend on the installed version, and RandomState is the
    one generator with that promise.
    """
    return np.random.RandomState(np.random.SeedSequence(numbers).generate_state(4))
