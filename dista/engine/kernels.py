"""Neurons as one pass over memory, for CPUs; ``dista.engine.gpu_neurons`` has the same for GPUs.

The recursion of ``dista.neurons.membrane`` is a chain of small elementwise operations; written in
torch each is a pass over memory of its own. Here numba compiles one loop over all of them. Kept for
the backward pass is only h: what else it needs follows from it, because (x - v) / tau = h - v.
``membrane`` is the recursion alone; ``spikes`` fires as well, with the sigmoid's surrogate gradient in
the same pass; ``normalised_spikes`` has batch normalisation before it, and keeps only its input.
Results agree with the reference to rounding, gradients included, which the tests check.

``DISTA_KERNEL=reference`` in the environment switches the kernels off, these and the shortcuts of
``dista.engine.attention_products``.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from dista.engine import gpu_neurons
from dista.engine.modules import watched as watched  # whoever asks for a kernel asks this first

KERNELS = ("auto", "reference")
LANES = 256
"""Neurons that the innermost loops run over, more where a layer has more channels."""

BLOCK = 2048
"""Neurons that are worth a thread of their own."""

VALUES = 1 << 18
"""Values that are, where little is done with each."""


def enabled() -> bool:
    """Whether kernels may be used: unless ``DISTA_KERNEL`` says ``reference``; ValueError for other names."""
    wanted = os.environ.get("DISTA_KERNEL", "auto")
    if wanted not in KERNELS:
        raise ValueError(f"DISTA_KERNEL={wanted!r}; expected one of {', '.join(KERNELS)}")
    return wanted == "auto"


def implementations() -> dict[str, str]:
    """Which kernel computes membranes, and why, in words."""
    if not enabled():
        return {"membrane": "reference (DISTA_KERNEL=reference)"}
    gpu = {"membrane, GPU": gpu_neurons.implementation()}
    if _loops() is None:
        return {"membrane": "reference (numba is not installed)"} | gpu
    how = "charge, fire and reset in one pass, after batch normalisation in training"
    return {"membrane": f"numba: {how}"} | gpu


def suits(x: Tensor) -> bool:
    """Whether the kernels apply: a (time, batch, channel, row, column) float tensor on a CPU."""
    kind = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64) and x.ndim == 5
    return enabled() and kind and not torch.compiler.is_compiling() and _loops() is not None


def on_gpu(x: Tensor) -> bool:
    """Whether ``spikes`` runs on a GPU, where it takes half precision too."""
    return enabled() and not torch.compiler.is_compiling() and gpu_neurons.suits(x)


def suits_training(x: Tensor, surrogate: str) -> bool:
    """Whether ``spikes`` applies where gradients are wanted: the sigmoid, on a CPU in float32."""
    return surrogate == "sigmoid" and (on_gpu(x) or (suits(x) and x.dtype == torch.float32))


def membrane(x: Tensor, tau: Tensor, v_threshold: float, v_reset: float | None) -> Tensor:
    """h[t] before the reset; arguments and result as ``dista.neurons.membrane``."""
    return _Membrane.apply(x, tau, v_threshold, v_reset)


def spikes(
    x: Tensor, tau: Tensor, v_threshold: float, v_reset: float | None, slope: float
) -> Tensor:
    """s[t], 0 or 1; ``slope`` is that of the sigmoid whose derivative is the surrogate gradient."""
    run = gpu_neurons.spikes if on_gpu(x) else _Spikes.apply
    return run(x, tau, v_threshold, v_reset, slope)


class _Membrane(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, tau: Tensor, v_threshold: float, v_reset: float | None) -> Tensor:
        flat, constants = _channels_last(x), (v_threshold, v_reset or 0.0, v_reset is None)
        h = torch.empty_like(flat)
        _each_part(_loops().forward, (flat, h, None), (None, None, tau), constants)
        ctx.save_for_backward(h, tau)
        ctx.constants = (*constants, None)
        return _channels_third(h)

    @staticmethod
    def backward(ctx, grad: Tensor):
        return *_backward(grad, *ctx.saved_tensors, ctx.constants), None, None


class _Spikes(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, x: Tensor, tau: Tensor, v_threshold: float, v_reset: float | None, slope: float
    ) -> Tensor:
        flat, constants = _channels_last(x), (v_threshold, v_reset or 0.0, v_reset is None)
        s, h = torch.empty_like(flat), torch.empty_like(flat) if any(ctx.needs_input_grad) else None
        _each_part(_loops().forward, (flat, h, s), (None, None, tau), constants)
        if h is not None:
            ctx.save_for_backward(h, tau)
        ctx.constants = (*constants, slope)
        return _channels_third(s)

    @staticmethod
    def backward(ctx, grad: Tensor):
        return *_backward(grad, *ctx.saved_tensors, ctx.constants), None, None, None


class Normalised(NamedTuple):
    """Spikes of normalised currents, and the moments (channel,) over time, batch, row and column."""

    spikes: Tensor
    mean: Tensor
    variance: Tensor


def normalised_spikes(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    tau: Tensor,
    constants: tuple[float, float | None, float],
    eps: float,
    pools: bool = False,
) -> Normalised:
    """Spikes of LIF(BN(x)) while batch normalisation learns; ``constants`` are the last three of ``spikes``.

    Neither the normalised currents nor h come into being: the backward pass computes them again. With ``pools``, on a
    CPU, the neurons get the largest of 3 x 3 normalised currents, as of ``max_pool``. Within a channel the normalised
    rise or fall with x: it is x that is pooled, and a quarter of it that is normalised.
    """
    if on_gpu(x):
        return Normalised(*gpu_neurons.normalised_spikes(x, weight, bias, tau, constants, eps))
    return Normalised(*_NormalisedSpikes.apply(x, weight, bias, tau, constants, eps, pools))


class _NormalisedSpikes(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        tau: Tensor,
        constants,
        eps: float,
        pools: bool,
    ):
        v_threshold, v_reset, slope = constants
        flat, channels = _channels_last(x), x.shape[2]
        parts = _each_part(_loops().moments, (flat,))
        count = x.numel() // channels
        mean, square = (_per_channel(sums, channels) / count for sums in zip(*parts))
        variance = (square - mean.square()).clamp_min(0)
        scale = torch.rsqrt(variance + eps)
        gain = (weight.double() * scale).to(x.dtype)
        shift = bias - mean.to(x.dtype) * gain
        ctx.constants = v_threshold, v_reset or 0.0, v_reset is None
        largest = _largest(flat, gain) if pools else flat
        ctx.slope, s = slope, torch.empty_like(largest)
        lanes = gain, shift, tau
        _each_part(_loops().forward, (largest, None, s), lanes, ctx.constants)
        ctx.save_for_backward(flat, largest, *lanes, mean, scale)
        mean, variance = mean.to(x.dtype), variance.to(x.dtype)
        ctx.mark_non_differentiable(mean, variance)
        return _channels_third(s), mean, variance

    @staticmethod
    def backward(ctx, grad: Tensor, *_):
        flat, largest, gain, shift, tau, mean, scale = ctx.saved_tensors
        out, lanes = torch.empty_like(largest), (gain, shift, tau)
        constants = *ctx.constants, ctx.slope
        tensors = _channels_last(grad), largest, out
        parts = _each_part(_loops().normalised_backward, tensors, lanes, constants)
        channels = flat.shape[-1]
        of_tau, of_bias, product = (_per_channel(sums, channels) for sums in zip(*parts))
        of_weight = (product - mean * of_bias) * scale
        count = flat.numel() // channels
        x_part = gain * scale * of_weight / count
        mean_part = gain * of_bias / count - x_part * mean
        parts = tuple(part.to(flat.dtype) for part in (gain, mean_part, x_part))
        if largest.shape == flat.shape:  # not pooled, or of a single pixel
            _each_part(_loops().normalised_input, (out, flat), parts)
        else:
            grad_x = torch.empty_like(flat)
            _each_image(_loops().normalised_pool_input, (out, largest, flat, grad_x), parts)
            out = grad_x
        of_norm = (part.to(flat.dtype) for part in (of_weight, of_bias))
        return _channels_third(out), *of_norm, _of_tau(of_tau, tau), None, None, None


def _largest(flat: Tensor, gain: Tensor) -> Tensor:
    """Of 3 x 3, as of ``max_pool``, what is largest when it is multiplied by ``gain``."""
    largest, sign = _quarter(flat), torch.where(gain < 0, -1, 1).to(gain)
    _each_image(_loops().pool_by_sign, (flat, largest), (sign,))
    return largest


def _quarter(flat: Tensor) -> Tensor:
    """Room for what is pooled of ``flat``, every second row and column."""
    *leading, height, width, channels = flat.shape
    return flat.new_empty(*leading, (height + 1) // 2, (width + 1) // 2, channels)


def _per_channel(parts: Iterable[np.ndarray], channels: int) -> Tensor:
    """Sums for each lane, of each share, to those for each channel, in float64."""
    return torch.from_numpy(np.sum(list(parts), axis=0).reshape(-1, channels).sum(0))


def max_pool(x: Tensor) -> Tensor:
    """The largest of 3 x 3 at every second row and column, as ``MaxPool2d(3, 2, 1)``, for each step.

    Kept for the backward pass is one byte a result, where torch keeps x and eight.
    """
    return _MaxPool.apply(x)


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        flat = _channels_last(x)
        ctx.shape, largest = flat.shape, _quarter(flat)
        place = torch.empty_like(largest, dtype=torch.uint8)
        _each_image(_loops().pool, (flat, largest, place))
        ctx.save_for_backward(place)
        return _channels_third(largest)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        grad_x = grad.new_empty(ctx.shape)
        tensors = _channels_last(grad), *ctx.saved_tensors, grad_x
        _each_image(_loops().pool_backward, tensors)
        return _channels_third(grad_x)


def _each_image(loop, tensors: tuple[Tensor, ...], of_channels: tuple[Tensor, ...] = ()) -> None:
    """Run ``loop`` on equal shares of the images, one a thread of torch's."""
    arrays = [tensor.detach().flatten(0, 1).numpy() for tensor in tensors]
    each = *arrays, *(values.detach().numpy() for values in of_channels)
    images = len(arrays[0])
    threads = min(torch.get_num_threads(), images, 1 + arrays[0].size // BLOCK)
    in_shares(lambda low, high: loop(*each, low, high), images, threads)


def after_reset(h: Tensor, v_threshold: float, v_reset: float | None) -> Tensor:
    """v[t] after the reset of h[t], without a gradient."""
    constants = v_threshold, v_reset or 0.0, v_reset is None
    values = h.detach().numpy()
    v, _ = _each_value(_loops().after_reset, values, values.dtype, *constants)
    return torch.from_numpy(v)


def packed(values: np.ndarray, dtype: type) -> np.ndarray | None:
    """float32 ``values`` as bool, uint8 or uint16; None where one of them is no such number."""
    if not enabled() or _loops() is None:
        with np.errstate(invalid="ignore"):  # what does not fit is seen by comparing
            small = values.astype(dtype)
        return small if (small == values).all() else None
    most = 1 if dtype is np.bool_ else np.iinfo(dtype).max
    small, fits = _each_value(_loops().pack, values, dtype, most)
    return small if all(fits) else None


def _each_value(loop, values: np.ndarray, dtype: type, *constants) -> tuple[np.ndarray, list]:
    """``loop(values, results, *constants)`` on equal shares of all values: the results, which lie in memory
    as the values do, and what the loop returned for each share."""
    slowest_first = sorted(range(values.ndim), key=lambda axis: -values.strides[axis])
    lying = np.ascontiguousarray(values.transpose(slowest_first))
    results = np.empty(lying.shape, dtype)
    threads = min(torch.get_num_threads(), 1 + values.size // VALUES)
    shares = (np.array_split(flat.reshape(-1), threads) for flat in (lying, results))
    returned = _in_threads(lambda share: loop(*share, *constants), list(zip(*shares)))
    return results.transpose(np.argsort(slowest_first)), returned


def _backward(grad: Tensor, h: Tensor, tau: Tensor, constants: tuple) -> tuple[Tensor, Tensor]:
    """Gradients of x and tau; the last of ``constants`` is the surrogate's slope, None for that of h."""
    grad_x = torch.empty_like(h)
    parts = _each_part(_loops().backward, (_channels_last(grad), h, grad_x), (tau,), constants)
    return _channels_third(grad_x), _of_tau(_per_channel(parts, h.shape[-1]), tau)


def _of_tau(channels: Tensor, tau: Tensor) -> Tensor:
    """The gradient of tau from those of each channel."""
    return (channels.reshape(tau.shape) if tau.ndim else channels.sum()).to(tau.dtype)


def _channels_last(x: Tensor) -> Tensor:
    """The same values with channels fastest; no copy where they already lie so."""
    return rearrange(
        x, "time batch channel row column -> time batch row column channel"
    ).contiguous()


def _channels_third(flat: Tensor) -> Tensor:
    """The inverse view."""
    return rearrange(flat, "time batch row column channel -> time batch channel row column")


def _each_part(
    loop,
    tensors: tuple[Tensor | None, ...],
    of_channels: tuple[Tensor | None, ...] = (),
    constants: tuple = (),
) -> list:
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


def each_sample(loop: Callable, x: np.ndarray, *more, threads: int | None = None) -> None:
    """``loop(x, *more, low, high)`` for equal shares of the samples of x, one a thread: of torch's, or of so many."""
    threads = min(threads or torch.get_num_threads(), len(x))
    if threads == 1:  # a step of a stream is so short that cutting shares would be a part of it
        loop(x, *more, 0, len(x))
        return
    in_shares(lambda low, high: loop(x, *more, low, high), len(x), threads)


def in_shares(function: Callable, items: int, threads: int) -> list:
    """``function(low, high)`` of equal shares of ``items``, one a thread; results in order."""
    bounds = np.linspace(0, items, threads + 1).astype(np.int64)
    return _in_threads(lambda share: function(*share), list(itertools.pairwise(bounds)))


def _in_threads(function: Callable, tasks: list[tuple]) -> list:
    """``function`` of each task, one a thread; results in order."""
    if len(tasks) == 1:
        return [function(tasks[0])]
    return list(_pool(len(tasks)).map(function, tasks))


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
    values = values.detach().to(dtype).reshape(-1).numpy()
    return np.tile(np.broadcast_to(values, (channels,)), lanes // channels)


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="dista-kernel")


@functools.cache
def _loops():
    """The compiled loops, or None where numba is missing."""
    try:
        from dista.engine import loops
    except ImportError:
        return None
    return loops
