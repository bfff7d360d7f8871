"""What the denoiser removes from the attention maps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.attention import blocks
from dista.measures.lookup import MeasureError, need
from dista.measures.tables import Columns, Result

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class BlockDenoising(Result):
    """What the denoiser of one block did to its maps, over all samples, heads, queries and keys.

    ``before[a]`` is how many entries had the count a, ``after[a]`` how many of these were not removed.
    ``mass_removed`` is the fraction of the summed counts, ``entries_removed`` that of the non-zero
    entries, that the denoiser turned into 0. ``u`` is the threshold that describes what happened: the
    largest count that was removed if all larger ones were kept, the denoiser's own u where it
    explains the same, None where no threshold does.
    """

    block: int
    kind: str
    u: float | None
    entries: int
    mass_raw: float
    mass_kept: float
    mass_removed: float
    entries_removed: float
    before: np.ndarray
    after: np.ndarray

    UNITS = {"count": "coincident spikes"} | dict.fromkeys(("before", "removed", "kept"), "entries")

    def columns(self) -> Columns:
        """A row for each count: how many entries had it, and what became of them."""
        return {
            "block": self.block,
            "denoiser": self.kind,
            "u": self.u,
            "count": np.arange(len(self.before)),
            "before": self.before,
            "removed": self.before - self.after,
            "kept": self.after,
        }


def denoising(recording: xr.DataTree) -> list[BlockDenoising]:
    """What each block's denoiser removed. Needs the scores and the denoised maps.

    Counts that an intervention made fractional or negative are rounded, or taken as 0, in the
    histograms alone.
    """
    numbers = blocks(recording)
    if not numbers:
        raise MeasureError(
            "the recording has no attention maps; record 'blocks.*.attention.scores' and "
            "'blocks.*.attention.denoise'"
        )
    return [_block_denoising(recording, block) for block in numbers]


def _block_denoising(recording: xr.DataTree, block: int) -> BlockDenoising:
    name = f"blocks.{block}.attention"
    scores, map_ = need(recording, f"{name}.scores"), need(recording, f"{name}.denoise")
    raw, denoised = scores.values, map_.transpose(*scores.dims).values
    gone = (denoised == 0) & (raw != 0)
    counts = np.rint(raw).clip(0).astype(np.intp)
    before = np.bincount(counts.ravel())
    after = before - np.bincount(counts[gone], minlength=len(before))
    mass, nonzero = float(raw.sum(dtype=float)), int(np.count_nonzero(raw))
    kind = str(map_.attrs.get("kind", "unknown"))
    return BlockDenoising(
        block=block,
        kind=kind,
        u=_threshold(raw, denoised, 0.0 if kind == "none" else map_.attrs.get("u")),
        entries=raw.size,
        mass_raw=mass,
        mass_kept=float(denoised.sum(dtype=float)),
        mass_removed=float(raw[gone].sum(dtype=float)) / mass if mass else 0.0,
        entries_removed=float(gone.sum()) / nonzero if nonzero else 0.0,
        before=before,
        after=after,
    )


def _threshold(raw: np.ndarray, denoised: np.ndarray, own: float | None) -> float | None:
    """The u for which ``denoised`` is non-zero exactly where raw > u; None if there is none."""
    stays = denoised != 0
    largest_removed = float(raw[~stays].max(initial=0))
    smallest_kept = float(raw[stays].min()) if stays.any() else math.inf
    if own is not None and largest_removed <= own < smallest_kept:
        return float(own)
    return largest_removed if largest_removed < smallest_kept else None
