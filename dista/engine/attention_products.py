"""Attention without the whole map, for when nobody looks at it.

    read(f(Q K^T), V)      is what ``dista.attention`` computes, as three operations that hooks can see

Two shortcuts give the same output and gradients:

- f the identity: (Q K^T) V = Q (K^T V). K^T V is d x d, and over a window it is a difference of prefix
  sums, so that time and memory grow with T N, not with T W N^2 [related: spikingjelly's Spikformer, for
  one step].
- any f: a few queries at a time, their part of the map computed again in the backward pass. Memory is
  that of Q, K, V and of one part, linear in T N, for one more product Q K^T [related: FlashAttention].

Where no gradient is wanted, the map itself is computed a pair of steps after the other, in the place where
it stays: gathering the queries and keys of all pairs, and adding up what was read from each, costs as
much as the products (with torch's own indexing a block of the CIFAR case took 14.5 ms instead of 9.3).

Counts are whole numbers, so their sums in another order are exact (float32: up to 2^24); with a table of
fractions they agree to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from einops import rearrange
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from dista.engine import gpu_attention, kernels

LARGE_MAP, PART = 16 << 20, 8 << 20
"""Bytes from which the map is computed in parts, and of a part: below, that only costs time."""


def shortcuts() -> dict[str, str]:
    """Which shortcuts attention may take, and when, in words."""
    if not kernels.enabled():
        return {"attention": "reference (DISTA_KERNEL=reference)"}
    return {
        "attention, no denoiser": "prefix sums of K^T V, unless a hook wants the map",
        "attention, GPU": gpu_attention.implementation(),
        "attention, training": "along the counts that a threshold keeps, unless a hook wants the map",
        "attention, denoiser": f"in parts that are not kept, where the map exceeds {LARGE_MAP >> 20} MiB",
    }


def pairs(steps: int, window: int, past: int = 0) -> list[tuple[int, int]]:
    """Query and key step (t, m) of each entry of a map: 0 <= t - m < window, ordered by t, then m.

    Keys of ``past`` steps lie before those of the queries' own steps; m is counted from their first.
    """
    last = range(past, past + steps)
    return [(t - past, m) for t in last for m in range(max(0, t - window + 1), t + 1)]


def reachable(steps: int, window: int, past: int = 0) -> list[int]:
    """n(t): how many steps t can reach, itself included, where ``past`` lie before the first."""
    return [min(past + t + 1, window) for t in range(steps)]


def map_bytes(q: Tensor, window: int) -> int:
    """Bytes of the map A that queries (time, batch, head, token, dim) meet in their window."""
    steps, batch, heads, tokens, _ = q.shape
    return sum(reachable(steps, window)) * batch * heads * tokens**2 * q.element_size()


def is_cheaper(q: Tensor, window: int) -> bool:
    """Whether Q (K^T V) needs fewer multiplications than (Q K^T) V, its prefix sums counted."""
    steps, *_, tokens, dim = q.shape
    return sum(reachable(steps, window)) * tokens > steps * (dim + (window > 1))


def fuses(q: Tensor, denoise: gpu_attention.Denoise) -> bool:
    """Whether a GPU computes all of it in one kernel, the denoiser included."""
    return not torch.compiler.is_compiling() and gpu_attention.suits(q, denoise)


def by_pair(*tensors: Tensor) -> bool:
    """Whether ``scores`` and ``read`` below apply: on CPUs, without gradients, and without autocast, which
    does not reach operations that write into a given place."""
    wanted = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    device = tensors[0].device.type
    return (
        kernels.enabled()
        and device == "cpu"
        and not wanted
        and not torch.is_autocast_enabled("cpu")
    )


def scores(q: Tensor, k: Tensor, window: int) -> Tensor:
    """A[t,m] = Q[t] K[m]^T; arguments and result as ``dista.attention.scores``."""
    steps, batch, heads, tokens, _ = q.shape
    reached = pairs(steps, window, len(k) - steps)
    q, k = q.flatten(1, 2), k.flatten(1, 2)
    a = q.new_empty(len(reached), batch * heads, tokens, tokens)
    for entry, (t, m) in zip(a, reached):
        torch.bmm(q[t], k[m].mT, out=entry)
    return a.unflatten(1, (batch, heads))


def read(a: Tensor, v: Tensor, window: int, scale: float, past: int = 0) -> Tensor:
    """scale / n(t) * sum_m A[t,m] V[m]; arguments and result as ``dista.attention.read``."""
    summed, flat = (
        torch.zeros_like(v[past:], memory_format=torch.contiguous_format),
        v.flatten(1, 2),
    )
    sums = summed.flatten(1, 2)
    for entry, (t, m) in zip(a.flatten(1, 2), pairs(len(summed), window, past)):
        sums[t] += entry @ flat[m]
    return mean(summed, window, scale, past)


def attend_linear(q: Tensor, k: Tensor, v: Tensor, window: int, scale: float) -> Tensor:
    """scale / n(t) * Q[t] (sum_m K[m]^T V[m]), all (time, batch, head, token, dim): f is the identity."""
    memory = k.mT @ v
    if window > 1:
        memory = memory.cumsum(0)
        if window < len(q):
            memory = torch.cat([memory[:window], memory[window:] - memory[:-window]])
    return mean(q @ memory, window, scale)


def attend_in_parts(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    window: int,
    scale: float,
    denoise: Callable[[Tensor], Tensor],
) -> Tensor:
    """scale / n(t) * sum_m f(Q[t] K[m]^T) V[m], a few queries after the others; their map is not kept."""
    steps, batch, heads, tokens, _ = q.shape
    k, v = (
        rearrange(x, "time batch head token dim -> batch head (time token) dim") for x in (k, v)
    )

    def one(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        return denoise(queries @ keys.mT) @ values  # sums over the steps of the window as well

    # Where nothing is differentiated, nothing is kept, and checkpoint would only load torch's compiler (2 s).
    again = partial(checkpoint, one, use_reentrant=False) if torch.is_grad_enabled() else one
    read = []
    for t, n in enumerate(reachable(steps, window)):
        past = slice((t + 1 - n) * tokens, (t + 1) * tokens)
        rows = max(1, PART // (batch * heads * n * tokens * q.element_size()))
        parts = q[t].split(rows, dim=-2)
        keys, values = k[:, :, past], v[:, :, past]
        read += [torch.cat([again(part, keys, values) for part in parts], -2)]
    return mean(torch.stack(read), window, scale)


def mean(summed: Tensor, window: int, scale: float, past: int = 0) -> Tensor:
    """scale * sum / n(t), rounded in this order as ``dista.attention.read`` does: a membrane may lie
    exactly on its threshold."""
    if window == 1:
        return scale * summed
    # ``reachable``, made on the device: no copy to wait for
    n = torch.arange(past + 1, past + len(summed) + 1, device=summed.device).clamp(max=window)
    return scale * summed / n.to(summed.dtype)[:, None, None, None, None]
