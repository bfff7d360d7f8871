"""Neurons of a layer as the loops have them, and what those who listen to them see.

Spikes are bytes (batch, time, row, column, channel), with channels padded by zeros; membranes are numbers, time
before batch, as modules have them. Both are shown as (time, batch, channel, row, column).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

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

    def room(self, batch: int, steps: int, height: int, width: int) -> tuple[Any, ...]:
        """What the loops are given for so many: tau, constants, membranes before each step, and room for those after."""
        shape = steps, batch, height, width, len(self.tau)
        h = np.empty(shape if self.watched else (0,) * 5, self.tau.dtype)
        return self.tau, self.constants, self._held(*shape), h

    def _held(self, steps: int, batch: int, height: int, width: int, lanes: int) -> np.ndarray:
        dtype = self.tau.dtype
        if self.begins is None:
            return np.empty((0, 0, 0), dtype)
        nothing = torch.zeros((), dtype=torch.from_numpy(self.tau).dtype)
        layer = nothing.expand(steps, batch, self.channels, height, width)
        held = np.zeros((batch, steps, height, width, lanes), dtype)
        before = self.begins(self.lif.membrane, layer)
        held[..., : self.channels] = before.permute(1, 0, 3, 4, 2).numpy()
        return held.reshape(batch, steps, -1)

    def show(self, h: np.ndarray) -> None:
        """Membranes (time, batch, row, column, channel), to those who look at them."""
        if self.watched:
            seen = torch.from_numpy(h)[..., : self.channels].permute(0, 1, 4, 2, 3)
            shown(self.lif.membrane, seen)


def neurons(lif: Any, channels: int, dtype: Any, watched: bool) -> Neurons:
    """Of a LIF; its time constant is asked for by a call, so that whoever changes it there is heard."""
    with torch.no_grad():
        tau = lif.tau().reshape(-1).numpy()
    every = np.ones(whole(channels), dtype)
    every[:channels] = tau
    v_threshold, v_reset, _ = lif.constants
    constants = float(v_threshold), float(v_reset or 0.0), float(v_reset is None)
    return Neurons(lif, channels, every, constants, watched, begins(lif.membrane))
