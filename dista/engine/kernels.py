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

import os
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dista.engine import gpu_neurons, pooling, shares
from dista.engine.modules import watched as watched  # whoever asks for a kernel asks this first

KERNELS = ("auto", "reference")


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
    if shares.loops() is None:
        return {"membrane": "reference (numba is not installed)"} | gpu
    how = "charge, fire and reset in one pass, after batch normalisation in training"
    return {"membrane": f"numba: {how}"} | gpu


def suits(x: Tensor) -> bool:
    """Whether the kernels apply: a (time, batch, channel, row, column) float tensor on a CPU."""
    kind = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64) and x.ndim == 5
    return enabled() and kind and not torch.compiler.is_compiling() and shares.loops() is not None


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
    def forward(
        ctx: Any, x: Tensor, tau: Tensor, v_threshold: float, v_reset: float | None
    ) -> Tensor:
        flat, constants = shares.channels_last(x), (v_threshold, v_reset or 0.0, v_reset is None)
        h = torch.empty_like(flat)
        shares.each_part(shares.loops().forward, (flat, h, None), (None, None, tau), constants)
        ctx.save_for_backward(h, tau)
        ctx.constants = (*constants, None)
        return shares.channels_third(h)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        h, tau = ctx.saved_tensors
        return *_backward(grad, h, tau, ctx.constants), None, None


class _Spikes(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, tau: Tensor, v_threshold: float, v_reset: float | None, slope: float
    ) -> Tensor:
        flat, constants = shares.channels_last(x), (v_threshold, v_reset or 0.0, v_reset is None)
        s, h = torch.empty_like(flat), torch.empty_like(flat) if any(ctx.needs_input_grad) else None
        shares.each_part(shares.loops().forward, (flat, h, s), (None, None, tau), constants)
        if h is not None:
            ctx.save_for_backward(h, tau)
        ctx.constants = (*constants, slope)
        return shares.channels_third(s)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        h, tau = ctx.saved_tensors
        return *_backward(grad, h, tau, ctx.constants), None, None, None


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
    CPU, the neurons get the largest of 3 x 3 normalised currents, as of ``pooling.max_pool``. Within a channel the normalised
    rise or fall with x: it is x that is pooled, and a quarter of it that is normalised.
    """
    if on_gpu(x):
        return Normalised(*gpu_neurons.normalised_spikes(x, weight, bias, tau, constants, eps))
    return Normalised(*_NormalisedSpikes.apply(x, weight, bias, tau, constants, eps, pools))


class _NormalisedSpikes(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        tau: Tensor,
        constants: tuple[float, float | None, float],
        eps: float,
        pools: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        v_threshold, v_reset, slope = constants
        flat, channels = shares.channels_last(x), x.shape[2]
        parts = shares.each_part(shares.loops().moments, (flat,))
        count = x.numel() // channels
        mean, square = (shares.per_channel(sums, channels) / count for sums in zip(*parts))
        variance = (square - mean.square()).clamp_min(0)
        scale = torch.rsqrt(variance + eps)
        gain = (weight.double() * scale).to(x.dtype)
        shift = bias - mean.to(x.dtype) * gain
        ctx.constants = v_threshold, v_reset or 0.0, v_reset is None
        largest = pooling.largest(flat, gain) if pools else flat
        ctx.slope, s = slope, torch.empty_like(largest)
        lanes = gain, shift, tau
        shares.each_part(shares.loops().forward, (largest, None, s), lanes, ctx.constants)
        ctx.save_for_backward(flat, largest, *lanes, mean, scale)
        mean, variance = mean.to(x.dtype), variance.to(x.dtype)
        ctx.mark_non_differentiable(mean, variance)
        return shares.channels_third(s), mean, variance

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> Any:
        flat, largest, gain, shift, tau, mean, scale = ctx.saved_tensors
        out, lanes = torch.empty_like(largest), (gain, shift, tau)
        constants = *ctx.constants, ctx.slope
        tensors = shares.channels_last(grad), largest, out
        parts = shares.each_part(shares.loops().normalised_backward, tensors, lanes, constants)
        channels = flat.shape[-1]
        of_tau, of_bias, product = (shares.per_channel(sums, channels) for sums in zip(*parts))
        of_weight = (product - mean * of_bias) * scale
        count = flat.numel() // channels
        x_part = gain * scale * of_weight / count
        mean_part = gain * of_bias / count - x_part * mean
        of_x = tuple(part.to(flat.dtype) for part in (gain, mean_part, x_part))
        if largest.shape == flat.shape:  # not pooled, or of a single pixel
            shares.each_part(shares.loops().normalised_input, (out, flat), of_x)
        else:
            grad_x = torch.empty_like(flat)
            shares.each_image(
                shares.loops().normalised_pool_input, (out, largest, flat, grad_x), of_x
            )
            out = grad_x
        of_norm = (part.to(flat.dtype) for part in (of_weight, of_bias))
        return shares.channels_third(out), *of_norm, _of_tau(of_tau, tau), None, None, None


def after_reset(h: Tensor, v_threshold: float, v_reset: float | None) -> Tensor:
    """v[t] after the reset of h[t], without a gradient."""
    constants = v_threshold, v_reset or 0.0, v_reset is None
    values = h.detach().numpy()
    v, _ = shares.each_value(shares.loops().after_reset, values, values.dtype.type, *constants)
    return torch.from_numpy(v)


def packed(values: np.ndarray, dtype: type) -> np.ndarray | None:
    """float32 ``values`` as bool, uint8 or uint16; None where one of them is no such number."""
    if not enabled() or shares.loops() is None:
        with np.errstate(invalid="ignore"):  # what does not fit is seen by comparing
            small: np.ndarray = values.astype(dtype)
        return small if (small == values).all() else None
    most = 1 if dtype is np.bool_ else np.iinfo(dtype).max
    small, fits = shares.each_value(shares.loops().pack, values, dtype, most)
    return small if all(fits) else None


def _backward(
    grad: Tensor, h: Tensor, tau: Tensor, constants: tuple[Any, ...]
) -> tuple[Tensor, Tensor]:
    """Gradients of x and tau; the last of ``constants`` is the surrogate's slope, None for that of h."""
    grad_x = torch.empty_like(h)
    parts = shares.each_part(
        shares.loops().backward, (shares.channels_last(grad), h, grad_x), (tau,), constants
    )
    return shares.channels_third(grad_x), _of_tau(shares.per_channel(parts, h.shape[-1]), tau)


def _of_tau(channels: Tensor, tau: Tensor) -> Tensor:
    """The gradient of tau from those of each channel."""
    return (channels.reshape(tau.shape) if tau.ndim else channels.sum()).to(tau.dtype)
