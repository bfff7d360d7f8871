"""Attention with a threshold, while gradients are wanted, in work for the counts that it keeps.

    read(f(Q K^T), V)     as ``dista.attention`` has it, f(a) = a where a > u, else 0

A threshold passes on the gradient of the counts that it keeps alone [reviews], and these are few: 5 to 20 % of a
trained map. So both passes go along the lists of the keys that are kept, as ``dista.engine.event_attention`` does, and
no map is stored. The output is exact, as sums of whole numbers are; gradients agree with the map's to rounding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from dista.engine import kernels, shares
from dista.engine.attention_products import mean

if TYPE_CHECKING:
    from dista.attention import Denoise

LARGEST = 254
"""Channels of a head whose coincidences a byte counts, and what is one more."""

TOGETHER = "time batch head token dim -> batch time token (head dim)"


def suits(q: Tensor, denoise: Denoise) -> bool:
    """Whether ``attend`` does the same as the map: a threshold that is not learned, on a CPU, without autocast."""
    return (
        kernels.suits(q)
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and denoise.kind == "threshold"
        and denoise.config.gradient != "all"
        and q.shape[-1] <= LARGEST
        and type(q) is Tensor
    )


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    denoise: Denoise,
    window: int,
    scale: float,
    by_map: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> Tensor:
    """scale / n(t) * sum_m f(Q[t] K[m]^T) V[m], all (time, batch, head, token, dim).

    Where a value is neither 0 nor 1, as an intervention may make it, it is what ``by_map`` makes of them.
    """
    spikes = [
        kernels.packed(rearrange(x.detach(), TOGETHER).contiguous().numpy(), np.bool_)
        for x in (q, k, v)
    ]
    if any(one is None for one in spikes):
        return by_map(q, k, v)
    form = (q.shape[2], q.shape[4], window, min(int(denoise.u) + 1, LARGEST + 1))
    as_bytes = [cast("np.ndarray", one).view(np.uint8) for one in spikes]
    return mean(_Attend.apply(q, k, v, as_bytes, form), window, scale)


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, spikes: list[np.ndarray], form: tuple[int, ...]
    ) -> Tensor:
        ctx.spikes, ctx.form = spikes, form
        out = torch.empty(spikes[0].shape, dtype=q.dtype)
        shares.each_sample(_loops().read, *spikes, *form, out.numpy())
        return _heads_apart(out, form[0])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        upstream = rearrange(grad, TOGETHER).contiguous()
        results = [torch.empty_like(upstream) for _ in range(3)]
        arrays = [one.numpy() for one in (upstream, *results)]
        shares.each_sample(_loops().gradients, *ctx.spikes, arrays[0], *ctx.form, *arrays[1:])
        return *(_heads_apart(one, ctx.form[0]) for one in results), None, None


def _heads_apart(x: Tensor, heads: int) -> Tensor:
    return rearrange(x, "batch time token (head dim) -> time batch head token dim", head=heads)


@functools.cache
def _loops() -> Any:
    from dista.engine import trained_attention_loops

    return trained_attention_loops
