"""How attention grows with the number of steps T and of patches N: exponents fitted to measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from dista.attention import SpaceTimeAttention
from dista.bench.memory import peak
from dista.bench.timing import interleaved
from dista.config import DenoiserConfig, MemoryConfig, ModelConfig

KINDS = ("none", "threshold")
SHAPES = {
    "T": [(steps, 64) for steps in (8, 16, 32, 64)],
    "N": [(8, tokens) for tokens in (64, 144, 256, 576)],
}
"""(T, N) of each measurement, by the axis that grows."""
_BATCH, _DIM, _HEADS = 4, 64, 2


def attention_step(kind: str, steps: int, tokens: int) -> Callable[[], None]:
    """Forward and backward from Q, K, V over all steps to what is read, denoiser ``kind``."""
    config = ModelConfig(
        input_shape=(1, 8, 8),
        classes=2,
        dim=_DIM,
        heads=_HEADS,
        memory=MemoryConfig(form="map", window=steps),
        denoiser=DenoiserConfig(kind=kind),
    )
    module, shape = SpaceTimeAttention(config), (steps, _BATCH, _HEADS, tokens, config.head_dim)
    spikes = [(torch.rand(shape) < 0.2).float().requires_grad_() for _ in range(3)]

    def act() -> None:
        module.fastest(spikes[0])(*spikes).sum().backward()

    return act


def exponents(rounds: int, threads: int, memory: bool = True) -> list[dict]:
    """For each kind of denoiser and each of T and N: how time and peak memory grow, as a power of it."""
    return [_growth(kind, axis, rounds, threads, memory) for kind in KINDS for axis in SHAPES]


def _growth(kind: str, axis: str, rounds: int, threads: int, memory: bool) -> dict:
    shapes = SHAPES[axis]
    sizes = [shape["TN".index(axis)] for shape in shapes]
    seconds = interleaved({str(s): attention_step(kind, *s) for s in shapes}, rounds)
    builder = "dista.bench.scaling:attention_step"
    peaks = [peak(builder, kind, *shape, threads=threads) if memory else None for shape in shapes]
    return {
        "denoiser": kind,
        "axis": axis,
        "sizes": sizes,
        "seconds": list(seconds.values()),
        "bytes": peaks,
        "time exponent": exponent(sizes, list(seconds.values())),
        "memory exponent": None if None in peaks else exponent(sizes, peaks),
    }


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """p of values ~ sizes^p, by least squares of the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])
