"""What noise in the input does: where it lies, what attends to it, what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.attention import blocks
from dista.measures.lookup import MeasureError, find, grid, need, one_sample
from dista.measures.paired import Z95, Answers, paired_difference
from dista.measures.tables import Columns, Result, cells

if TYPE_CHECKING:
    import xarray as xr

LEVELS = {
    "gaussian": (0.0, 0.1, 0.2, 0.4, 0.8),
    "salt-and-pepper": (0.0, 0.02, 0.05, 0.1, 0.2),
    "events": (0.0, 0.02, 0.05, 0.1, 0.2),
    "occlusion": (0.0, 0.2, 0.4, 0.6, 0.8),
}
"""The amounts of each kind of noise at which accuracy is measured."""


@dataclass(frozen=True)
class InputChange(Result):
    """An input before and after noise, as (y, x) images: means over steps, sums over colours.

    ``patches`` (row, column) says which patches have a pixel that changed. Of one step, where one was
    asked for.
    """

    clean: np.ndarray
    noisy: np.ndarray
    patches: np.ndarray

    def columns(self) -> Columns:
        """A row for each pixel; ``corrupted`` says so of its patch."""
        y, x = map(range, self.clean.shape)
        columns = cells({"y": y, "x": x}, clean=self.clean, noisy=self.noisy)
        rows, patches = (math.ceil(n / m) for n, m in zip(self.clean.shape, self.patches.shape))
        corrupted = self.patches[columns["y"] // rows, columns["x"] // patches]
        return columns | {"corrupted": corrupted}

    @property
    def share(self) -> float:
        """Share of the patches that are corrupted."""
        return float(self.patches.mean())


@dataclass(frozen=True)
class AttentionReceived(Result):
    """What each patch of a block receives, summed over steps, heads and queries: (row, column).

    Of one step, where one was asked for: what its keys receive, then and later. ``raw`` is before the denoiser, ``denoised`` after it; both in coincident spikes.
    """

    block: int
    raw: np.ndarray
    denoised: np.ndarray

    UNITS = {"raw": "coincident spikes", "denoised": "coincident spikes"}

    def columns(self) -> Columns:
        """A row for each patch."""
        rows, columns = map(range, self.raw.shape)
        maps = cells({"row": rows, "column": columns}, raw=self.raw, denoised=self.denoised)
        return {"block": self.block} | maps


@dataclass(frozen=True)
class PatchAttention(Result):
    """Attention to some of the patches, and how much of it the denoiser removes.

    ``raw`` and ``denoised`` are the shares of all attention that go there, before and after the denoiser;
    0 where there is no attention. ``removed`` is the share of the attention to these patches that the
    denoiser takes out, ``removed_elsewhere`` that of the attention to the others; None where there
    was nothing to remove.
    """

    block: int
    raw: float
    denoised: float
    removed: float | None
    removed_elsewhere: float | None


@dataclass(frozen=True)
class NoiseCurve(Result):
    """Accuracy (u, level) against the amount of noise, for several thresholds of the denoiser.

    ``low`` and ``high`` are the Wilson interval that covers 95 % of what ``samples`` samples can show. All
    thresholds answer the same noisy samples: what tells two of them apart is ``difference`` (u, level), the change
    of accuracy against the threshold ``against``, and its paired interval (see ``paired_difference``), not whether
    the Wilson intervals overlap. ``unit`` says what a level is, and ``added`` (level,) the root mean square of what
    really was added to each input value.
    """

    kind: str
    thresholds: tuple[float, ...]
    levels: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    samples: int
    against: float | None = None
    difference: np.ndarray | None = None
    difference_low: np.ndarray | None = None
    difference_high: np.ndarray | None = None
    unit: str = ""
    added: np.ndarray | None = None

    def columns(self) -> Columns:
        """A row for each threshold and level."""
        axes: dict[str, Sequence[float] | np.ndarray] = {
            "u": self.thresholds, "level": self.levels,
        }  # fmt: skip
        columns = cells(axes, accuracy=self.accuracy, low=self.low, high=self.high)
        columns = {"noise": self.kind} | columns | {"samples": self.samples}
        if self.difference is None:
            return columns
        paired = {n: getattr(self, n) for n in ("difference", "difference_low", "difference_high")}
        added = np.full(len(self.levels), np.nan) if self.added is None else self.added
        more = cells(axes, **paired, added=np.tile(added, (len(self.thresholds), 1)))
        return columns | {"against": self.against} | {n: more[n] for n in (*paired, "added")}


def input_change(
    clean: xr.DataTree, noisy: xr.DataTree, sample: int = 0, *, step: int | None = None
) -> InputChange:
    """Two recorded inputs of the same model, and the patches in which they differ, at ``step`` or at all."""
    trees = (clean, noisy)
    before, after = (_at_step(one_sample(need(tree, "input"), sample), step) for tree in trees)
    if before.shape != after.shape:
        raise MeasureError(
            f"the inputs have shapes {before.shape} and {after.shape}; expected equal"
        )
    axes = [axis for axis in before.dims if axis not in ("y", "x")]
    changed = (before != after).any(axes).values
    tokens = _tokens(clean)
    return InputChange(_image(before), _image(after), _in_patches(changed, *tokens))


def attention_received(
    recording: xr.DataTree, sample: int = 0, *, step: int | None = None
) -> list[AttentionReceived]:
    """The attention that patches receive, of ``step`` or of all steps, block by block.

    Needs the scores and the denoised maps.
    """
    received = []
    for block in blocks(recording):
        names = (f"blocks.{block}.attention.{stage}" for stage in ("scores", "denoise"))
        maps = [_at_step(one_sample(need(recording, name), sample), step) for name in names]
        maps = [one.astype(float) for one in maps]
        shape = grid(recording, block, maps[0].sizes["key"])
        sums = [one.sum(("pair", "head", "query")).values.reshape(shape) for one in maps]
        received.append(AttentionReceived(block, *sums))
    return received


def patch_attention(received: AttentionReceived, patches: np.ndarray) -> PatchAttention:
    """How much attention goes to ``patches`` (row, column), true where a patch is meant."""
    if patches.shape != received.raw.shape:
        raise MeasureError(
            f"patches has shape {patches.shape}; the block has {received.raw.shape} patches"
        )
    there = [float(mass[patches].sum()) for mass in (received.raw, received.denoised)]
    elsewhere = [float(mass[~patches].sum()) for mass in (received.raw, received.denoised)]
    totals = [a + b for a, b in zip(there, elsewhere)]
    return PatchAttention(
        received.block,
        *(mass / total if total else 0.0 for mass, total in zip(there, totals)),
        *(1 - denoised / raw if raw else None for raw, denoised in (there, elsewhere)),
    )


def noise_curve(
    kind: str,
    thresholds: Sequence[float],
    levels: Sequence[float],
    answers: Mapping[tuple[float, float], Answers],
    against: float | None = None,
    *,
    unit: str = "",
    added: Sequence[float] | None = None,
) -> NoiseCurve:
    """Accuracy for each threshold u and noise level, from the ``answers`` to (u, level).

    ``against`` is the threshold that the others are compared with, the first where it is None. MeasureError where
    answers are missing.
    """
    missing = [(u, level) for u in thresholds for level in levels if (u, level) not in answers]
    if missing or not (len(thresholds) and len(levels)):
        raise MeasureError(f"no answers for (u, level) = {missing[:3]}; run every combination")
    right = np.array([[answers[u, level].accuracy for level in levels] for u in thresholds])
    samples = len(answers[thresholds[0], levels[0]].label)
    interval = wilson(right, samples)
    against = thresholds[0] if against is None else against
    if against not in thresholds:
        raise MeasureError(f"against={against:g}; expected one of the thresholds {thresholds}")
    pairs = [
        [paired_difference(answers[against, level], answers[u, level]) for level in levels]
        for u in thresholds
    ]
    difference, low, high = (
        np.array([[getattr(pair, name) for pair in row] for row in pairs])
        for name in ("difference", "low", "high")
    )
    return NoiseCurve(
        kind, tuple(thresholds), np.array(levels, float), right, *interval, samples,
        against, difference, low, high, unit, None if added is None else np.array(added, float),
    )  # fmt: skip


def wilson(share: np.ndarray, samples: int, z: float = Z95) -> tuple[np.ndarray, np.ndarray]:
    """The interval around an observed share of ``samples`` that covers 95 % (for z = 1.96).

    Written out, as ``scipy.stats`` takes a second to import, more than the page around the curve, and its
    ``binomtest`` one count a call; a test holds the two together.
    """
    middle = (share + z * z / (2 * samples)) / (1 + z * z / samples)
    spread = share * (1 - share) / samples + z * z / (4 * samples * samples)
    half = z / (1 + z * z / samples) * np.sqrt(spread)
    low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
    return np.minimum(low, share), np.maximum(high, share)  # rounding must not leave 0 or 1 outside


def _at_step(array: xr.DataArray, step: int | None) -> xr.DataArray:
    """The frame of an input at ``step``, or what a map has of its keys; everything where that is None."""
    if step is None:
        return array
    axis = "pair" if "pair" in array.dims else "time"
    steps = array["key_time"].values if axis == "pair" else np.arange(array.sizes.get(axis, 0))
    if step not in steps:
        there = f"0 to {steps.max()} are there" if len(steps) else "an image has no steps"
        raise MeasureError(f"step={step}; {there}")
    return array.isel({axis: np.flatnonzero(steps == step)})


def _tokens(recording: xr.DataTree) -> tuple[int, int]:
    block = next(iter(blocks(recording)), None)
    if block is None:
        raise MeasureError("the recording has no attention maps; record '*.scores' as well")
    scores = find(recording, f"blocks.{block}.attention.scores")
    some = need(recording, f"blocks.{block}.attention.denoise") if scores is None else scores
    return grid(recording, block, some.sizes["key"])


def _image(x: xr.DataArray) -> np.ndarray:
    """Mean over steps, sum over colours."""
    return (x.mean("time") if "time" in x.dims else x).sum("colour").values


def _in_patches(pixels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Which patches (row, column) hold a true pixel; a patch is as large as the stem's poolings make it."""
    touched = np.zeros((rows, columns), bool)
    sizes = [math.ceil(size / patches) for size, patches in zip(pixels.shape, (rows, columns))]
    at = [index // size for index, size in zip(np.nonzero(pixels), sizes)]
    touched[tuple(at)] = True
    return touched
