"""DISTA: a spiking vision transformer with learned time constants, memory and denoised attention.

Tensors are (time, batch, channel, row, column) throughout; tokens are the patches (row, column).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import torch
from einops import rearrange
from torch import Tensor, nn

from dista import inputs, streaming
from dista.attention import SpaceTimeAttention
from dista.config import ModelConfig
from dista.engine import events, saved_tensors
from dista.engine.modules import need_evaluation
from dista.layers import Pool, SpikingConv, fire
from dista.observable import Observable
from dista.streaming import State

if TYPE_CHECKING:
    from jaxtyping import Float


class StemStage(SpikingConv):
    """conv3x3-BN-LIF, with max-pooling of the current before the neurons where ``pool``.

    Spikformer pools the spikes; pooling the current, as spikingjelly's Spikformer does, needs a
    quarter of the neurons.
    """

    def __init__(self, config: ModelConfig, inputs: int, outputs: int, pool: bool) -> None:
        super().__init__(config, inputs, outputs, kernel=3)
        self.pool = Pool() if pool else nn.Identity()

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch output height width"]:
        if not self.norm.training:
            return self.neuron(self.current(x))
        pool = self.pool if isinstance(self.pool, Pool) else None
        return fire(self.norm, self.neuron, self.conv(x), pool)

    def current(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch output height width"]:
        return self.pool(super().current(x))


class Stem(nn.Module):
    """Spiking patch splitting: stages that double the channels, then a relative position layer.

    A static image is repeated for all steps [related: direct encoding]: as the first convolution
    would see the same image each time, it is computed once and its current repeated.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        stages = len(config.stem_pools)
        widths = [config.input_shape[0], *(config.dim >> (stages - 1 - i) for i in range(stages))]
        self.stages = nn.ModuleList(
            StemStage(config, *pair) for pair in zip(widths, widths[1:], config.stem_pools)
        )
        self.position = SpikingConv(config, config.dim, config.dim, kernel=3)

    def forward(
        self, x: Float[Tensor, "#time batch colour height width"], steps: int
    ) -> Float[Tensor, "time batch channel row column"]:
        first, *others = cast("Iterable[StemStage]", self.stages)
        if len(x) == steps:
            x = first(x)
        else:
            x = first.neuron(first.current(x).expand(steps, -1, -1, -1, -1))
        for stage in others:
            x = stage(x)
        return x + self.position(x)


class MLP(nn.Module):
    """Two 1x1 convolutions, each with BN and LIF."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = int(config.dim * config.mlp_ratio)
        self.hidden = SpikingConv(config, config.dim, width)
        self.output = SpikingConv(config, width, config.dim)

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch channel row column"]:
        return self.output(self.hidden(x))


class Block(nn.Module):
    """x = x + attention(x); x = x + MLP(x)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention = SpaceTimeAttention(config)
        self.mlp = MLP(config)

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch channel row column"]:
        x = x + self.attention(x)
        return x + self.mlp(x)


class Head(nn.Module):
    """Logits of every step: mean over patches, then linear; (time, batch, class)."""

    observables = {"": Observable(("time", "batch", "class"))}

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.linear = nn.Linear(config.dim, config.classes)

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch class"]:
        return self.linear(x.mean((-2, -1)))


class DISTA(nn.Module):
    """The whole network, [paper] as far as its sources say; see the attributes of ``config``.

    ``model(x)`` takes images (batch, channel, row, column), repeated for ``config.time_steps``, or
    frames (time, batch, channel, row, column) of any length. Images are floats in 0..1, event frames
    are counts. It returns logits (batch, class), the mean of ``model.head`` over the last
    ``config.readout_steps``. Raises ValueError for any other shape, an integer dtype, and values that are
    infinite or no number; warns where an image seems to lie in 0..255.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.card: dict[str, Any] = {}
        self.register_buffer("mean", torch.tensor(config.mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(config.std)[:, None, None], persistent=False)
        self.stem = Stem(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.head = Head(config)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Float[Tensor, "batch class"]:
        return self.readout(self.steps(x))

    def steps(self, x: Tensor) -> Float[Tensor, "time batch class"]:
        """Logits of every step."""
        x, steps = self._sequence(x)
        x = self.normalised(x)
        features = events.features if events.why_not(self, x) is None else DISTA.features
        return self.head(features(self, x, steps))

    def features(
        self, x: Float[Tensor, "#time batch colour height width"], steps: int
    ) -> Float[Tensor, "time batch channel row column"]:
        """What the last block passes on, for a normalised input: the equations, and how training runs them."""
        with saved_tensors.in_bytes():
            x = self.stem(x, steps)
            for block in self.blocks:
                x = block(x)
        return x

    def normalised(
        self, x: Float[Tensor, "*time batch channel row column"]
    ) -> Float[Tensor, "*time batch channel row column"]:
        """The input as the first convolution sees it."""
        return (x - self.mean) / self.std

    def start(self) -> State:
        """The state before the first step of a stream; see ``dista.streaming``."""
        return State()

    @torch.no_grad()
    def step(self, x: Tensor, state: State) -> tuple[Float[Tensor, "batch class"], State]:
        """Logits of the next step of a stream, and the state after it.

        ``x`` is the step's input (batch, channel, row, column); for a static image it is the same at every
        step. The answer of a sequence is ``readout`` of the logits of its steps. Raises ValueError for a model
        in training mode, whose batch normalisation needs all steps, and for an input of another shape or
        batch than before.
        """
        need_evaluation(self, "streaming")
        if x.ndim != 4 or state.batch not in (None, len(x)):
            batch = "batch" if state.batch is None else state.batch
            shape = ", ".join(map(str, self.config.input_shape))
            raise ValueError(
                f"a step's input has shape {tuple(x.shape)}; expected ({batch}, {shape}), "
                "one frame for each sample of the stream"
            )
        with streaming.going_on(self, state) as stream:
            (logits,) = self.steps(rearrange(x, "batch ... -> 1 batch ..."))
        return logits, stream.state(batch=len(x))

    def readout(self, logits: Float[Tensor, "time *answer"]) -> Float[Tensor, "*answer"]:
        """The answer: mean of the step logits over the read-out window."""
        return logits[-(self.config.readout_steps or len(logits)) :].mean(0)

    def _sequence(self, x: Tensor) -> tuple[Float[Tensor, "time batch channel row column"], int]:
        """Input as a sequence and the number of steps; a static image keeps time length 1."""
        shape = self.config.input_shape
        if x.ndim not in (4, 5) or tuple(x.shape[-3:]) != shape or not x.numel():
            raise ValueError(
                f"input has shape {tuple(x.shape)}; expected images (batch, {', '.join(map(str, shape))}) "
                f"or frames (time, batch, {', '.join(map(str, shape))}), none of them empty"
            )
        if not x.is_floating_point():
            raise ValueError(f"input has dtype {x.dtype}; expected floats, images in 0..1")
        inputs.check(x)
        if x.ndim == 4:
            return rearrange(x, "batch ... -> 1 batch ..."), self.config.time_steps
        return x, len(x)
