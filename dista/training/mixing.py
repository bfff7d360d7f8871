"""Augmentation and mixing of whole batches, as the configuration asks for.

Everything draws from torch's generators, seeded for each batch, and leaves the global ones alone.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import one_hot

from dista.config import TrainingConfig
from dista.data import Task
from dista.data.task import seeded_generator

_GROUPS = 8  # parts of a batch that draw a policy of their own
_ERASED = ((0.02, 0.33), (0.3, 3.3))  # area and aspect ratio of a random rectangle, as published

Mix = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Mixing:
    """(inputs, classes) of a batch to (inputs, targets); targets are shares where batches are mixed.

    ValueError where the configuration asks for something that the task's data cannot take.
    """

    def __init__(self, training: TrainingConfig, task: Task) -> None:
        self.training, self.classes = training, len(task.classes)
        check(training, task)

    def __call__(self, x: Tensor, y: Tensor, *numbers: int) -> tuple[Tensor, Tensor]:
        """The batch that ``numbers`` (seed, epoch, batch, process) decide."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeded_generator(*numbers, 1).initial_seed())
            if self.training.policy != "none":
                x = apply_policy(x, self.training.policy)
            if self.training.flip:
                x = flip(x, self.training.flip)
            if self.training.roll:
                x = roll(x, self.training.roll)
            if self.training.erasing:
                x = erase(x, self.training.erasing)
            mixes = self._mixes()
            if not mixes:
                return x, y
            return mixes[int(torch.randint(len(mixes), ()))](x, y)

    def _mixes(self) -> list[Mix]:
        from torchvision.transforms import v2

        config, mixes = self.training, []
        if config.mixup:
            mixes.append(_frames_too(v2.MixUp(alpha=config.mixup, num_classes=self.classes)))
        if config.cutmix:
            mixes.append(_frames_too(v2.CutMix(alpha=config.cutmix, num_classes=self.classes)))
        if config.eventmix:
            mixes.append(lambda x, y: eventmix(x, one_hot(y, self.classes), config.eventmix))
        return mixes


def check(training: TrainingConfig, task: Task) -> None:
    frames = task.time_steps is not None
    if frames and training.policy != "none":
        raise ValueError(
            f"policy={training.policy!r} is for images, but {task.name!r} has frames over time; "
            "use policy='none'"
        )
    if training.policy == "auto" and task.input_shape[0] != 3:
        raise ValueError(
            f"policy='auto' is for colour images; {task.name!r} has {task.input_shape[0]} channels"
        )
    if training.eventmix and not frames:
        raise ValueError(
            f"eventmix={training.eventmix} is for events, but {task.name!r} has images; use 0"
        )


def apply_policy(x: Tensor, policy: str) -> Tensor:
    """Images (batch, channel, row, column) in 0..1 after a policy of torchvision's.

    A policy draws once a call, so the batch is cut into groups that each get their own draw [ours]:
    between one draw a batch, which varies little, and one an image, which is slow.
    """
    from torchvision.transforms import v2

    transform = {
        "rand": v2.RandAugment,
        "trivial": v2.TrivialAugmentWide,
        "auto": lambda: v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10),
    }[policy]()
    groups = x.mul(255).round().to(torch.uint8).tensor_split(min(_GROUPS, len(x)))
    return torch.cat([transform(group) for group in groups]).float().div(255)


def flip(x: Tensor, probability: float) -> Tensor:
    """Mirror some samples left and right, all steps alike [related: arXiv 2203.06145]."""
    mirrored = torch.rand(x.shape[x.ndim - 4], 1, 1, 1) < probability
    return torch.where(mirrored.to(x.device), x.flip(-1), x)


def roll(x: Tensor, largest: int) -> Tensor:
    """Shift each sample by up to ``largest`` pixels along rows and columns, around the edges.

    All steps of a sample are shifted alike [related: arXiv 2203.06145].
    """
    batch = x.ndim - 4
    shifts = torch.randint(-largest, largest + 1, (x.shape[batch], 2)).tolist()
    moved = [one.roll(shift, (-2, -1)) for one, shift in zip(x.unbind(batch), shifts)]
    return torch.stack(moved, batch)


def erase(x: Tensor, probability: float) -> Tensor:
    """Set a random rectangle of some samples to 0, its size as published; all steps lose the same."""
    rows, columns = x.shape[-2:]
    batch = x.shape[x.ndim - 4]
    (least, most), (flat, tall) = _ERASED
    area = torch.empty(batch).uniform_(least, most) * rows * columns
    aspect = torch.empty(batch).uniform_(*torch.tensor([flat, tall]).log().tolist()).exp()
    height, width = (area * aspect).sqrt(), (area / aspect).sqrt()
    hit = torch.rand(batch) < probability
    inside_rows = _interval(rows, height)
    inside_columns = _interval(columns, width)
    gone = inside_rows[:, :, None] & inside_columns[:, None, :] & hit[:, None, None]
    return x * ~gone[:, None].to(x.device)


def _interval(size: int, length: Tensor) -> Tensor:
    """Where a random interval of that length lies on 0 .. size: bool (batch, size)."""
    low = torch.rand(len(length)) * (size - length).clamp(min=0)
    places = torch.arange(size) + 0.5
    return (places >= low[:, None]) & (places < (low + length)[:, None])


def eventmix(x: Tensor, shares: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Mix each sample with the next inside a blob of space and time [related: arXiv 2205.11739].

    ``x`` holds event counts (time, batch, channel, row, column), ``shares`` the classes (batch,
    class). The blob is the level set of one Gaussian with random centre and widths [ours: one, not a
    mixture], as large as a share drawn from Beta(alpha, alpha). The label is mixed by the events that
    either recording kept.
    """
    steps, batch, _, rows, columns = x.shape
    keep = torch.distributions.Beta(alpha, alpha).sample((batch,))
    field = _distances(batch, (steps, rows, columns))
    rank = field.flatten(1).argsort(1).argsort(1).view_as(field)
    own = rank < keep[:, None, None, None] * field[0].numel()
    own = rearrange(own, "batch time row column -> time batch 1 row column").to(x.device)
    other = x.roll(1, 1)
    mine, theirs = x * own, other * ~own
    events = [part.sum((0, 2, 3, 4)) for part in (mine, theirs)]
    share = (events[0] / (events[0] + events[1]).clamp(min=1e-9))[:, None]
    return mine + theirs, share * shares + (1 - share) * shares.roll(1, 0)


def _distances(batch: int, sizes: tuple[int, ...]) -> Tensor:
    """Squared distance to a random centre, in random units: (batch, time, row, column)."""
    total = torch.zeros(batch, *sizes)
    for axis, size in enumerate(sizes):
        places = torch.linspace(0, 1, size)
        offset = (places - torch.rand(batch, 1)) / torch.empty(batch, 1).uniform_(0.2, 1.0)
        shape = [batch, *(size if a == axis else 1 for a in range(len(sizes)))]
        total = total + offset.square().view(shape)
    return total


def _frames_too(mix: Mix) -> Mix:
    """``mix``, which takes images, for frames over time too: it sees their steps as more channels."""

    def mixed(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if x.ndim == 4:
            return mix(x, y)
        images = rearrange(x, "time batch channel row column -> batch (time channel) row column")
        images, y = mix(images, y)
        back = "batch (time channel) row column -> time batch channel row column"
        return rearrange(images, back, time=len(x)), y

    return mixed
