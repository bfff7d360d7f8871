"""How alike the attention maps of two recordings are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.attention import blocks
from dista.measures.lookup import MeasureError, need, one_sample
from dista.measures.tables import Result

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class MapSimilarity(Result):
    """Cosine between the maps of two recordings in one block: 1 if alike up to a factor, 0 if disjoint.

    ``raw`` is before the denoiser, ``denoised`` after it. None where a map is 0 everywhere: then there
    is no direction to compare.
    """

    block: int
    raw: float | None
    denoised: float | None


def map_similarity(
    recording: xr.DataTree, other: xr.DataTree, sample: int = 0
) -> list[MapSimilarity]:
    """Similarity of the maps of each block, over all steps, heads, queries and keys of a sample.

    Needs the scores and the denoised maps of both; MeasureError where their shapes differ.
    """
    similarities = []
    for block in blocks(recording):
        names = [f"blocks.{block}.attention.{stage}" for stage in ("scores", "denoise")]
        pairs = [(_map(recording, name, sample), _map(other, name, sample)) for name in names]
        similarities.append(MapSimilarity(block, *(cosine(*pair) for pair in pairs)))
    return similarities


def _map(recording: xr.DataTree, name: str, sample: int) -> np.ndarray:
    return one_sample(need(recording, name), sample).values.astype(float).ravel()


def cosine(a: np.ndarray, b: np.ndarray) -> float | None:
    """Cosine of two vectors, None where one is 0; MeasureError where their sizes differ."""
    if a.shape != b.shape:
        raise MeasureError(
            f"the maps have {a.size} and {b.size} entries; compare recordings of the same model "
            "and number of steps"
        )
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else None
