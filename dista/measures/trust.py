"""What an attention map can be trusted for: whether its rows compare, and how much of it is learned."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.attention import Stage, blocks
from dista.measures.lookup import MeasureError, find, need, one_sample
from dista.measures.similarity import cosine
from dista.measures.tables import Columns, Result

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class RowSums(Result):
    """Sums of the rows of a block's map: of each query, head and step, over all keys that it reaches.

    ``rows`` there are, of which ``empty`` attend to nothing; ``low``, ``median`` and ``high`` are over
    the others, 0 where there are none.
    """

    block: int
    of: Stage
    low: float
    median: float
    high: float
    rows: int
    empty: int

    UNITS = dict.fromkeys(("low", "median", "high"), "coincident spikes")

    def columns(self) -> Columns:
        return _stage_named(super().columns())

    @property
    def normalised(self) -> bool:
        """Whether all rows that attend to anything have the same sum, as after a softmax."""
        return self.high > 0 and self.high - self.low <= 1e-4 * self.high


@dataclass(frozen=True)
class UntrainedSimilarity(Result):
    """Cosine of a block's map to those of untrained networks of the same shape [ours].

    ``trained`` is the mean over the networks and ``trained_spread`` its standard deviation; ``untrained``
    and its spread are those of all pairs of untrained networks among themselves, the yardstick. None
    where fewer than one (a spread: two) pairs of maps can be compared, as a map of zeros has no direction.
    """

    block: int
    of: Stage
    networks: int
    trained: float | None
    trained_spread: float | None
    untrained: float | None
    untrained_spread: float | None

    def columns(self) -> Columns:
        return _stage_named(super().columns())


def row_sums(recording: xr.DataTree, block: int, sample: int = 0, *, of: Stage = "kept") -> RowSums:
    """How the row sums of a map are spread. Needs the denoised map, or the scores for ``of="raw"``."""
    map_ = one_sample(need(recording, _name(block, of)), sample)
    by_pair = map_.astype(float).sum("key").transpose("pair", "head", "query").values
    query_time = map_.coords["query_time"].values
    sums = np.zeros((int(query_time.max()) + 1, *by_pair.shape[1:]))
    np.add.at(sums, query_time, by_pair)
    some = sums[sums != 0]
    low, median, high = (some.min(), np.median(some), some.max()) if some.size else (0, 0, 0)
    empty = sums.size - some.size
    return RowSums(block, of, float(low), float(median), float(high), sums.size, empty)


def untrained_similarity(
    recording: xr.DataTree,
    untrained: Sequence[xr.DataTree],
    sample: int = 0,
    *,
    of: Stage = "kept",
) -> list[UntrainedSimilarity]:
    """How like a network's maps those of ``untrained`` networks are, for the same input; block by block.

    Heads are summed before maps are compared: those of two networks do not correspond. See
    ``dista.experiments.untrained.untrained_like`` for the networks. MeasureError where there are none, or where
    the shapes of the maps differ.
    """
    if not untrained:
        raise MeasureError("untrained is empty; expected recordings of at least one network")
    return [
        _similarity(block, of, *([_over_heads(tree, block, sample, of) for tree in trees]
                                 for trees in ([recording], untrained)))
        for block in blocks(recording)
        if find(recording, _name(block, of)) is not None
    ]  # fmt: skip


def _similarity(
    block: int, of: Stage, trained: list[np.ndarray], others: list[np.ndarray]
) -> UntrainedSimilarity:
    own = _spread([cosine(a, b) for a, b in itertools.product(trained, others)])
    theirs = _spread([cosine(a, b) for a, b in itertools.combinations(others, 2)])
    return UntrainedSimilarity(block, of, len(others), *own, *theirs)


def _stage_named(columns: Columns) -> Columns:
    """``of`` by the name that the column has in the tables of all results."""
    return {"stage" if name == "of" else name: value for name, value in columns.items()}


def _spread(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Mean and standard deviation of those that are known."""
    cosines = [value for value in values if value is not None]
    mean = float(np.mean(cosines)) if cosines else None
    return mean, float(np.std(cosines, ddof=1)) if len(cosines) > 1 else None


def _name(block: int, of: Stage) -> str:
    return f"blocks.{block}.attention.{'denoise' if of == 'kept' else 'scores'}"


def _over_heads(recording: xr.DataTree, block: int, sample: int, of: Stage) -> np.ndarray:
    map_ = one_sample(need(recording, _name(block, of)), sample)
    return map_.astype(float).sum("head").transpose("pair", "query", "key").values.ravel()
