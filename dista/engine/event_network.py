"""A model as layers that are driven by spikes, and those of its parts that are called as they are.

Activations are those of ``dista.engine.event_loops``: bytes (batch, time, row, column, channel). Who looks into a
part, or changes what comes out of it, finds it as its class says: a layer whose currents or membranes somebody wants
gets its currents from the loops and is charged by its own ``LIF``; one whose convolution is listened to is called
whole, and so is attention where somebody wants its map. All others stay in the loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from dista.engine import event_attention, event_loops, shares
from dista.engine.event_neurons import Neurons, as_bytes, as_numbers, show, with_past

DENSE_FROM = 0.5
"""Rows to add for each value of a step, a count of n being n rows: from there the product of all values is faster.
So it was measured for 64 to 768 channels, 1 x 1 and 3 x 3. It is the same on every machine: the order of sums
depends on it, and with that, at the threshold, a spike. Near it both take as long."""


class Layer(NamedTuple):
    """Synapses with normalisation folded in, laid out for ``event_loops``, and their neurons.

    ``reach`` is how many lags are added; what a stream has to remember for them lies with ``remembers``. Without
    ``neurons`` the loops stop at currents, which ``lif`` takes. The spikes are shown to whoever listens to the output
    of ``seen``.
    """

    lif: Any
    weights: np.ndarray
    bias: np.ndarray
    neurons: Neurons | None
    channels: int
    kernel: int = 1
    pools: bool = False
    reach: int = 1
    remembers: Any = None
    seen: Sequence[nn.Module] = ()
    threads: int = 1
    dense_from: float = DENSE_FROM

    def image(self, x: np.ndarray, steps: int) -> np.ndarray:
        """Spikes of the first layer, for numbers (batch, time, row, column, colour)."""
        assert self.neurons is not None, (
            "a first layer whose neurons are called is called as a whole"
        )
        shape = self._shape(len(x), steps, *x.shape[2:4])
        room, out = self.neurons.room(*shape), np.empty((*shape, len(self.bias)), np.uint8)
        layer = (self.weights, self.bias, self.kernel, self.pools)
        rest = (room.tau, room.constants, room.held, out, room.h)
        shares.each_sample(event_loops.first_layer, x, *layer, *rest, threads=self.threads)
        self.neurons.leave(room)
        return show(self.seen, out, self.channels)

    def __call__(
        self, x: np.ndarray, most: int = 1, before: np.ndarray | None = None
    ) -> np.ndarray:
        """Spikes for counts up to ``most``, added to ``before`` where it is given."""
        shape = self._shape(*x.shape[:4])
        if self.neurons is None:
            out = as_bytes(self.lif(self._currents(x, most, shape)))
            return _added(show(self.seen, out, self.channels), before)
        room, out = self.neurons.room(*shape), np.empty((*shape, len(self.bias)), np.uint8)
        adds = before is not None and not self.seen
        earlier = out if before is None else before
        neurons = (room.tau, room.constants, room.held, True, out, room.h)
        self._loop(x, earlier, adds, most, *neurons)
        self.neurons.leave(room)
        return out if adds else _added(show(self.seen, out, self.channels), before)

    def _currents(self, x: np.ndarray, most: int, shape: tuple[int, ...]) -> Tensor:
        """What the neurons are charged with, as ``LIF`` takes it."""
        batch, steps, *size = shape
        currents = np.empty((steps, batch, *size, len(self.bias)), self.weights.dtype)
        nobody = np.empty((0, 0, 0), self.weights.dtype)
        self._loop(x, x, False, most, self.bias, (0.0, 0.0, 0.0), nobody, False, x, currents)
        return torch.from_numpy(currents)[..., : self.channels].permute(0, 1, 4, 2, 3)

    def _loop(
        self, x: np.ndarray, before: np.ndarray, adds: bool, most: int, *neurons: Any
    ) -> None:
        every = x
        if self.remembers is not None:
            module = self.remembers
            every = with_past(module, x, module.lags[0].synapse.in_channels, module.reach)
        past = every.shape[1] - x.shape[1]
        layer = (self.weights, self.bias, self.kernel, self.pools, past, self.reach, most)
        rest = (before, adds, *layer, self.dense_from, *neurons)
        shares.each_sample(event_loops.layer, every, *rest, threads=self.threads)

    def _shape(self, batch: int, steps: int, height: int, width: int) -> tuple[int, int, int, int]:
        if self.pools:
            height, width = (height + 1) // 2, (width + 1) // 2
        return batch, steps, height, width


def _added(x: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    return x if before is None else x + before


class Called(NamedTuple):
    """A layer whose module computes it, as somebody listens to its synapses; what is in ``seen`` holds it."""

    module: Any
    inputs: int
    channels: int
    seen: Sequence[nn.Module] = ()

    def image(self, x: np.ndarray, steps: int) -> np.ndarray:
        current = self.module.current(self._numbers(x))
        return as_bytes(self.module.neuron(current.expand(steps, -1, -1, -1, -1)))

    def __call__(
        self, x: np.ndarray, most: int = 1, before: np.ndarray | None = None
    ) -> np.ndarray:
        out = as_bytes(self.module(self._numbers(x)))
        return _added(show(self.seen, out, self.channels), before)

    def _numbers(self, x: np.ndarray) -> Tensor:
        return as_numbers(x, self.inputs, self.module.norm.weight.dtype)


class Attention(NamedTuple):
    """Heads, channels of each, the window of keys to divide by and the part of it that is read, scale, and f.

    f is a ``table`` (head, count); below ``least`` (head,) it is 0 where it is a threshold there. What a stream has to
    remember lies with the parts of ``module``.
    """

    module: Any
    heads: int
    dim: int
    window: int
    reach: int
    scale: float
    table: np.ndarray
    least: np.ndarray
    neurons: Neurons
    seen: Sequence[nn.Module] = ()
    threads: int = 1

    def __call__(self, q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
        k = self._with_past(self.module.scores, k)
        v = self._with_past(self.module.read, v)
        out, loop = np.empty_like(q), event_attention.attend_linear
        shape: tuple[Any, ...] = (self.heads, self.dim, self.window, self.reach)
        if (self.least != 1).any() or self.reach * q.shape[2] * q.shape[3] <= self.dim:
            loop, shape = event_attention.attend, (*shape, self.table, self.least)
        room = self.neurons.room(*q.shape[:4])
        neurons = (room.tau, room.constants, room.held, out, room.h)
        shares.each_sample(loop, q, k, v, *shape, self.scale, *neurons, threads=self.threads)
        self.neurons.leave(room)
        return show(self.seen, out, self.heads * self.dim)

    def _with_past(self, holder: nn.Module, x: np.ndarray) -> np.ndarray:
        """Keys or values from the first on that can be reached; a stream remembers them head by head."""
        return with_past(holder, x, self.heads * self.dim, self.window - 1, self.heads)


class CalledAttention(NamedTuple):
    """From queries, keys and values to spikes by the modules, as somebody wants the map or the membranes."""

    module: Any

    def __call__(self, *projected: np.ndarray) -> np.ndarray:
        module, channels = self.module, self.module.output.conv.in_channels
        numbers = [as_numbers(x, channels, module.output.norm.weight.dtype) for x in projected]
        q, k, v = map(module.split, numbers)
        return as_bytes(module.neuron(module.merge(module.fastest(q)(q, k, v), numbers[0])))


class Block(NamedTuple):
    """Query, key, value, what attends, the output, and the MLP's two layers."""

    query: Layer | Called
    key: Layer | Called
    value: Layer | Called
    attends: Attention | CalledAttention
    output: Layer | Called
    hidden: Layer | Called
    last: Layer | Called
    channels: int
    seen: Sequence[nn.Module] = ()

    def __call__(self, x: np.ndarray, most: int) -> np.ndarray:
        """Residual sums after the block, for those up to ``most`` before it."""
        spikes = self.attends(self.query(x, most), self.key(x, most), self.value(x, most))
        x = self.output(spikes, before=x)
        x = self.last(self.hidden(x, most + 1), before=x)
        return show(self.seen, x, self.channels)


class Network(NamedTuple):
    """The layers of a model in their order; what listens to the stem's output is in ``seen``."""

    stages: Sequence[Layer | Called]
    position: Layer | Called
    blocks: Sequence[Block]
    channels: int
    seen: Sequence[nn.Module] = ()

    def run(self, images: np.ndarray, steps: int) -> np.ndarray:
        """Residual sums (batch, time, row, column, channel) after the last block."""
        x = self.stages[0].image(images, steps)
        for stage in self.stages[1:]:
            x = stage(x)
        x = show(self.seen, self.position(x, before=x), self.channels)
        for number, block in enumerate(self.blocks):
            x = block(x, 2 + 2 * number)
        return x
