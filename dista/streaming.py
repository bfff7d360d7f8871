"""The network one step at a time, for a live event camera: nothing is kept that no later step can reach.

    state = model.start()
    for frame in camera:                       # (batch, channel, row, column)
        logits, state = model.step(frame, state)

gives the logits of every step that ``model.steps`` gives for the whole sequence. Time and memory of a
step do not depend on how many came before: kept are the membrane potentials v of every layer and, for
attention with a memory, the last W - 1 inputs (projection), currents (attenuated) or keys and values
(map). A state is never changed, so that one moment can be continued in several ways.

The neurons' time constants, spikes and denoisers are called as modules, so that interventions on them
apply; those that need all steps at once (``membrane``, ``scores``, ``read``, lags) do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from dista.attention import Projection, SpaceTimeAttention
from dista.layers import SpikingConv
from dista.model import DISTA, Block, Stem
from dista.neurons import LIF, charge, reset


@dataclass(frozen=True)
class State:
    """What a network remembers after ``steps`` steps: tensors of the past by dotted module name."""

    steps: int = 0
    batch: int | None = None
    kept: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict, repr=False)

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors; constant once the window of the memory is full."""
        return sum(tensor.nbytes for tensors in self.kept.values() for tensor in tensors)


@torch.no_grad()
def step(model: DISTA, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Logits (batch, class) of the next step, from its input (batch, channel, row, column), and the new state.

    For a static image give the same image at every step. The answer of a sequence is the mean of the
    logits of its last ``config.readout_steps``. Raises ValueError for a model in training mode, whose
    batch normalisation needs all steps, and for an input of another shape or batch than before.
    """
    if model.training:
        raise ValueError("the model is in training mode; call model.eval() before streaming")
    if x.ndim != 4 or state.batch not in (None, len(x)):
        batch = "batch" if state.batch is None else state.batch
        shape = ", ".join(map(str, model.config.input_shape))
        raise ValueError(
            f"a step's input has shape {tuple(x.shape)}; expected ({batch}, {shape}), "
            "one frame for each sample of the stream"
        )
    now = _Step(state.kept)
    x, _ = model._sequence(x)
    x = now.stem(model.stem, model.normalised(x))
    for number, block in enumerate(model.blocks):
        x = now.block(f"blocks.{number}", block, x)
    return model.head(x)[0], State(state.steps + 1, x.shape[1], now.kept)


class _Step:
    """The layers at one step, on tensors (1, batch, channel, row, column): ``before`` is read, ``kept`` written."""

    def __init__(self, before: Mapping[str, tuple[Tensor, ...]]) -> None:
        self.before = before
        self.kept: dict[str, tuple[Tensor, ...]] = {}

    def stem(self, stem: Stem, x: Tensor) -> Tensor:
        for number, stage in enumerate(stem.stages):
            x = self.neuron(f"stem.stages.{number}.neuron", stage.neuron, stage.current(x))
        return x + self.convolution("stem.position", stem.position, x)

    def block(self, name: str, block: Block, x: Tensor) -> Tensor:
        x = x + self.attention(f"{name}.attention", block.attention, x)
        hidden = self.convolution(f"{name}.mlp.hidden", block.mlp.hidden, x)
        return x + self.convolution(f"{name}.mlp.output", block.mlp.output, hidden)

    def attention(self, name: str, attention: SpaceTimeAttention, x: Tensor) -> Tensor:
        """O[t] = LIF(scale / n(t) * sum_m f(Q[t] K[m]^T) V[m]) over the steps m that are kept."""
        q, k, v = (
            attention.split(self.projection(f"{name}.{part}", getattr(attention, part), x))
            for part in ("query", "key", "value")
        )
        window = attention.scores.window
        keys = torch.cat(self.remember(f"{name}.keys", k, window)[::-1])
        values = torch.cat(self.remember(f"{name}.values", v, window)[::-1])
        a = attention.denoise(q @ keys.mT)
        read = attention.read.scale * (a @ values).sum(0, keepdim=True) / len(keys)
        spikes = self.neuron(f"{name}.neuron", attention.neuron, attention.merge(read, x))
        return self.convolution(f"{name}.output", attention.output, spikes)

    def projection(self, name: str, projection: Projection, x: Tensor) -> Tensor:
        """Q, K or V: LIF(BN(sum_l W^(l) X[t-l])); ``attenuated`` keeps W^(0) X instead of X."""
        now, *past = projection.lags
        current = now.synapse(x)
        source = current if projection.form == "attenuated" else x
        _, *remembered = self.remember(name, source, len(projection.lags))
        for lag, earlier in zip(past, remembered):
            current = current + lag.synapse(earlier)
        return self.neuron(f"{name}.neuron", projection.neuron, projection.norm(current))

    def convolution(self, name: str, layer: SpikingConv, x: Tensor) -> Tensor:
        return self.neuron(f"{name}.neuron", layer.neuron, layer.current(x))

    def neuron(self, name: str, neuron: LIF, x: Tensor) -> Tensor:
        """Charge, fire, reset; v after the reset is kept."""
        constants = neuron.membrane.v_threshold, neuron.membrane.v_reset
        v = self.before[name][0] if name in self.before else torch.full_like(x, constants[1] or 0.0)
        h = charge(v, x, neuron.tau(), constants[1])
        self.kept[name] = (reset(h, (h >= constants[0]).to(h.dtype), *constants),)
        return neuron.spikes(h)

    def remember(self, name: str, value: Tensor, window: int) -> tuple[Tensor, ...]:
        """The last ``window`` values, the newest first; all but the oldest of a full window are kept."""
        values = (value, *self.before.get(name, ()))
        if window > 1:
            self.kept[name] = values[: window - 1]
        return values[:window]
