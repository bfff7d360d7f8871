"""Weights with normalisation folded in, laid out for ``dista.engine.event_loops``, and kept as long as they are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn


class _Folded(NamedTuple):
    of: Sequence[Tensor]
    eps: float
    weights: np.ndarray
    bias: np.ndarray


_FOLDED: WeakKeyDictionary[nn.Module, _Folded] = WeakKeyDictionary()


def folded(weights: Sequence[Tensor], norm: Any, colours: bool) -> tuple[np.ndarray, np.ndarray]:
    """Weights (tile, lag, row, column, input, output) and bias, made anew where a value is another one.

    ``weights`` are those of each lag; ``colours`` where they meet numbers, not spikes. Values are compared: they may be
    written past torch's count of versions, as ``weight.data`` does.
    """
    now = [
        t.detach() for t in (*weights, norm.weight, norm.bias, norm.running_mean, norm.running_var)
    ]
    entry = _FOLDED.get(norm)
    if entry is None or entry.eps != norm.eps or not all(map(_equal, entry.of, now)):
        copies = [t.clone() for t in now]
        laid_out = _laid_out(copies[: len(weights)], norm, colours)
        entry = _FOLDED[norm] = _Folded(copies, norm.eps, *laid_out)
    return entry.weights, entry.bias


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)


def _laid_out(weights: Sequence[Tensor], norm: Any, colours: bool) -> tuple[np.ndarray, np.ndarray]:
    from dista.engine.event_loops import TILE

    with torch.no_grad():
        gain = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        bias = norm.bias - norm.running_mean * gain
        scaled = torch.stack(list(weights)) * gain[:, None, None, None]
    lags, outputs, inputs, height, width = scaled.shape
    rows = scaled.new_zeros(
        lags, height, width, inputs if colours else whole(inputs), whole(outputs)
    )
    rows[..., :inputs, :outputs] = scaled.permute(0, 3, 4, 2, 1)
    flat = rows.flatten(0, -2)
    tiles = [tile.reshape(-1) for tile in flat.split(TILE, dim=1)]
    every = bias.new_zeros(whole(outputs))
    every[:outputs] = bias
    return torch.cat(tiles).numpy(), every.numpy()


def whole(channels: int) -> int:
    """``channels`` with as many more as make it a multiple of ``LANES``."""
    from dista.engine.vector_code import LANES

    return -(-channels // LANES) * LANES
