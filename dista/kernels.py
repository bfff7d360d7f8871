"""The membrane recursion as one pass over memory, for CPUs.

The recursion of ``dista.neurons.membrane`` is a chain of small elementwise operations; written in
torch each is a pass over memory of its own. Here numba compiles one loop over all of them. The
forward keeps only h; the backward recomputes what it needs from it, because (x - v) / tau = h - v.
Results agree with the reference to rounding, gradients included, which the tests check.

``DISTA_KERNEL=reference`` in the environment switches the kernels off.
"""

from __future__ import annotations

import functools
import itertools
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

BLOCK = 2048
"""Neurons in one block of the loops: their state stays in the first-level cache over all steps."""


def suits(x: Tensor) -> bool:
    """Whether the fused kernel applies: a (time, batch, channel, row, column) float tensor on a CPU."""
    wanted = os.environ.get("DISTA_KERNEL", "numba") != "reference"
    kind = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64) and x.ndim == 5
    return wanted and kind and not torch.compiler.is_compiling() and _loops() is not None


def membrane(x: Tensor, tau: Tensor, v_threshold: float, v_reset: float | None) -> Tensor:
    """h[t] before the reset; arguments and result as ``dista.neurons.membrane``."""
    return _Membrane.apply(x, tau, v_threshold, v_reset)


class _Membrane(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, tau: Tensor, v_threshold: float, v_reset: float | None) -> Tensor:
        flat = _channels_last(x)
        h = torch.empty_like(flat)
        constants = (v_threshold, v_reset or 0.0, v_reset is None)
        _each_part(_loops().forward, (flat, h), _tau_per_neuron(tau, flat), constants)
        ctx.save_for_backward(h, tau)
        ctx.constants = constants
        return rearrange(h, "time batch row column channel -> time batch channel row column")

    @staticmethod
    def backward(ctx, grad: Tensor):
        h, tau = ctx.saved_tensors
        grad = _channels_last(grad)
        grad_x = torch.empty_like(h)
        parts = _each_part(
            _loops().backward, (grad, h, grad_x), _tau_per_neuron(tau, h), ctx.constants
        )
        grad_tau = torch.from_numpy(np.sum(parts, axis=0)).to(tau.dtype)
        grad_tau = grad_tau.reshape(tau.shape) if tau.ndim else grad_tau.sum()
        grad_x = rearrange(grad_x, "time batch row column channel -> time batch channel row column")
        return grad_x, grad_tau, None, None


def _channels_last(x: Tensor) -> Tensor:
    """The same values with channels fastest; no copy where they already lie so."""
    return rearrange(
        x, "time batch channel row column -> time batch row column channel"
    ).contiguous()


def _tau_per_neuron(tau: Tensor, flat: Tensor) -> np.ndarray:
    """tau as one value for each channel, in the precision of the data."""
    values = tau.detach().to(flat.dtype).reshape(-1).numpy()
    return np.ascontiguousarray(np.broadcast_to(values, (flat.shape[-1],)))


def _each_part(loop, tensors: tuple[Tensor, ...], tau: np.ndarray, constants: tuple) -> list:
    """Run ``loop`` on equal shares of the neurons, one a thread of torch's; results in order."""
    channels = len(tau)
    arrays = [t.numpy().reshape(t.shape[0], -1, channels) for t in tensors]
    sites = arrays[0].shape[1]
    threads = min(torch.get_num_threads(), max(1, sites * channels // BLOCK))
    bounds = np.linspace(0, sites, threads + 1).astype(np.int64)
    tasks = [(*arrays, tau, *constants, low, high) for low, high in itertools.pairwise(bounds)]
    if threads == 1:
        return [loop(*tasks[0])]
    return list(_pool(threads).map(lambda task: loop(*task), tasks))


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="dista-kernel")


@functools.cache
def _loops():
    """The compiled loops, or None where numba is missing."""
    try:
        from dista import _loops
    except ImportError:
        return None
    return _loops
