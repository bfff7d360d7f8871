"""Neurons as one pass over memory, for NVIDIA GPUs: what ``dista.engine.kernels`` is for CPUs, in Triton.

Currents may be float32 or a half precision, and are read once; membranes are float32 in registers, and
spikes are of the currents' type, which holds 0 and 1 exactly. Kept for the backward pass are the currents
alone: h is computed again, and never written. Batch normalisation before the neurons costs one more pass
forwards, for its moments, and one backwards, for its sums.

Triton is imported when a kernel first runs, never on a machine without a GPU.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

MOST_STEPS = 16
"""Steps that the kernels unroll; longer sequences run by the reference."""

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
NEURONS, PROGRAMS = 1024, 2048
"""Neurons of a program, and the programs that sums over rows are shared out among."""


@functools.cache
def _loops() -> Any:
    """The kernels, or None where Triton is missing."""
    try:
        from dista.engine import gpu_loops
    except ImportError:
        return None
    return gpu_loops


def suits(x: Tensor) -> bool:
    """Whether the kernels apply: (time, batch, channel, row, column) on a GPU, few enough steps."""
    kind = x.is_cuda and x.dtype in DTYPES and x.ndim == 5
    return kind and 0 < len(x) <= MOST_STEPS and x.numel() > 0 and _loops() is not None


def implementation() -> str:
    """What computes neurons on a GPU, and why, in words."""
    if not torch.cuda.is_available():
        return "none (no CUDA device)"
    if _loops() is None:
        return "reference (triton is not installed)"
    return f"triton: normalise, charge, fire and reset in one pass, up to {MOST_STEPS} steps"


def spikes(
    x: Tensor, tau: Tensor, v_threshold: float, v_reset: float | None, slope: float
) -> Tensor:
    """s[t], 0 or 1; arguments as ``dista.engine.kernels.spikes``."""
    return _Spikes.apply(x, tau, v_threshold, v_reset, slope)


def normalised_spikes(
    x: Tensor, weight: Tensor, bias: Tensor, tau: Tensor, constants: tuple, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Spikes, and mean and variance (channel,) in float32; as ``dista.engine.kernels.normalised_spikes``."""
    return _NormalisedSpikes.apply(x, weight, bias, tau, constants, eps)


class _Spikes(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, tau: Tensor, v_threshold: float, v_reset, slope: float) -> Tensor:
        flat = _channels_last(x)
        ctx.constants, ctx.slope, ctx.steps = _constants(v_threshold, v_reset), slope, len(x)
        ctx.save_for_backward(flat, tau)
        return _fire(flat, len(x), None, tau, ctx.constants)

    @staticmethod
    def backward(ctx, grad: Tensor):
        flat, tau = ctx.saved_tensors
        grad_x, sums = _back(
            grad, flat, ctx.steps, None, tau, ctx.constants, ctx.slope,
            write=(), total=ctx.needs_input_grad[1],
        )  # fmt: skip
        of_tau = None if sums is None else _of_tau(sums[0], tau)
        return _channels_third(grad_x), of_tau, None, None, None


