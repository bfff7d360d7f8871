"""Leaky integrate-and-fire neurons whose membrane time constant is learned.

One step, for a whole layer [reviews: PLIF, arXiv 2007.05785]:

    charge   h[t] = v[t-1] + (x[t] - (v[t-1] - v_reset)) / tau        1/tau = sigmoid(w)
    fire     s[t] = step(h[t] - v_threshold)                          surrogate gradient backwards
    reset    v[t] = h[t] (1 - s[t]) + v_reset s[t]                    soft: v[t] = h[t] - v_threshold s[t]

The semantics are those of spikingjelly's ``ParametricLIFNode(decay_input=True, detach_reset=True)``.
Because the reset passes no gradient, a layer is two operations in a row: ``membrane`` computes h for
all steps, ``spikes`` fires. Unlike spikingjelly's nodes a layer keeps no state between calls (a stream's
lies in ``dista.streaming``), and h, the value that crosses the threshold, is an output of its own that hooks
can see.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from dista import streaming
from dista.config import SURROGATES, NeuronConfig
from dista.engine import kernels
from dista.engine.modules import named
from dista.extras import need
from dista.observable import ACTIVITY, Observable

if TYPE_CHECKING:
    from jaxtyping import Float

SIGMOID_SLOPE = 4.0
"""Of the sigmoid surrogate where a configuration names none: spikingjelly's default, to which a test holds it.
A number here, as inference, which asks for it too, needs neither that library nor the seconds of its import."""


def charge(
    v: Float[Tensor, "*layer"],
    x: Float[Tensor, "*layer"],
    tau: Float[Tensor, "*group"],
    v_reset: float | None,
) -> Float[Tensor, "*layer"]:
    """Membrane potential h before the reset, from v of the step before and the input current x."""
    return v + (x - (v - (v_reset or 0.0))) / tau


def reset(
    h: Float[Tensor, "*layer"],
    s: Float[Tensor, "*layer"],
    v_threshold: float,
    v_reset: float | None,
) -> Float[Tensor, "*layer"]:
    """Membrane potential v after the reset, where s is 0 or 1; soft reset where v_reset is None."""
    if v_reset is None:
        return h - v_threshold * s
    return h * (1 - s) + v_reset * s


def recursion(
    x: Float[Tensor, "time *layer"],
    v: Float[Tensor, "*layer"],
    tau: Float[Tensor, "*group"],
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
) -> tuple[Float[Tensor, "time *layer"], Float[Tensor, "*layer"]]:
    """h[t] for all steps of ``x`` from ``v`` before the first, and v after the last."""
    potentials = []
    for current in x:
        h = charge(v, current, tau, v_reset)
        v = reset(h, fired(h, v_threshold), v_threshold, v_reset)  # no gradient passes the reset
        potentials.append(h)
    return torch.stack(potentials) if len(x) > 1 else h[None], v  # a stream's step is not copied


def membrane(
    x: Float[Tensor, "time *layer"],
    tau: Float[Tensor, "*group"],
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
) -> Float[Tensor, "time *layer"]:
    """h[t] before the reset for all steps of ``x``, the reference for every kernel."""
    h, _ = recursion(x, at_rest(x, v_reset), tau, v_threshold, v_reset)
    return h


def at_rest(x: Float[Tensor, "time *layer"], v_reset: float | None) -> Float[Tensor, "*layer"]:
    """v before the first step of ``x``."""
    return torch.full_like(x[0], v_reset or 0.0)


def fired(h: Float[Tensor, "*layer"], v_threshold: float) -> Float[Tensor, "*layer"]:
    """s = step(h - v_threshold) as numbers, without a gradient; converting a bool would be slow."""
    return torch.ge(h.detach(), v_threshold, out=torch.empty_like(h))


class Surrogate(Protocol):
    """A step function; ``alpha`` scales the slope that training sees, where it has one."""

    alpha: float

    def __call__(self, distance: Tensor, /) -> Tensor: ...


@functools.cache
def surrogate(name: str, alpha: float | None = None) -> Surrogate:
    """spikingjelly's step function with a surrogate gradient, by its name in ``SURROGATES``."""
    need("spikingjelly", "training, where no kernel computes the surrogate gradient,", "train")
    from spikingjelly.activation_based import surrogate as library

    cls = getattr(library, SURROGATES[name])
    return cls() if alpha is None else cls(alpha=alpha)


def surrogate_gradient(
    distance: Float[Tensor, "*layer"], name: str, alpha: float | None = None
) -> Float[Tensor, "*layer"]:
    """The slope that training sees instead of the step's, at ``distance`` = h - v_threshold."""
    with torch.inference_mode(False), torch.enable_grad():
        x = distance.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(surrogate(name, alpha)(x).sum(), x)
    return gradient


