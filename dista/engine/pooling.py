"""Max-pooling of 3 x 3 at every second row and column, for CPUs: with its place for the backward pass, or by sign."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dista.engine import shares


def max_pool(x: Tensor) -> Tensor:
    """The largest of 3 x 3 at every second row and column, as ``MaxPool2d(3, 2, 1)``, for each step.

    Kept for the backward pass is one byte a result, where torch keeps x and eight.
    """
    return _MaxPool.apply(x)


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        flat = shares.channels_last(x)
        ctx.shape, largest = flat.shape, _quarter(flat)
        place = torch.empty_like(largest, dtype=torch.uint8)
        shares.each_image(shares.loops().pool, (flat, largest, place))
        ctx.save_for_backward(place)
        return shares.channels_third(largest)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        grad_x = grad.new_empty(ctx.shape)
        tensors = shares.channels_last(grad), *ctx.saved_tensors, grad_x
        shares.each_image(shares.loops().pool_backward, tensors)
        return shares.channels_third(grad_x)


def largest(flat: Tensor, gain: Tensor) -> Tensor:
    """Of 3 x 3, as of ``max_pool``, what is largest when it is multiplied by ``gain``."""
    pooled, sign = _quarter(flat), torch.where(gain < 0, -1, 1).to(gain)
    shares.each_image(shares.loops().pool_by_sign, (flat, pooled), (sign,))
    return pooled


def _quarter(flat: Tensor) -> Tensor:
    """Room for what is pooled of ``flat``, every second row and column."""
    *leading, height, width, channels = flat.shape
    return flat.new_empty(*leading, (height + 1) // 2, (width + 1) // 2, channels)