class _NormalisedSpikes(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor, tau: Tensor, constants, eps: float):
        v_threshold, v_reset, slope = constants
        flat, count = _channels_last(x), x.numel() // x.shape[2]
        mean, square = _moments(flat) / (flat.numel() // x.shape[2])
        variance = (square - mean.square()).clamp_min(0)
        scale = torch.rsqrt(variance + eps)
        gain = (weight.double() * scale).float()
        shift = bias.float() - mean.float() * gain
        ctx.constants, ctx.slope, ctx.steps = _constants(v_threshold, v_reset), slope, len(x)
        ctx.count = count
        s = _fire(flat, len(x), (gain, shift), tau, ctx.constants)
        ctx.save_for_backward(flat, gain, shift, tau, mean, scale)
        mean, variance = mean.float(), variance.float()
        ctx.mark_non_differentiable(mean, variance)
        return s, mean, variance

    @staticmethod
    def backward(ctx, grad: Tensor, *_):
        flat, gain, shift, tau, mean, scale = ctx.saved_tensors
        norm, options = (gain, shift), (tau, ctx.constants, ctx.slope)
        _, (of_tau, of_bias, product) = _back(grad, flat, ctx.steps, norm, *options, write=None)
        of_weight = (product - mean * of_bias) * scale
        x_part = gain * scale * of_weight / ctx.count
        mean_part = gain * of_bias / ctx.count - x_part * mean
        parts = mean_part.float(), x_part.float()
        grad_x, _ = _back(grad, flat, ctx.steps, norm, *options, write=parts, total=False)
        of_norm = of_weight.to(gain.dtype), of_bias.to(gain.dtype)
        return _channels_third(grad_x), *of_norm, _of_tau(of_tau, tau), None, None


def _constants(v_threshold: float, v_reset: float | None) -> tuple[float, float, bool]:
    return float(v_threshold), float(v_reset or 0.0), v_reset is None


def _moments(flat: Tensor) -> Tensor:
    """Sums of the values and of their squares, (2, channel) in float64."""
    channels, rows = flat.shape[-1], flat.numel() // flat.shape[-1]
    tile, chunks, per_chunk, grid = _chunks(rows, channels, NEURONS)
    sums = torch.empty(2, chunks, channels, dtype=torch.float32, device=flat.device)
    _loops().moments[grid](flat, sums, rows, channels, per_chunk, **tile)
    return sums.double().sum(1)


def _fire(flat: Tensor, steps: int, norm: tuple | None, tau: Tensor, constants: tuple) -> Tensor:
    """Spikes (time, batch, channel, row, column) of ``flat``, whose one step stands for all if it has one."""
    channels, rows = flat.shape[-1], flat[0].numel() // flat.shape[-1]
    s = flat.new_empty(steps, *flat.shape[1:])
    tile = _tile(channels, NEURONS)
    grid = -(-rows // tile["ROWS"]), -(-channels // tile["LANES"])
    v_threshold, rest, soft = constants
    gain, shift = norm or (tau, tau)  # not read
    _loops().forward[grid](
        flat, s, gain, shift, _per_channel(tau, channels), rows, channels,
        _stride(flat, steps), s.stride(0), v_threshold, rest,
        STEPS=steps, NORM=norm is not None, SOFT=soft, **tile,
    )  # fmt: skip
    return _channels_third(s)


def _back(
    grad: Tensor,
    flat: Tensor,
    steps: int,
    norm: tuple | None,
    tau: Tensor,
    constants: tuple,
    slope: float,
    *,
    write: tuple | None,
    total: bool = True,
) -> tuple[Tensor | None, Tensor | None]:
    """The gradient of ``flat`` at every step unless ``write`` is None, and the sums (3, channel) if ``total``."""
    grad = _last(grad).contiguous()
    channels, rows = flat.shape[-1], flat[0].numel() // flat.shape[-1]
    tile, chunks, per_chunk, grid = _chunks(rows, channels, NEURONS // (2 if steps <= 4 else 4))
    grad_x = (
        None if write is None else torch.empty(grad.shape, dtype=flat.dtype, device=flat.device)
    )
    sums = torch.empty(3, chunks, channels, dtype=torch.float32, device=flat.device)
    v_threshold, rest, soft = constants
    unread = sums
    gain, shift = norm or (unread, unread)
    mean_part, x_part = write or (unread, unread)
    _loops().backward[grid](
        grad, flat, unread if grad_x is None else grad_x, sums, gain, shift,
        _per_channel(tau, channels), mean_part, x_part, rows, channels, per_chunk,
        _stride(flat, steps), grad.stride(0), v_threshold, rest, float(slope),
        STEPS=steps, NORM=norm is not None, SOFT=soft,
        SUM=total, WRITE=grad_x is not None, **tile,
    )  # fmt: skip
    return grad_x, sums.double().sum(1) if total else None


def _tile(channels: int, neurons: int) -> dict[str, int]:
    """Rows and lanes of a program. Lanes are a power of 2 that divides the channels where one of 16 to 64
    does, so that none idles; 48 channels are three times 16."""
    lanes = channels & -channels
    if lanes < 16:
        lanes = 1 << (min(channels, 64) - 1).bit_length()
    lanes = min(lanes, 64)
    return {"ROWS": max(1, neurons // lanes), "LANES": lanes}


def _chunks(rows: int, channels: int, neurons: int) -> tuple[dict[str, int], int, int, tuple]:
    """The tile, the number of chunks, the rows of a chunk, and the grid, for sums over rows."""
    tile = _tile(channels, neurons)
    blocks = -(-channels // tile["LANES"])
    tiles = -(-rows // tile["ROWS"])
    per_chunk = -(-tiles // max(1, PROGRAMS // blocks)) * tile["ROWS"]
    chunks = -(-rows // per_chunk)
    return tile, chunks, per_chunk, (chunks, blocks)


def _stride(flat: Tensor, steps: int) -> int:
    """Values from a step to the next; 0 where one step stands for all."""
    return flat.stride(0) if len(flat) == steps else 0


def _per_channel(tau: Tensor, channels: int) -> Tensor:
    return tau.detach().float().reshape(-1).expand(channels).contiguous()


def _of_tau(channels: Tensor, tau: Tensor) -> Tensor:
    """The gradient of tau from those of each channel."""
    return (channels.reshape(tau.shape) if tau.ndim else channels.sum()).to(tau.dtype)


def _channels_last(x: Tensor) -> Tensor:
    """(time, batch, row, column, channel), contiguous; one step of what is one step repeated."""
    if len(x) > 1 and x.stride(0) == 0:
        x = x[:1]
    return _last(x).contiguous()


def _last(x: Tensor) -> Tensor:
    return rearrange(x, "time batch channel row column -> time batch row column channel")


def _channels_third(flat: Tensor) -> Tensor:
    """The inverse view."""
    return rearrange(flat, "time batch row column channel -> time batch channel row column")