class Tau(nn.Module):
    """The time constant in steps: tau = 1 / sigmoid(w) = 1 + exp(-w), never below 1.

    Shape () where a layer shares one, (channel, 1, 1) where each channel has its own. A fixed tau is
    kept as a buffer of the same name, so that weights move freely between the two.
    """

    observables = {"": Observable(("group",), read=lambda _, inputs, output: output.reshape(-1))}
    w: Tensor

    def __init__(self, config: NeuronConfig, channels: int) -> None:
        super().__init__()
        shape = (channels, 1, 1) if config.tau_per == "channel" else ()
        w = torch.full(shape, -math.log(config.tau - 1))
        if config.learn_tau:
            self.w = nn.Parameter(w)
        else:
            self.register_buffer("w", w)

    def forward(self) -> Float[Tensor, "*group"]:
        return 1 + torch.exp(-self.w)


class Membrane(nn.Module):
    """Charge and reset over all steps: input current to h."""

    observables = {
        "": Observable(ACTIVITY, constants=("v_threshold", "v_reset")),
        "current": Observable(ACTIVITY, read=lambda _, inputs, output: inputs[0], of_inputs=True),
        "reset": Observable(ACTIVITY, read=lambda module, _, output: module.after_reset(output)),
    }

    def __init__(self, config: NeuronConfig) -> None:
        super().__init__()
        self.v_threshold, self.v_reset = config.v_threshold, config.v_reset

    def forward(
        self, x: Float[Tensor, "time *layer"], tau: Float[Tensor, "*group"]
    ) -> Float[Tensor, "time *layer"]:
        if streaming.running():
            (v,) = streaming.recall(self) or (at_rest(x, self.v_reset),)
            h, v = recursion(x, v, tau, self.v_threshold, self.v_reset)
            streaming.remember(self, v)
            return h
        compute = kernels.membrane if kernels.suits(x) else membrane
        return compute(x, tau, self.v_threshold, self.v_reset)

    def after_reset(self, h: Float[Tensor, "*layer"]) -> Float[Tensor, "*layer"]:
        """v[t] after the reset, for h[t] as returned by ``forward``."""
        if kernels.suits(h):
            return kernels.after_reset(h, self.v_threshold, self.v_reset)
        return reset(h, fired(h, self.v_threshold), self.v_threshold, self.v_reset)


class Spikes(nn.Module):
    """s = step(h - v_threshold): 1 where the threshold is reached, with a surrogate gradient."""

    def __init__(self, config: NeuronConfig) -> None:
        super().__init__()
        self.v_threshold = config.v_threshold
        self.surrogate, self.alpha = config.surrogate, config.alpha

    def forward(self, h: Float[Tensor, "*layer"]) -> Float[Tensor, "*layer"]:
        if torch.is_grad_enabled() and h.requires_grad:
            return surrogate(self.surrogate, self.alpha)(h - self.v_threshold)
        return fired(h, self.v_threshold)


class LIF(nn.Module):
    """A layer of LIF neurons: input current to spikes.

    Its spikes are seen in what it returns, so that looking at them alone needs no membrane.
    """

    observables = {".spikes": Observable(ACTIVITY, "bool")}

    def __init__(self, config: NeuronConfig, channels: int) -> None:
        super().__init__()
        self.config = config
        self.tau = Tau(config, channels)
        self.membrane = Membrane(config)
        self.spikes = Spikes(config)

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch channel row column"]:
        if kernels.on_gpu(x) and self.at_once(x):  # membranes are float32 there whatever x is
            return kernels.spikes(x, self.tau(), *self.constants)
        x = x.to(torch.promote_types(x.dtype, torch.float32))  # autocast must not round membranes
        if self.at_once(x):
            return kernels.spikes(x, self.tau(), *self.constants)
        h = self.membrane(x, self.tau())
        return self.spikes(h)

    def at_once(self, x: Tensor) -> bool:
        """Whether one kernel may charge and fire: neither a hook wants h or s nor a stream the v after
        them, and the surrogate has a kernel."""
        if streaming.running() or kernels.watched((self.membrane, self.spikes)):
            return False
        if torch.is_grad_enabled() and (x.requires_grad or self.tau.w.requires_grad):
            return kernels.suits_training(x, self.config.surrogate)
        return kernels.on_gpu(x) or kernels.suits(x)

    @functools.cached_property
    def constants(self) -> tuple[float, float | None, float]:
        """Threshold, reset and the slope of the sigmoid surrogate."""
        config = self.config
        slope = SIGMOID_SLOPE if config.alpha is None else config.alpha
        return config.v_threshold, config.v_reset, slope


def time_constants(model: nn.Module) -> dict[str, list[float]]:
    """The time constants of a model in steps, by the name of the layer: one value, or one a channel."""
    return {
        name: layer.tau().detach().reshape(-1).tolist()
        for name, layer in named(model).items()
        if isinstance(layer, LIF)
    }
