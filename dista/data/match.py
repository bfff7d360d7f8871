"""`match`: delayed match-to-sample, the classic task of working memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import rearrange

from dista.data.digits import digits
from dista.data.task import Split, Task, frozen_random, seeded_generator
from dista.data.warp import Warp

CLASSES = ("different", "same")
PAIRS = {"train": 4000, "validation": 1000, "test": 2000}
DELAYS = ("blank", "distractors")
_NOISE_FIELDS = 256
# Half as strong as for single digits: a pair says one bit, too little to learn strong ones from.
_AUGMENTATION = Warp(rotation=6, scale=(0.93, 1.07), shear=0.05, translation=1, elastic=0.4)


def match(
    *,
    cue_steps: int = 2,
    delay_steps: int = 4,
    probe_steps: int = 2,
    delay: str = "blank",
    noise: float = 0.1,
    training_noise: float | None = None,
) -> Task:
    """A cue digit, a delay, a probe digit: is it the same digit class again?

    Frames (time, batch, 1, 28, 28) in 0..1. A still image gives temporal attention nothing to do;
    here the answer needs a step that is long gone. Matching pairs show two different images of a
    class, so pixels cannot be compared. The delay is `blank`, or shows one other random digit a
    step (`distractors`). `noise` is the standard deviation of grey added to every step: without
    it, spiking neurons that fire steadily through a blank delay keep the cue in the phase of their
    spikes, and no memory in attention is needed. `training_noise` is that of the training split
    alone, where it is to be another one than in validation and test.
    Training pairs are drawn afresh every epoch; those of validation and test are fixed and made
    of those digits alone. ValueError for an option outside its range.
    """
    _check_options(cue_steps, delay_steps, probe_steps, delay)
    noises = dict.fromkeys(PAIRS, _checked("noise", noise))
    if training_noise is not None:
        noises["train"] = _checked("training_noise", training_noise)
    distractors = delay_steps if delay == "distractors" else 0
    between = range(1, 1 + distractors) if distractors else [-1] * delay_steps
    timeline = [0] * cue_steps + list(between) + [1 + distractors] * probe_steps
    source = digits()
    splits = {
        name: _pair_split(getattr(source, name), count, number, tuple(timeline), noises[name])
        for number, (name, count) in enumerate(PAIRS.items())
    }
    steps = ("cue",) * cue_steps + ("delay",) * delay_steps + ("probe",) * probe_steps
    return Task(
        name="match",
        classes=CLASSES,
        input_shape=(1, 28, 28),
        time_steps=len(steps),
        step_labels=steps,
        description="Delayed match-to-sample: do cue and probe show the same digit?",
        **splits,
    )


def _check_options(cue: int, delay: int, probe: int, kind: str) -> None:
    for name, steps, least in (("cue", cue, 1), ("delay", delay, 0), ("probe", probe, 1)):
        if type(steps) is not int or steps < least:
            raise ValueError(f"{name}_steps={steps!r}: expected an integer of at least {least}")
    if kind not in DELAYS:
        raise ValueError(f"delay={kind!r}: expected one of {', '.join(DELAYS)}")


def _checked(name: str, noise: float) -> float:
    if type(noise) not in (int, float) or not 0 <= noise <= 1:
        raise ValueError(f"{name}={noise!r}: expected a standard deviation from 0 to 1")
    return noise


@dataclass(frozen=True, eq=False, kw_only=True)
class MatchSplit(Split):
    """Pairs of digits. `inputs` holds the digits, `labels` says of every pair whether it matches.

    `shown` (pair, item) are the digits of a pair as indices into `inputs`: cue, distractors,
    probe. `timeline` says which item a step shows, -1 a blank. `digit_labels` are the classes of
    `inputs`; `fields` (pair, time) picks the noise of a step out of `noise` (field, channel, row,
    column), so that a sample looks the same whenever it is asked for.
    """

    shown: torch.Tensor
    timeline: tuple[int, ...]
    digit_labels: np.ndarray
    fields: torch.Tensor
    noise: torch.Tensor | None
    fresh: bool  # whether every epoch draws new pairs

    @property
    def has_time(self) -> bool:
        return True

    @property
    def step_digits(self) -> np.ndarray:
        """The digit class every step shows, (pair, time); -1 where it is blank."""
        classes = self.digit_labels[self.shown.numpy()]
        blank = np.full((len(self), 1), -1)
        return np.concatenate([classes, blank], axis=1)[:, list(self.timeline)]

    def _collate(self, indices: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        shown = self.shown[indices]
        images = self.inputs[shown.flatten()].float().mul_(self.unit)
        if generator is not None:
            images = self.augmentation(images, generator)
        items = rearrange(images, "(batch item) ... -> item batch ...", item=shown.shape[1])
        blank = torch.zeros_like(items[:1])
        frames = torch.cat([items, blank])[list(self.timeline)]
        if self.noise is not None:
            fields = rearrange(self.fields[indices], "batch time -> time batch")
            frames = frames.add_(self.noise[fields]).clamp_(0, 1)
        return frames

    def noise_of(self, index: int) -> torch.Tensor:
        """The grey that is added to each step of a sample: (time, channel, row, column)."""
        if self.noise is None:
            return torch.zeros(len(self.timeline), *self.inputs.shape[1:])
        return self.noise[self.fields[int(self._checked([index])[0])]]

    def to(self, device: torch.device | str) -> Split:
        """Itself: pairs are put together from digits and noise on the CPU."""
        return self

    def _at_epoch(self, seed: int, epoch: int) -> Split:
        if not self.fresh:
            return self
        random = frozen_random(0, seed, epoch)
        return replace(self, **_pairs(self.digit_labels, len(self), self.timeline, random))


def _pair_split(
    source: Split, count: int, stream: int, timeline: tuple[int, ...], noise: float
) -> MatchSplit:
    """Fixed pairs of the digits of a split; for training they are those of seed 0, epoch 0."""
    normal = torch.randn(_NOISE_FIELDS, *source.inputs.shape[1:], generator=seeded_generator(5))
    return MatchSplit(
        name=source.name,
        inputs=source.inputs,
        unit=source.unit,
        augmentation=source.augmentation and _AUGMENTATION,
        timeline=timeline,
        digit_labels=source.labels,
        noise=normal.mul(noise) if noise else None,
        fresh=source.name == "train",
        **_pairs(source.labels, count, timeline, frozen_random(stream, 0, 0)),
    )


def _pairs(
    digit_labels: np.ndarray,
    count: int,
    timeline: tuple[int, ...],
    random: np.random.RandomState,
) -> dict[str, torch.Tensor | np.ndarray]:
    """The fields of a MatchSplit that are drawn: shown, labels, fields."""
    shown, labels = draw_pairs(digit_labels, count, max(timeline) - 1, random)
    fields = random.randint(_NOISE_FIELDS, size=(count, len(timeline)))
    return {"shown": torch.from_numpy(shown), "labels": labels, "fields": torch.from_numpy(fields)}


def draw_pairs(
    digit_labels: np.ndarray, count: int, distractors: int, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Balanced pairs: digits (pair, 2 + distractors) as cue, distractors, probe; labels (pair,).

    Half of the pairs match. Cue and probe classes are spread evenly in both halves, so neither
    digit alone says anything about the answer. `digit_labels` needs all ten classes equally often.
    """
    members = np.argsort(digit_labels, kind="stable").reshape(10, -1)
    number, labels = np.arange(count) // 2, np.arange(count) % 2
    cue_class = number % 10
    probe_class = np.where(labels == 1, cue_class, (cue_class + 1 + number // 10 % 9) % 10)
    per_class = members.shape[1]
    place = random.randint(per_class, size=count)
    # Another image of the class: any of the places but the cue's.
    other = (place + random.randint(1, per_class, size=count)) % per_class
    cue, probe = members[cue_class, place], members[probe_class, other]
    shown = np.column_stack([cue, _others(cue, probe, distractors, digit_labels, random), probe])
    order = random.permutation(count)
    return shown[order], labels[order].astype(np.int64)


def _others(
    cue: np.ndarray,
    probe: np.ndarray,
    distractors: int,
    digit_labels: np.ndarray,
    random: np.random.RandomState,
) -> np.ndarray:
    """Random digits (pair, distractor) of any class that are neither the cue nor the probe."""
    low, high = np.minimum(cue, probe)[:, None], np.maximum(cue, probe)[:, None]
    drawn = random.randint(len(digit_labels) - 2, size=(len(cue), distractors))
    drawn = drawn + (drawn >= low)
    return drawn + (drawn >= high)
