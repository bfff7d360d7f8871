"""Counts that chance makes: what an attention map would be if its spikes did not know of each other.

Query patch i fires n_i of the d channels of a head, key patch j fires n_j. If which ones they are had nothing to do
with each other, the channels in which both fire would be hypergeometric, with the mean

    C[t, m]_ij = n_i[t] n_j[m] / d                                                              [ours]

That is a chance level for each entry: a patch that fires much attends to everything, and is attended to by all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.attention import Stage, blocks
from dista.measures.lookup import MeasureError, grid, need
from dista.measures.tables import Columns, Result, cells

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class ChanceLevel(Result):
    """The mean entry of a block's map before the denoiser, as it was ``counted`` and at its ``chance`` level.

    ``alike`` is the squared correlation of the entries with their chance levels: the part of the map's differences
    that follows from how much each patch fires. None where a map has no differences. Over all samples, heads and
    steps.
    """

    block: int
    counted: float
    chance: float
    alike: float | None

    UNITS = dict.fromkeys(("counted", "chance"), "coincident spikes")

    @property
    def share(self) -> float:
        """Chance level over count: 1 where there are as many coincidences as by chance; 0 where there are none."""
        return self.chance / self.counted if self.counted else 0.0

    def columns(self) -> Columns:
        return super().columns() | {"share": self.share}


@dataclass(frozen=True)
class PatchTotals(Result):
    """Attention that each patch pays to all that it reaches, and receives: (row, column), a sample's mean.

    Both are summed over heads and steps. Where rows are normalised, as after a softmax, all patches pay the same.
    """

    block: int
    of: Stage
    samples: int
    paid: np.ndarray
    received: np.ndarray

    UNITS = dict.fromkeys(("paid", "received"), "coincident spikes")

    def columns(self) -> Columns:
        """A row for each patch."""
        rows, columns = map(range, self.paid.shape)
        maps = cells({"row": rows, "column": columns}, paid=self.paid, received=self.received)
        return {"block": self.block, "stage": self.of} | maps


def chance_levels(recording: xr.DataTree) -> list[ChanceLevel]:
    """How much of each block's map is there by chance [ours]. Needs the scores and the spikes of queries and keys.

    MeasureError where no map was recorded.
    """
    numbers = blocks(recording)
    if not numbers:
        raise MeasureError("the recording has no attention maps; record 'blocks.*.attention.*'")
    return [_chance_level(recording, block) for block in numbers]


def chance_map(recording: xr.DataTree, block: int) -> np.ndarray:
    """The chance level of every entry of a block's map: (pair, batch, head, query, key), in coincident spikes."""
    scores = need(recording, f"blocks.{block}.attention.scores")
    query, key = (_fired(recording, block, part, scores.sizes["head"]) for part in ("query", "key"))
    channels = need(recording, f"blocks.{block}.attention.query.neuron.spikes").sizes["channel"]
    at_query, at_key = (
        fired[scores.coords[time].values]
        for fired, time in ((query, "query_time"), (key, "key_time"))
    )
    return at_query[..., :, None] * at_key[..., None, :] / (channels // scores.sizes["head"])


def patch_totals(recording: xr.DataTree, block: int, *, of: Stage = "raw") -> PatchTotals:
    """What each patch of a block pays and receives; needs the scores, or the denoised map for ``of="kept"``."""
    map_ = need(recording, f"blocks.{block}.attention.{'denoise' if of == 'kept' else 'scores'}")
    shape = grid(recording, block, map_.sizes["key"])
    samples = map_.sizes["batch"]
    paid, received = (
        map_.astype(float).sum(("pair", "batch", "head", other)).values.reshape(shape) / samples
        for other in ("key", "query")
    )
    return PatchTotals(block, of, samples, paid, received)


def _chance_level(recording: xr.DataTree, block: int) -> ChanceLevel:
    scores = need(recording, f"blocks.{block}.attention.scores")
    counted = scores.transpose("pair", "batch", "head", "query", "key").values.astype(float)
    chance = chance_map(recording, block)
    alike = None
    if counted.std() > 0 and chance.std() > 0:
        alike = float(np.corrcoef(counted.ravel(), chance.ravel())[0, 1] ** 2)
    return ChanceLevel(block, float(counted.mean()), float(chance.mean()), alike)


def _fired(recording: xr.DataTree, block: int, part: str, heads: int) -> np.ndarray:
    """How many channels of each head a patch fires: (time, batch, head, token)."""
    name = f"blocks.{block}.attention.{part}.neuron.spikes"
    spikes = need(recording, name).transpose("time", "batch", "channel", "row", "column").values
    steps, samples, channels, rows, columns = spikes.shape
    by_head = spikes.reshape(steps, samples, heads, channels // heads, rows * columns)
    return by_head.sum(3, dtype=float)
