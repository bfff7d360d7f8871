"""Which part looks where: the attention that each head, step and patch pays to chosen keys, and who pays most.

A share alone misleads: at the first step of a sequence everything goes to that step, and of three counts all may go
there by chance. So parts are ranked by ``surplus``: the counts beyond those that even attention over all keys in
reach would give to the chosen ones [ours].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.attention import Stage, _widened, blocks
from dista.measures.lookup import MeasureError, find, grid, need, one_sample
from dista.measures.tables import Columns, Result, cells

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class AttentionTo(Result):
    """Counts that the queries of one block pay to chosen keys: ``paid`` (head, step, row, column) of ``total``.

    ``even`` (step,) is the share that even attention over the keys in reach of a step would pay: 0 where none of
    the chosen can be reached, 1 where there are no others.
    """

    block: int
    paid: np.ndarray
    total: np.ndarray
    even: np.ndarray
    of: Stage

    UNITS = {"paid": "coincident spikes", "total": "coincident spikes"}

    def columns(self) -> Columns:
        """A row for each query."""
        heads, steps, rows, columns = map(range, self.paid.shape)
        axes = {"head": heads, "step": steps, "row": rows, "column": columns}
        even = np.broadcast_to(self.even[:, None, None], self.paid.shape)
        numbers = cells(axes, paid=self.paid, total=self.total, even=even)
        return {"block": self.block, "stage": self.of} | numbers

    @property
    def share(self) -> np.ndarray:
        """The part of each head's attention at each step that goes to the chosen keys (head, step).

        NaN where nothing is attended, and where it says nothing: no chosen key in reach, or no other.
        """
        paid, total = (of.sum((2, 3)) for of in (self.paid, self.total))
        says = (self.even > 0) & (self.even < 1) & (total > 0)
        return np.where(says, paid / np.where(total == 0, 1, total), np.nan)

    @property
    def surplus(self) -> np.ndarray:
        """Counts of each query beyond those of even attention (head, step, row, column)."""
        return self.paid - self.total * self.even[:, None, None]


@dataclass(frozen=True)
class Looker(Result):
    """A query, or a whole head at a step where ``row`` and ``column`` are None: ``paid`` of ``total`` counts.

    ``surplus`` are the counts beyond those of even attention.
    """

    block: int
    head: int
    step: int
    row: int | None
    column: int | None
    paid: int
    total: int
    surplus: float

    UNITS = {"paid": "coincident spikes", "total": "coincident spikes"}


def attention_to(
    recording: xr.DataTree, keys: np.ndarray, sample: int = 0, *, of: Stage = "kept"
) -> list[AttentionTo]:
    """The attention of every query to the ``keys``, block by block.

    ``keys`` (step, row, column) are true where a key is one of the chosen; (step,) chooses steps whole, and
    (step, step) other ones at each query step: ``past(steps)`` all that lie before it. MeasureError where a map
    was not recorded, or has another shape.
    """
    return [_of_block(recording, block, np.asarray(keys, bool), sample, of) for block in blocks(recording)]  # fmt: skip


def past(steps: int) -> np.ndarray:
    """The steps before each query step (query step, key step), as ``attention_to`` takes them."""
    return np.tri(steps, k=-1, dtype=bool)


def patch_grid(recording: xr.DataTree, block: int) -> tuple[int, int]:
    """Rows and columns of the patches between which ``block`` attends; MeasureError where no map was kept."""
    return grid(recording, block, need(recording, f"blocks.{block}.attention.denoise").sizes["key"])


def drawn(recording: xr.DataTree, block: int, sample: int = 0) -> np.ndarray | None:
    """The patches (step, row, column) in which something is drawn, or an event falls, as keys of ``block``.

    A pixel is drawn from half of the largest value on [ours]; None where the input was not recorded, is in
    colours, or has something everywhere or nowhere.
    """
    values, map_ = find(recording, "input"), find(recording, f"blocks.{block}.attention.denoise")
    if values is None or map_ is None or values.sizes["colour"] > 2:
        return None
    frames = one_sample(values, sample).max("colour").values
    frames = frames if frames.ndim == 3 else frames[None]
    steps = int(map_.coords["query_time"].max()) + 1
    rows, columns = grid(recording, block, map_.sizes["key"])
    high, wide = (n // m for n, m in zip(frames.shape[1:], (rows, columns)))
    patches = frames[:, : rows * high, : columns * wide].reshape(-1, rows, high, columns, wide)
    keys = np.broadcast_to(patches.max((2, 4)) >= frames.max() / 2, (steps, rows, columns))
    return None if keys.all() or not keys.any() or not frames.max() else keys


def _of_block(
    recording: xr.DataTree, block: int, keys: np.ndarray, sample: int, of: Stage
) -> AttentionTo:
    name = f"blocks.{block}.attention.{'denoise' if of == 'kept' else 'scores'}"
    map_ = _widened(one_sample(need(recording, name), sample))
    query, key = (map_.coords[c].values for c in ("query_time", "key_time"))
    steps, tokens = int(query.max()) + 1, map_.sizes["key"]
    rows, columns = grid(recording, block, tokens)
    allowed = {(steps,), (steps, steps), (steps, rows, columns)}
    if keys.shape not in allowed:
        raise MeasureError(
            f"keys has the shape {keys.shape}; expected steps {(steps,)}, steps of steps {(steps, steps)} or "
            f"patches {(steps, rows, columns)}"
        )
    wanted = _wanted(keys, query, key, tokens)
    counts = map_.transpose("pair", "head", "query", "key").values
    shape = (map_.sizes["head"], steps, rows, columns)
    paid, total = np.zeros(shape), np.zeros(shape)
    to_keys = np.einsum("phqk,pk->phq", counts, wanted.astype(counts.dtype))
    for pair, step in enumerate(query):
        paid[:, step] += to_keys[pair].reshape(shape[0], rows, columns)
        total[:, step] += counts[pair].sum(-1).reshape(shape[0], rows, columns)
    reached = np.bincount(query, minlength=steps) * tokens
    even = np.bincount(query, wanted.sum(1), minlength=steps) / np.maximum(reached, 1)
    return AttentionTo(block, paid, total, even, of)


def _wanted(keys: np.ndarray, query: np.ndarray, key: np.ndarray, tokens: int) -> np.ndarray:
    """Whether each key of each pair of steps is one of the chosen (pair, key)."""
    if keys.ndim == 3:
        return keys.reshape(len(keys), -1)[key]
    whole = keys[key] if keys.ndim == 1 else keys[query, key]
    return np.repeat(whole[:, None], tokens, 1)


def rank_patches(
    of: Sequence[AttentionTo], most: int | None = None, *, since: int = 0
) -> list[Looker]:
    """The queries of all blocks, those first that pay most beyond even attention; only such that pay more.

    ``since`` is the first step of queries that count: that from which the answer is read out, say.
    """
    lookers = []
    for one in of:
        surplus = _later(one.surplus, since).ravel()
        places = np.argsort(-surplus, kind="stable")[: most or surplus.size]
        for place in places[surplus[places] > 0]:
            head, step, row, column = (int(i) for i in np.unravel_index(place, one.paid.shape))
            at = head, step, row, column
            numbers = int(one.paid[at]), int(one.total[at]), float(surplus[place])
            lookers.append(Looker(one.block, *at, *numbers))
    return sorted(lookers, key=lambda looker: -looker.surplus)[:most]


def _later(surplus: np.ndarray, since: int) -> np.ndarray:
    """``surplus`` with nothing at the steps before ``since``."""
    later = surplus.copy()
    later[:, :since] = -np.inf
    return later


def rank_heads(
    of: Sequence[AttentionTo], most: int | None = None, *, since: int = 0
) -> list[Looker]:
    """Every head at the step at which it pays most beyond even attention, in the order of ``rank_patches``."""
    best: dict[tuple[int, int], Looker] = {}
    for one in of:
        paid, total, surplus = (a.sum((2, 3)) for a in (one.paid, one.total, one.surplus))
        for head, step in enumerate(_later(surplus, since).argmax(1)):
            best[one.block, head] = Looker(
                one.block, head, int(step), None, None, int(paid[head, step]),
                int(total[head, step]), float(surplus[head, step]),
            )  # fmt: skip
    ranked = sorted(best.values(), key=lambda looker: -looker.surplus)
    return [looker for looker in ranked if looker.surplus > 0][:most]


@dataclass(frozen=True)
class ClassRates(Result):
    """How often each channel of a layer fires for each class: ``rate`` (channel, class), 0 to 1.

    ``samples`` (class,) are those that a mean is over; NaN where there is none. ``favours`` is the class for
    which a channel fires most, ``contrast`` how much more often than for the other classes on average.
    """

    layer: str
    rate: np.ndarray
    samples: np.ndarray
    favours: np.ndarray
    contrast: np.ndarray

    def columns(self) -> Columns:
        """A row for each channel and class."""
        axes = {"channel": range(len(self.rate)), "class": range(self.rate.shape[1])}
        return {"layer": self.layer} | cells(axes, rate=self.rate)


def class_rates(recording: xr.DataTree, layer: str, classes: int) -> ClassRates:
    """How the channels of ``layer`` tell classes apart, over the samples of ``recording`` and their labels.

    Needs the spikes of the layer and labels; MeasureError without, and with fewer than two classes among them.
    """
    spikes, labels = need(recording, f"{layer}.spikes"), find(recording, "label")
    if labels is None or len(set(labels.values.tolist())) < 2:
        raise MeasureError("samples of at least two classes are needed; record them with labels")
    rate = spikes.mean(("time", "row", "column")).transpose("batch", "channel").values
    samples = np.bincount(labels.values, minlength=classes)
    with np.errstate(invalid="ignore"):
        mean = np.stack([rate[labels.values == c].sum(0) for c in range(classes)], 1) / samples
    here = samples > 0
    favours = np.flatnonzero(here)[mean[:, here].argmax(1)]
    of_own = np.take_along_axis(mean, favours[:, None], 1)[:, 0]
    others = (np.nansum(mean, 1) - of_own) / (here.sum() - 1)
    return ClassRates(layer, mean, samples, favours, of_own - others)
