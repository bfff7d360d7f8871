"""The shapes that are measured, and the implementations that are measured on each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dista.config import DenoiserConfig, MemoryConfig, ModelConfig, NeuronConfig
from dista.experiments.untrained import take_statistics
from dista.extras import need
from dista.model import DISTA
from dista.recording import record

PEER = "spikingjelly"


@dataclass(frozen=True)
class Case:
    """One shape. ``frames`` says whether the input is event frames; images are repeated over time."""

    name: str
    config: ModelConfig
    batch: int
    frames: bool = False

    def input(self) -> tuple[Tensor, Tensor]:
        """A random batch and its labels, the same at every call."""
        generator = torch.Generator().manual_seed(0)
        leading = (self.config.time_steps, self.batch) if self.frames else (self.batch,)
        x = torch.rand(*leading, *self.config.input_shape, generator=generator)
        return x, torch.randint(self.config.classes, (self.batch,), generator=generator)


def _config(size: int, channels: int, pools: str, **shape: Any) -> ModelConfig:
    return ModelConfig(
        input_shape=(channels, size, size),
        classes=10,
        stem_pools=tuple(stage == "T" for stage in pools),
        neuron=NeuronConfig(learn_tau=False),
        memory=MemoryConfig(form="none"),
        denoiser=DenoiserConfig(kind="none"),
        **shape,
    )


CASES = {
    "small": Case(
        "2-64, T 4, 32×32", _config(32, 3, "FFTT", dim=64, depth=2, heads=4, time_steps=4), 32
    ),
    "cifar": Case(
        "4-384, T 4, 32×32", _config(32, 3, "FFTT", dim=384, depth=4, heads=12, time_steps=4), 8
    ),
    "dvs": Case(
        "2-256, T 16, 128×128",
        _config(128, 2, "TTTT", dim=256, depth=2, heads=16, time_steps=16),
        4,
        frames=True,
    ),
}
"""By short name: the first is quick, the others have the paper's sizes for images and event data."""


def spikingjelly(case: Case) -> nn.Module:
    """Spikformer of the library, with its torch backend: attention within a step, no map."""
    need("spikingjelly", "the comparison with Spikformer", "bench")
    from spikingjelly.activation_based.model.spikformer import Spikformer

    config = case.config
    torch.manual_seed(0)
    return Spikformer(
        T=config.time_steps,
        in_channels=config.input_shape[0],
        img_size_h=config.input_shape[1],
        img_size_w=config.input_shape[2],
        patch_size=config.input_shape[1] // config.grid[0],
        num_classes=config.classes,
        embed_dims=config.dim,
        num_heads=config.heads,
        mlp_ratio=config.mlp_ratio,
        depths=config.depth,
    )


def ours(**changes: Any) -> Callable[[Case], nn.Module]:
    """A builder of the DISTA of a case's shape, with some of its fields changed."""

    def build(case: Case) -> nn.Module:
        torch.manual_seed(0)
        memory = changes.get("memory")
        reach = (
            {"memory": MemoryConfig(form=memory, window=case.config.time_steps)} if memory else {}
        )
        return DISTA(case.config.replace(**changes | reach))

    return build


_LEARNED = NeuronConfig(learn_tau=True)
_DENOISED = DenoiserConfig(kind="threshold", u=1)

IMPLEMENTATIONS: dict[str, Callable[[Case], nn.Module]] = {
    PEER: spikingjelly,
    "spatial": ours(),
    "space-time": ours(memory="map", neuron=_LEARNED),
    "DISTA map": ours(memory="map", neuron=_LEARNED, denoiser=_DENOISED),
    "DISTA projection": ours(memory="projection", neuron=_LEARNED, denoiser=_DENOISED),
}
"""``spatial`` computes what the peer computes; the others add memory over all T steps, learned taus
and, from ``DISTA map`` on, the denoiser, for which the map must exist."""


def reset(model: nn.Module) -> None:
    """Forget the state of spikingjelly's neurons, as its users do after every batch."""
    if not isinstance(model, DISTA):
        from spikingjelly.activation_based import functional

        functional.reset_net(model)


def evaluated(name: str, case: Case) -> nn.Module:
    """An implementation's model in evaluation mode, whose neurons fire as they do in training.

    Its batch normalisations have the statistics of the case's batch. With those that they begin with next to no neuron
    fires, and an engine that follows spikes would be timed with nothing to do.
    """
    model = IMPLEMENTATIONS[name](case)
    take_statistics(model, case.input()[0])
    reset(model)
    return model.eval()


def firing_rate(model: DISTA, x: Tensor) -> float:
    """Spikes per neuron and step, over all layers."""
    recorded = record(model, x, "*.spikes")
    layers = [node["spikes"].values.ravel() for node in recorded.subtree if "spikes" in node]
    return float(np.concatenate(layers).mean())


def logits(model: nn.Module, x: Tensor) -> Tensor:
    """The answer (batch, class); spikingjelly's model returns one for each step."""
    y = model(x)
    return y if y.ndim == 2 else y.mean(0)
