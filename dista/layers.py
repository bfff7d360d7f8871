"""Convolution and batch normalisation of every step, and the two with a LIF: what the model is built of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from dista.config import ModelConfig, NeuronConfig
from dista.engine import kernels, pooling
from dista.neurons import LIF

if TYPE_CHECKING:
    from jaxtyping import Float


def over_time(
    module: Callable[[Tensor], Tensor], x: Float[Tensor, "time batch *image"]
) -> Float[Tensor, "time batch *result"]:
    """Apply a module for images to every step."""
    return module(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class Conv(nn.Conv2d):
    """A convolution of every step."""

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch output height width"]:
        return over_time(super().forward, x)


class Pool(nn.MaxPool2d):
    """The largest current of 3 x 3, at every second row and column of every step."""

    def __init__(self) -> None:
        super().__init__(3, stride=2, padding=1)

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch channel height width"]:
        return pooling.max_pool(x) if kernels.suits(x) else over_time(super().forward, x)


class Norm(nn.BatchNorm2d):
    """Batch normalisation with statistics over time, batch, row and column.

    Its gain starts at tau * v_threshold, so that a current of one standard deviation reaches the
    threshold within a step: with a gain of 1 the charge, which divides by tau, leaves nearly all
    neurons silent at first [ours; related: threshold-dependent batch norm, arXiv 2011.05280].
    """

    alone = True
    """Whether the statistics are those of this process's samples."""

    # torch may do without these; here they are always kept
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def __init__(self, neuron: NeuronConfig, channels: int) -> None:
        super().__init__(channels)
        nn.init.constant_(self.weight, neuron.tau * neuron.v_threshold)

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch channel row column"]:
        return over_time(super().forward, x)

    @torch.no_grad()
    def remember(
        self, mean: Float[Tensor, "channel"], variance: Float[Tensor, "channel"], count: int
    ) -> None:
        """Let the running statistics follow the moments of ``count`` values a channel, as ``forward`` does."""
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)


def fire(
    norm: Norm,
    neuron: LIF,
    x: Float[Tensor, "time batch channel row column"],
    pool: Pool | None = None,
) -> Float[Tensor, "time batch channel height width"]:
    """neuron(pool(norm(x))), in one pass where the statistics are learned and no hook wants what is between."""
    count = x.numel() // len(norm.weight)
    learns = norm.training and norm.alone and torch.is_grad_enabled() and count > 1
    suits = kernels.suits_training(x, neuron.config.surrogate) and neuron.at_once(x)
    pools = pool is not None
    parts = [part for part in (norm, pool, neuron) if part is not None]
    if not (learns and suits) or (pools and kernels.on_gpu(x)) or kernels.watched(parts):
        current = norm(x)
        return neuron(current if pool is None else pool(current))
    normalised = kernels.normalised_spikes(
        x, norm.weight, norm.bias, neuron.tau(), neuron.constants, norm.eps, pools
    )
    norm.remember(normalised.mean, normalised.variance, count)
    return normalised.spikes


class SpikingConv(nn.Module):
    """Convolution, batch normalisation, LIF."""

    def __init__(self, config: ModelConfig, inputs: int, outputs: int, kernel: int = 1) -> None:
        super().__init__()
        self.conv = Conv(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.norm = Norm(config.neuron, outputs)
        self.neuron = LIF(config.neuron, outputs)

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch output row column"]:
        if self.norm.training:
            return fire(self.norm, self.neuron, self.conv(x))
        return self.neuron(self.current(x))

    def current(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch output row column"]:
        """Input current of the neurons: BN(conv(x)), in evaluation as one convolution."""
        if self.norm.training or not kernels.enabled() or kernels.watched((self.conv, self.norm)):
            return self.norm(self.conv(x))
        return folded(self.conv, self.norm, x)


def folded(
    conv: Conv, norm: Norm, x: Float[Tensor, "time batch channel row column"]
) -> Float[Tensor, "time batch output row column"]:
    """norm(conv(x)) in evaluation mode: the statistics are constants, and go into weight and bias."""
    gain = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    weight, bias = conv.weight * gain[:, None, None, None], norm.bias - norm.running_mean * gain
    return over_time(lambda image: conv2d(image, weight, bias, padding=conv.padding), x)
