"""A whole model in evaluation mode, driven by its spikes: the one door to ``dista.engine.event_network``.

``why_not`` says in words what keeps a model and an input from it, and ``features`` runs them. The equations stay
those of ``dista.model``: weights, time constants, thresholds and tables are read from its modules at each call, and
a part that somebody listens to is computed by its module, unless the hooks promise that it need not be.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Hashable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dista import streaming
from dista.engine import kernels, shares
from dista.engine.modules import SPIKES, inside, promised, watched

CACHED = 1 << 20
"""Bytes of the widest layer for the samples that go through the network together."""

LARGEST = 255
"""Most that a byte counts: channels of a head that fire with a key, or spikes in the residual sum."""


def implementation() -> str:
    """What evaluates models, in words."""
    if not kernels.enabled():
        return "by modules (DISTA_KERNEL=reference)"
    if _network() is None:
        return "by modules (numba is not installed)"
    return f"numba: rows of weights for spikes, products in steps with over {_network().DENSE_FROM:g} spikes a value"


def available() -> bool:
    """Whether models can be driven by spikes at all here; ``implementation`` says why not."""
    return kernels.enabled() and _network() is not None


def why_not(model: nn.Module, x: Tensor) -> str | None:
    """What keeps ``model(x)`` from being driven by spikes, in words; None where nothing does."""
    if not available() or torch.compiler.is_compiling():
        return "kernels are switched off, not installed, or the model is being compiled"
    if (
        x.device.type != "cpu"
        or x.dtype not in (torch.float32, torch.float64)
        or type(x) is not Tensor
    ):
        return f"the input is {x.dtype} on {x.device}; it takes float32 or float64 on the CPU"
    if torch.is_autocast_enabled("cpu"):
        return "autocast is on"
    modules = inside(model)
    if any(module.training for module in modules):
        return "a part of the model is in training mode"
    held = (
        t for module in modules for t in (*module._parameters.values(), *module._buffers.values())
    )
    tensors = [t for t in held if t is not None]
    if torch.is_grad_enabled() and (
        x.requires_grad or any(tensor.requires_grad for tensor in tensors)
    ):
        return "gradients are wanted; torch.no_grad() says that they are not"
    if any(t.device != x.device or (t.is_floating_point() and t.dtype != x.dtype) for t in tensors):
        return "weights and input are not of one type on one device"
    return _unknown(model, modules)


def _unknown(model: Any, modules: list[nn.Module]) -> str | None:
    """What of the model is not as its class and configuration make it, or is more than the loops do."""
    if tuple(map(type, modules)) != _types(model.__class__, model.config):
        return "a module was exchanged for one of another class"
    if watched(()):
        return "a hook listens to all modules"
    if model.config.head_dim > LARGEST or 2 + 2 * len(model.blocks) > LARGEST:
        return f"counts may exceed {LARGEST}"
    return _changed(model, _listened(model)) if watched(modules) else None


def _listened(model: Any) -> set[nn.Module]:
    """Modules inside that somebody listens to; the model and its head are called in any case."""
    modules = inside(model)
    if not watched(modules):
        return set()
    called = {model, *model.head.modules()}
    return {module for module in modules if module not in called and watched((module,))}


def _changed(model: Any, listened: set[nn.Module]) -> str | None:
    """What those who listen want that is more than parts which are called as they are can give them."""
    builder = _builder()
    spikes = listened.intersection(builder.of_spikes(model))
    if not all(promised(module, SPIKES) for module in spikes):
        return "a hook listens to spikes and has not promised to leave such"
    synapses = (convolutions for _, convolutions in builder.layers(model))
    if all(not listened.isdisjoint(convolutions) for convolutions in synapses):
        return "a hook listens to every convolution"
    return None


@functools.lru_cache(16)
def _types(kind: Any, config: Hashable) -> tuple[type[nn.Module], ...]:
    """Classes of all modules, in their order, of a model as it is made."""
    with torch.device("meta"):
        return tuple(map(type, kind(config).modules()))


def features(model: Any, x: Tensor, steps: int) -> Tensor:
    """The last block's output (time, batch, channel, row, column) for a normalised input ``x``.

    A static image has time length 1 and is repeated for ``steps``. ``why_not`` must have been None.
    """
    images = x.detach().permute(1, 0, 3, 4, 2).contiguous().numpy()
    threads, listened = min(torch.get_num_threads(), len(images)), _listened(model)
    # who listens is told of all samples at once, in the thread in which hooks act and a stream remembers
    if listened:
        counts = _builder().Builder(listened, threads).network(model).run(images, steps)
    elif streaming.running():
        counts = _builder().network_of(model, threads).run(images, steps)
    else:
        network = _builder().network_of(model)
        sample = images[0, 0, ..., 0].size * steps * network.stages[0].channels
        together = max(1, CACHED // sample)

        def run(low: int, high: int) -> list[np.ndarray]:
            starts = range(low, high, together)
            return [network.run(images[i : min(i + together, high)], steps) for i in starts]

        each = shares.in_shares(run, len(images), threads)
        counts = np.concatenate(list(itertools.chain.from_iterable(each)))
    return _network().as_numbers(counts, model.config.dim, x.dtype)


@functools.cache
def _network() -> Any:
    """``dista.engine.event_network``, or None where numba is missing."""
    try:
        from dista.engine import event_network
    except ImportError:
        return None
    return event_network


@functools.cache
def _builder() -> Any:
    from dista.engine import event_builder

    return event_builder
