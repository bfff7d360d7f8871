"""Neurons of a layer as the loops have them, and what those who listen to them see.

Spikes are bytes (batch, time, row, column, channel), with channels padded by zeros; membranes are numbers, time
before batch, as modules have them. Both are shown as (time, batch, channel, row, column).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from dista import streaming
from dista.engine.event_weights import whole
from dista.engine.modules import begins, shown


def as_tensor(x: np.ndarray, channels: int) -> Tensor:
    """Bytes as they are shown, in the same memory."""
    return torch.from_numpy(x)[..., :channels].permute(1, 0, 4, 2, 3)


def as_numbers(x: np.ndarray, channels: int, dtype: torch.dtype) -> Tensor:
    """Bytes as numbers that a module computes with, lying as its own results do."""
    lying = torch.from_numpy(x)[..., :channels].transpose(0, 1)
    return lying.to(dtype, memory_format=torch.contiguous_format).permute(0, 1, 4, 2, 3)


def as_bytes(x: Tensor) -> np.ndarray:
    """The inverse, of spikes or their counts."""
    lying = x.detach().permute(1, 0, 3, 4, 2)
    *leading, channels = lying.shape
    out = torch.zeros(*leading, whole(channels), dtype=torch.uint8)
    out[..., :channels].copy_(lying)
    return out.numpy()


def show(modules: Sequence[nn.Module], x: np.ndarray, channels: int) -> np.ndarray:
    """``x`` after those who listen to the output of ``modules``, which compute it one inside of the other."""
    for module in modules:
        seen = as_tensor(x, channels)
        left = shown(module, seen)
        x = x if left is seen else as_bytes(left)
    return x


def with_past(
    module: nn.Module, x: np.ndarray, channels: int, reach: int, heads: int | None = None
) -> np.ndarray:
    """``x`` with what a stream remembers of the ``reach`` steps before it in front; ``module`` holds the memory.

    It is held as modules have it: (1, batch, channel, row, column), or (1, batch, head, token, dim) for so many ``heads``.
    """
    now = as_tensor(x, channels)
    if heads is not None:
        now = now.unflatten(2, (heads, -1)).flatten(-2).mT
    steps = streaming.steps_with_past(module, now, reach)
    if len(steps) == 1:
        return x
    batch, _, height, width, lanes = x.shape
    every = np.zeros((batch, len(steps), height, width, lanes), np.uint8)
    axes = (0, 2, 3, 1) if heads is None else (0, 2, 1, 3)
    for t, step in enumerate(steps):
        lying = step.numpy()[0].transpose(axes).reshape(batch, height, width, channels)
        every[:, t, ..., :channels] = lying
    return every


_NOTHING = {kind: np.empty((0,) * 5, kind) for kind in (np.float32, np.float64)}
"""What the loops are told where nobody wants membranes."""


class Room(NamedTuple):
    """What the loops are given for the neurons of a layer.

    ``membranes`` (batch, time, row, column, channel) are those before each step, after the loops those that it left;
    ``h``, time before batch, gets those that are compared. Either is empty where nobody wants it.
    """

    tau: np.ndarray
    constants: tuple[float, float, float]
    membranes: np.ndarray
    h: np.ndarray

    @property
    def held(self) -> np.ndarray:
        """``membranes`` as (batch, time, neuron)."""
        batch, steps, *layer = self.membranes.shape
        return self.membranes.reshape(batch, steps, math.prod(layer))


class Neurons(NamedTuple):
    """A layer of LIF: time constants (channel,), and threshold, reset and whether it is soft.

    ``watched`` says that somebody looks at its membranes, ``begins`` what they are before each step, where that is
    not what the step before has left.
    """

    lif: Any
    channels: int
    tau: np.ndarray
    constants: tuple[float, float, float]
    watched: bool
    begins: Callable[[nn.Module, Tensor], Tensor] | None

    def room(self, batch: int, steps: int, height: int, width: int) -> Room:
        """Room for the neurons of so many samples, steps and places."""
        shape = batch, steps, height, width, len(self.tau)
        h = _NOTHING[self.tau.dtype.type]
        if self.watched:
            h = np.empty((steps, batch, *shape[2:]), self.tau.dtype)
        return Room(self.tau, self.constants, self._before(shape), h)

    def _before(self, shape: tuple[int, ...]) -> np.ndarray:
        """Membranes before each step, where that is not what the loops know by themselves."""
        if streaming.running():
            (v,) = streaming.recall(self.lif.membrane) or (None,)
            membranes = np.full(shape, self.constants[1], self.tau.dtype)
            if v is not None:
                membranes[:, 0, ..., : self.channels] = v.numpy().transpose(0, 2, 3, 1)
            return membranes
        if self.begins is None:
            return _NOTHING[self.tau.dtype.type]
        batch, steps, height, width, _ = shape
        nothing = torch.zeros((), dtype=torch.from_numpy(self.tau).dtype)
        layer = nothing.expand(steps, batch, self.channels, height, width)
        membranes = np.zeros(shape, self.tau.dtype)
        before = self.begins(self.lif.membrane, layer)
        membranes[..., : self.channels] = before.permute(1, 0, 3, 4, 2).numpy()
        return membranes

    def leave(self, room: Room) -> None:
        """Show the membranes to those who look at them, and let a stream remember those of its step."""
        if self.watched:
            shown(self.lif.membrane, torch.from_numpy(room.h)[..., : self.channels].movedim(-1, 2))
        if streaming.running():
            v = room.membranes[:, -1, ..., : self.channels].transpose(0, 3, 1, 2)
            streaming.remember(self.lif.membrane, torch.from_numpy(v))


def neurons(lif: Any, channels: int, dtype: Any, watched: bool) -> Neurons:
    """Of a LIF; its time constant is asked for by a call, so that whoever changes it there is heard."""
    with torch.no_grad():
        tau = lif.tau().reshape(-1).numpy()
    every = np.ones(whole(channels), dtype)
    every[:channels] = tau
    v_threshold, v_reset, _ = lif.constants
    constants = float(v_threshold), float(v_reset or 0.0), float(v_reset is None)
    return Neurons(lif, channels, every, constants, watched, begins(lif.membrane))
