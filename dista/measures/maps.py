"""One line for each block on its attention maps: what a training's table says of an epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.attention import attention_over_time
from dista.measures.denoiser import denoising
from dista.measures.tables import Result

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class MapStatistics(Result):
    """The maps of one block over all samples, heads, queries and keys of a recording.

    ``count`` is the mean count before the denoiser and ``silent`` the share of zeros, ``removed`` the
    part of the summed counts that the denoiser took away. ``reach`` is the mean lag, in steps, of what
    is left: 0 where the memory is not in the map, None where nothing is left.
    """

    block: int
    count: float
    silent: float
    removed: float
    reach: float | None

    UNITS = {"count": "coincident spikes", "reach": "steps"}


def map_statistics(recording: xr.DataTree) -> list[MapStatistics]:
    """A line for each block. Needs the scores and the denoised maps."""
    return [
        MapStatistics(
            block=block.block,
            count=block.mass_raw / block.entries,
            silent=float(block.before[0]) / block.entries,
            removed=block.mass_removed,
            reach=_reach(recording, block.block),
        )
        for block in denoising(recording)
    ]


def _reach(recording: xr.DataTree, block: int) -> float | None:
    over_time = attention_over_time(recording, block)
    steps = np.arange(len(over_time.mass))
    lag = steps[:, None] - steps
    mean = np.nansum(over_time.share * lag, axis=1)  # of each query step
    total = over_time.mass.sum()
    return float(mean @ over_time.mass / total) if total else None
