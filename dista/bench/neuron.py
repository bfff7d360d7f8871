"""A layer of neurons alone, against other libraries' layers of the same equations."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dista.config import NeuronConfig
from dista.neurons import LIF

STEPS, BATCH, CHANNELS, SIZE = 8, 16, 64, 16
PEER = "spikingjelly"


def spikingjelly() -> Callable[[Tensor], Tensor]:
    from spikingjelly.activation_based.neuron import ParametricLIFNode
    from spikingjelly.activation_based.surrogate import Sigmoid

    node = ParametricLIFNode(
        init_tau=2.0, detach_reset=True, surrogate_function=Sigmoid(), step_mode="m"
    )

    def layer(x: Tensor) -> Tensor:
        node.reset()
        return node(x)

    return layer


def snntorch() -> Callable[[Tensor], Tensor]:
    """A loop over time, as its users write it. ImportError where it is not installed."""
    import snntorch as snn

    node = snn.Leaky(beta=0.5, learn_beta=True, reset_mechanism="zero")

    def layer(x: Tensor) -> Tensor:
        v, spikes = node.init_leaky(), []
        for current in x:
            s, v = node(0.5 * current, v)
            spikes.append(s)
        return torch.stack(spikes)

    return layer


def dista() -> nn.Module:
    return LIF(NeuronConfig(), CHANNELS)


LAYERS = {PEER: spikingjelly, "snntorch": snntorch, "DISTA": dista}


def actions() -> dict[str, Callable[[], None]]:
    """``library, forward`` and ``library, backward`` (both passes) of those that are installed."""
    x = torch.randn(STEPS, BATCH, CHANNELS, SIZE, SIZE) + 0.5
    built = {}
    for name, build in LAYERS.items():
        try:
            layer = build()
        except ImportError:
            continue
        built[f"{name}, forward"] = _forward(layer, x)
        built[f"{name}, backward"] = _backward(layer, x.clone().requires_grad_())
    return built


def _forward(layer: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], None]:
    def act() -> None:
        with torch.no_grad():
            layer(x)

    return act


def _backward(layer: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], None]:
    def act() -> None:
        layer(x).sum().backward()
        x.grad = None

    return act
