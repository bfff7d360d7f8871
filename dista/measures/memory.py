"""What each lag of an explicit memory contributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.access import node, one_sample

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class LagContributions:
    """``share[p, t, l]``: part of the mean absolute current that lag l adds to Q, K, V (p) at step t.

    Sums to 1 over the lags, or is 0 where there is no current.
    """

    block: int
    share: np.ndarray


def lag_contributions(
    recording: xr.DataTree, block: int, sample: int = 0
) -> LagContributions | None:
    """What each lag of a projection memory adds to the currents of Q, K and V.

    None where there is nothing to compare: lags were not recorded, or the window is a single step.
    """
    sizes = []
    for part in ("query", "key", "value"):
        base = f"blocks.{block}.attention.{part}.lags"
        group = node(recording, base)
        lags = sorted(group.data_vars, key=int) if group is not None else []
        if len(lags) < 2:
            return None
        arrays = [np.abs(one_sample(group[lag], sample)) for lag in lags]
        sizes.append([array.mean(("channel", "row", "column")).values for array in arrays])
    mean = np.moveaxis(np.asarray(sizes, float), 1, 2)
    total = mean.sum(2, keepdims=True)
    return LagContributions(block, mean / np.where(total == 0, 1, total))
