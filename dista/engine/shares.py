"""Work for the loops of ``dista.engine.loops``: values laid out with channels last, and cut into a share for each thread.

A share is equal neurons (``each_part``), images, values or samples; a loop gets where its share begins and
ends, or the share alone. Threads are as many as torch's, fewer where there is little to do.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

Loop = Callable[..., Any]

LANES = 256
"""Neurons that the innermost loops run over, more where a layer has more channels."""

BLOCK = 2048
"""Neurons that are worth a thread of their own."""

VALUES = 1 << 18
"""Values that are, where little is done with each."""


@functools.cache
def loops() -> Any:
    """The compiled loops, or None where numba is missing."""
    try:
        from dista.engine import loops
    except ImportError:
        return None
    return loops


def channels_last(x: Tensor) -> Tensor:
    """The same values with channels fastest; no copy where they already lie so."""
    return rearrange(
        x, "time batch channel row column -> time batch row column channel"
    ).contiguous()


def channels_third(flat: Tensor) -> Tensor:
    """The inverse view."""
    return rearrange(flat, "time batch row column channel -> time batch channel row column")


def each_part(
    loop: Loop,
    tensors: tuple[Tensor, *tuple[Tensor | None, ...]],
    of_channels: tuple[Tensor | None, ...] = (),
    constants: tuple[Any, ...] = (),
) -> list[Any]:
    """Run ``loop`` on equal shares of the neurons, one a thread of torch's; results in order.

    The arrays become (time, row, lane), where a lane is a channel of one of a few neighbouring sites:
    loops over 16 channels alone would be too short for vector code. ``of_channels``, each with a value
    for every channel or one for all, become arrays (lane,).
    """
    first = tensors[0]
    channels, sites = first.shape[-1], first[0, ..., 0].numel()
    lanes = channels * _divisor(sites, up_to=LANES // channels)
    arrays = [None if t is None else t.detach().numpy().reshape(len(t), -1, lanes) for t in tensors]
    rows = sites * channels // lanes
    threads = min(torch.get_num_threads(), max(1, rows * lanes // BLOCK))
    per_lane = (_per_lane(values, first.dtype, channels, lanes) for values in of_channels)
    each = (*arrays, *per_lane, *constants)
    return in_shares(lambda low, high: loop(*each, low, high), rows, threads)


def each_image(
    loop: Loop, tensors: tuple[Tensor, ...], of_channels: tuple[Tensor, ...] = ()
) -> None:
    """Run ``loop`` on equal shares of the images, one a thread of torch's."""
    arrays = [tensor.detach().flatten(0, 1).numpy() for tensor in tensors]
    each = *arrays, *(values.detach().numpy() for values in of_channels)
    images = len(arrays[0])
    threads = min(torch.get_num_threads(), images, 1 + arrays[0].size // BLOCK)
    in_shares(lambda low, high: loop(*each, low, high), images, threads)


def each_value(
    loop: Loop, values: np.ndarray, dtype: type, *constants: Any
) -> tuple[np.ndarray, list[Any]]:
    """``loop(values, results, *constants)`` on equal shares of all values: the results, which lie in memory
    as the values do, and what the loop returned for each share."""
    slowest_first = sorted(range(values.ndim), key=lambda axis: -values.strides[axis])
    lying = np.ascontiguousarray(values.transpose(slowest_first))
    results: np.ndarray = np.empty(lying.shape, dtype)
    threads = min(torch.get_num_threads(), 1 + values.size // VALUES)
    parts = (np.array_split(flat.reshape(-1), threads) for flat in (lying, results))
    returned = _in_threads(lambda part: loop(*part, *constants), list(zip(*parts)))
    return results.transpose(np.argsort(slowest_first)), returned


def each_sample(loop: Loop, x: np.ndarray, *more: Any, threads: int | None = None) -> None:
    """``loop(x, *more, low, high)`` for equal shares of the samples of x, one a thread: of torch's, or of so many."""
    threads = min(threads or torch.get_num_threads(), len(x))
    if threads == 1:  # a step of a stream is so short that cutting shares would be a part of it
        loop(x, *more, 0, len(x))
        return
    in_shares(lambda low, high: loop(x, *more, low, high), len(x), threads)


def in_shares(function: Callable[[int, int], Any], items: int, threads: int) -> list[Any]:
    """``function(low, high)`` of equal shares of ``items``, one a thread; results in order."""
    bounds = np.linspace(0, items, threads + 1).astype(np.int64)
    return _in_threads(lambda share: function(*share), list(itertools.pairwise(bounds)))


def _in_threads(function: Callable[[Any], Any], tasks: list[Any]) -> list[Any]:
    """``function`` of each task, one a thread; results in order."""
    if len(tasks) == 1:
        return [function(tasks[0])]
    return list(_pool(len(tasks)).map(function, tasks))


def per_channel(parts: Iterable[np.ndarray], channels: int) -> Tensor:
    """Sums for each lane, of each share, to those for each channel, in float64."""
    return torch.from_numpy(np.sum(list(parts), axis=0).reshape(-1, channels).sum(0))


@functools.cache
def _divisor(number: int, up_to: int) -> int:
    """The largest divisor of ``number`` that is at most ``up_to``, or 1."""
    return next((d for d in range(min(number, up_to), 1, -1) if number % d == 0), 1)


def _per_lane(
    values: Tensor | None, dtype: torch.dtype, channels: int, lanes: int
) -> np.ndarray | None:
    """One value for each lane, in the precision of the data."""
    if values is None:
        return None
    each = values.detach().to(dtype).reshape(-1).numpy()
    return np.tile(np.broadcast_to(each, (channels,)), lanes // channels)


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="dista-kernel")
