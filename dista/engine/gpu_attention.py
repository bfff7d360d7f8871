"""Attention with the denoiser in one kernel, for NVIDIA GPUs: the map is never stored, backwards neither.

    scale / n(t) * sum_m f(Q[t] K[m]^T) V[m]        [related: FlashAttention, which needs a softmax as well]

Counts of coincident spikes are whole numbers, exact in the matrix units' float32 sums; in half precision
what passes the denoiser is rounded as under autocast, which is exact up to 256 of bfloat16.

A table that learns its values is left to ``dista.engine.attention_products``: its gradient is a histogram.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn

from dista.engine import gpu_neurons

KINDS = ("none", "threshold", "lookup")
MOST_DIM = 128


@functools.cache
def _maps() -> Any:
    """The kernels, or None where Triton is missing."""
    try:
        from dista.engine import gpu_maps
    except ImportError:
        return None
    return gpu_maps


def suits(q: Tensor, denoise: nn.Module) -> bool:
    """Whether ``attend`` applies: a GPU, heads of no more than ``MOST_DIM`` channels, no table to train."""
    learns = denoise.kind == "lookup" and denoise.table.requires_grad and torch.is_grad_enabled()
    kind = q.is_cuda and q.dtype in gpu_neurons.DTYPES and 0 < q.numel() < 1 << 31
    has_kernel = denoise.kind in KINDS and q.shape[-1] <= MOST_DIM
    return kind and has_kernel and not learns and _maps() is not None


def implementation() -> str:
    """What computes attention on a GPU, and why, in words."""
    if not torch.cuda.is_available():
        return "none (no CUDA device)"
    if _maps() is None:
        return "as on a CPU (triton is not installed)"
    return "triton: scores, denoiser and read in one kernel, unless a hook wants the map"


def attend(
    q: Tensor, k: Tensor, v: Tensor, window: int, scale: float, denoise: nn.Module
) -> Tensor:
    """What is read from the values, all (time, batch, head, token, dim); ``denoise`` is attention's."""
    table = denoise.table if denoise.kind == "lookup" else q
    everywhere = denoise.kind == "none" or denoise.config.gradient == "all"  # the slope is 1
    options = KINDS.index(denoise.kind), float(denoise.u), everywhere
    return _Attend.apply(q, k, v, table, window, scale, options)


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q: Tensor, k: Tensor, v: Tensor, table: Tensor, window, scale, options):
        o = _like(q)
        kind, u, _ = options
        table = table.detach().float() if KINDS[kind] == "lookup" else o
        steps, batch, heads, tokens, dim = q.shape
        sizes = _sizes(q)
        _maps().forward[(-(-tokens // sizes["QUERIES"]), batch * heads, steps)](
            q, k, v, o, table, heads, tokens, dim, window, len(table) - 1, u, scale,
            *_strides(q, k, v, o), KIND=kind, EXACT=q.dtype == torch.float32, **sizes,
        )  # fmt: skip
        ctx.save_for_backward(q, k, v, table)
        ctx.window, ctx.scale, ctx.options = window, scale, options
        return o

    @staticmethod
    def backward(ctx, grad: Tensor):
        q, k, v, table = ctx.saved_tensors
        kind, u, everywhere = ctx.options
        grad = grad.to(q.dtype)
        steps, batch, heads, tokens, dim = q.shape
        dq, dk, dv = _like(q), _like(q), _like(q)
        sizes = _sizes(q)
        options = dict(KIND=kind, ALL=everywhere, EXACT=q.dtype == torch.float32, **sizes)
        per_head = batch * heads, steps
        _maps().backward_queries[(-(-tokens // sizes["QUERIES"]), *per_head)](
            q, k, v, grad, dq, table, heads, tokens, dim, ctx.window, len(table) - 1, u, ctx.scale,
            *_strides(q, k, v, grad, dq), **options,
        )  # fmt: skip
        _maps().backward_keys[(-(-tokens // sizes["KEYS"]), *per_head)](
            q, k, v, grad, dk, dv, table, heads, tokens, dim, steps, ctx.window, len(table) - 1, u,
            ctx.scale, *_strides(q, k, v, grad, dk), **options,
        )  # fmt: skip
        return dq, dk, dv, None, None, None, None


def _like(q: Tensor) -> Tensor:
    """An empty tensor that lies as the channels of all heads do: (time, batch, token, head, dim)."""
    steps, batch, heads, tokens, dim = q.shape
    return q.new_empty(steps, batch, tokens, heads, dim).transpose(2, 3)


def _strides(*tensors: Tensor) -> list[int]:
    return [stride for tensor in tensors for stride in tensor.stride()]


def _sizes(q: Tensor) -> dict[str, int]:
    """Options of a launch. Tiles as large as registers allow: float32 products run without matrix units, in small ones."""
    tokens, dim = q.shape[-2:]
    most = 32 if q.dtype == torch.float32 else 64
    tile = min(most, max(16, 1 << (tokens - 1).bit_length()))
    dim = max(16, 1 << (dim - 1).bit_length())
    # One stage, as Triton's pipelining of loads fails on a table that is read between two products.
    return {"QUERIES": tile, "KEYS": tile, "DIM": dim, "num_stages": 1}
