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
    """Correlation of a block's maps with those of other networks of the same shape, for the same ``samples`` [ours].

    Maps are centred, so that two that have nothing in common but how full they are have 0. ``trained`` is the mean
    over the ``networks`` that have learned nothing and ``trained_spread`` its standard deviation over them;
    ``untrained`` and its spread are those of all pairs of untrained networks among themselves, the yardstick.
    ``retrained`` is the positive control: the correlation with ``controls`` networks that learned the same from
    another seed. None where fewer than one (a spread: two) pairs of maps can be compared, as a map without
    differences has no direction.
    """

    block: int
    of: Stage
    samples: int
    networks: int
    trained: float | None
    trained_spread: float | None
    untrained: float | None
    untrained_spread: float | None
    controls: int
    retrained: float | None
    retrained_spread: float | None

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
    retrained: Sequence[xr.DataTree] = (),
    *,
    of: Stage = "raw",
) -> list[UntrainedSimilarity]:
    """How like a network's maps those of ``untrained`` ones are, over all samples recorded; block by block.

    All recordings are of the same samples, 16 or more for an answer about a network rather than about one sample.
    Heads are summed before maps are compared: those of two networks do not correspond. ``retrained`` are of
    networks that learned the same from another seed: without them nobody knows how alike maps can be at all. See
    ``dista.experiments.untrained.untrained_like`` for networks that have learned nothing. Raw maps are compared
    unless ``of`` says otherwise: a threshold makes maps alike or not by how full they are. MeasureError where there
    are no untrained ones, or where the shapes of the maps differ.
    """
    if not untrained:
        raise MeasureError("untrained is empty; expected recordings of at least one network")
    return [
        _similarity(block, of, *([_over_heads(tree, block, of) for tree in trees]
                                 for trees in ([recording], untrained, retrained)))
        for block in blocks(recording)
        if find(recording, _name(block, of)) is not None
    ]  # fmt: skip


def _similarity(
    block: int,
    of: Stage,
    trained: list[np.ndarray],
    others: list[np.ndarray],
    controls: list[np.ndarray],
) -> UntrainedSimilarity:
    own, theirs, again = (
        _spread([correlation(a, b) for a, b in pairs])
        for pairs in (
            itertools.product(trained, others),
            itertools.combinations(others, 2),
            itertools.product(trained, controls),
        )
    )
    samples = len(trained[0])
    return UntrainedSimilarity(
        block, of, samples, len(others), *own, *theirs, len(controls), *again
    )


def correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Mean over the samples of the correlation of two networks' maps (sample, entry); None where there is none."""
    if a.shape != b.shape:
        raise MeasureError(
            f"the maps have shapes {a.shape} and {b.shape}; compare recordings of the same samples and steps"
        )
    each = [cosine(one - one.mean(), other - other.mean()) for one, other in zip(a, b)]
    cosines = [value for value in each if value is not None]
    return float(np.mean(cosines)) if cosines else None


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


def _over_heads(recording: xr.DataTree, block: int, of: Stage) -> np.ndarray:
    map_ = need(recording, _name(block, of))
    summed = map_.astype(float).sum("head").transpose("batch", "pair", "query", "key").values
    return summed.reshape(len(summed), -1)
