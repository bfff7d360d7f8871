"""A whole model in evaluation mode, driven by its spikes: the one door to ``dista.engine.event_loops``.

``why_not`` says in words what keeps a model and an input from it, and ``features`` runs them. The equations stay
those of ``dista.model``: weights, time constants and thresholds are read from its modules at each call. What is
made of the weights (normalisation folded in, laid out for the loops) is kept as long as they are the same.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from dista import streaming
from dista.engine import kernels
from dista.engine.modules import watched

DENSE_FROM = 0.5
"""Of a step's values that are not zero: from there the product of all of them is faster than adding rows. So
it was measured for 64 to 768 channels, 1 x 1 and 3 x 3."""

CACHED = 1 << 20
"""Bytes of the widest layer for the samples that go through the network together."""

LARGEST = 255
"""Most that a byte counts: channels of a head that fire with a key, or spikes in the residual sum."""


def implementation() -> str:
    """What evaluates models, in words."""
    if not kernels.enabled():
        return "by modules (DISTA_KERNEL=reference)"
    if _loops() is None:
        return "by modules (numba is not installed)"
    return f"numba: rows of weights for spikes, products where over {DENSE_FROM:.0%} of a step is not zero"


def why_not(model: nn.Module, x: Tensor) -> str | None:
    """What keeps ``model(x)`` from being driven by spikes, in words; None where nothing does."""
    if not kernels.enabled() or _loops() is None or torch.compiler.is_compiling():
        return "kernels are switched off, not installed, or the model is being compiled"
    if streaming.running():
        return "a stream goes step by step"
    if (
        x.device.type != "cpu"
        or x.dtype not in (torch.float32, torch.float64)
        or type(x) is not Tensor
    ):
        return f"the input is {x.dtype} on {x.device}; it takes float32 or float64 on the CPU"
    if torch.is_autocast_enabled("cpu"):
        return "autocast is on"
    modules = list(model.modules())
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
    called = {model, *model.head.modules()}
    if watched(module for module in modules if module not in called):
        return "a hook listens to a module inside"
    if any(block.attention.query.shares_weights for block in model.blocks):
        return "attenuated memory has one product for all lags"
    if model.config.head_dim > LARGEST or 2 + 2 * len(model.blocks) > LARGEST:
        return f"counts may exceed {LARGEST}"
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
    network = _network(model)
    images = x.detach().permute(1, 0, 3, 4, 2).contiguous().numpy()
    threads = min(torch.get_num_threads(), len(images))
    each = kernels.in_shares(
        lambda low, high: network.run(images[low:high], steps), len(images), threads
    )
    parts = itertools.chain.from_iterable(each)
    counts = torch.from_numpy(np.concatenate(list(parts)))[..., : model.config.dim]
    return counts.permute(1, 0, 4, 2, 3).to(x.dtype)


class Neurons(NamedTuple):
    """A layer of LIF: time constants (channel,), and threshold, reset and whether it is soft."""

    tau: np.ndarray
    constants: tuple[float, float, float]


class Layer(NamedTuple):
    """Synapses with normalisation folded in, laid out for ``event_loops``, and their neurons."""

    weights: np.ndarray
    bias: np.ndarray
    neurons: Neurons
    kernel: int
    pools: bool = False

    def image(self, x: np.ndarray, steps: int) -> np.ndarray:
        """Spikes of the first layer, for numbers (batch, time, row, column, colour)."""
        out = self._result(len(x), steps, *x.shape[2:4])
        _loops().first_layer(
            x, self.weights, self.bias, *self.neurons, self.kernel, self.pools, out, 0, len(x)
        )
        return out

    def __call__(
        self, x: np.ndarray, most: int = 1, before: np.ndarray | None = None
    ) -> np.ndarray:
        """Spikes for counts up to ``most``, added to ``before`` where it is given."""
        out, adds = self._result(*x.shape[:4]), before is not None
        layer = (self.weights, self.bias, *self.neurons, self.kernel, self.pools, most, DENSE_FROM)
        _loops().layer(x, before if adds else out, adds, *layer, out, 0, len(x))
        return out

    def _result(self, batch: int, steps: int, height: int, width: int) -> np.ndarray:
        if self.pools:
            height, width = (height + 1) // 2, (width + 1) // 2
        return np.empty((batch, steps, height, width, len(self.bias)), np.uint8)


class Attention(NamedTuple):
    """Heads, channels of each, window, scale, and f: a table of counts, below ``least`` 0 where it is a threshold."""

    heads: int
    dim: int
    window: int
    scale: float
    table: np.ndarray
    least: int
    neurons: Neurons

    def __call__(self, q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
        out, shape = np.empty_like(q), (self.heads, self.dim, self.window)
        end = (self.scale, *self.neurons, out, 0, len(q))
        linear = self.least == 1 and self.window * q.shape[2] * q.shape[3] > self.dim
        if linear:
            _attention().attend_linear(q, k, v, *shape, *end)
        else:
            _attention().attend(q, k, v, *shape, self.table, self.least, *end)
        return out


class Network(NamedTuple):
    """The layers of a model in their order; a block is query, key, value, attention, output, and the MLP's two."""

    stages: Sequence[Layer]
    position: Layer
    blocks: Sequence[tuple[Layer, Layer, Layer, Attention, Layer, Layer, Layer]]

    def run(self, images: np.ndarray, steps: int) -> list[np.ndarray]:
        """Residual sums (batch, time, row, column, channel) of a few samples after the others."""
        sample = images[0, 0, ..., 0].size * steps * len(self.stages[0].bias)
        together = max(1, CACHED // sample)
        return [
            self._together(images[i : i + together], steps) for i in range(0, len(images), together)
        ]

    def _together(self, images: np.ndarray, steps: int) -> np.ndarray:
        x = self.stages[0].image(images, steps)
        for stage in self.stages[1:]:
            x = stage(x)
        x, most = self.position(x, before=x), 2
        for query, key, value, attention, output, hidden, last in self.blocks:
            spikes = attention(query(x, most), key(x, most), value(x, most))
            x = output(spikes, before=x)
            x = last(hidden(x, most + 1), before=x)
            most += 2
        return x


def _network(model: Any) -> Network:
    stages = [
        _synapses(stage, pools=not isinstance(stage.pool, nn.Identity), colours=not place)
        for place, stage in enumerate(model.stem.stages)
    ]
    return Network(
        stages, _synapses(model.stem.position), [_block(block) for block in model.blocks]
    )


def _block(block: Any) -> tuple[Layer, Layer, Layer, Attention, Layer, Layer, Layer]:
    attention, mlp = block.attention, block.mlp
    q, k, v = (
        _layer([lag.synapse for lag in p.lags], p.norm, p.neuron)
        for p in (attention.query, attention.key, attention.value)
    )
    output, hidden, last = map(_synapses, (attention.output, mlp.hidden, mlp.output))
    return q, k, v, _attends(attention), output, hidden, last


def _attends(attention: Any) -> Attention:
    channels = attention.output.conv.in_channels
    dim = channels // attention.heads
    weights = attention.output.conv.weight
    counts = torch.arange(dim + 1, dtype=weights.dtype)
    with torch.no_grad():
        table = attention.denoise(counts).numpy()
    denoised = np.flatnonzero(table)
    least = int(denoised[0]) if len(denoised) else dim + 1
    is_threshold = least > 0 and np.array_equal(table[least:], counts.numpy()[least:])
    return Attention(
        attention.heads, dim, attention.scores.window, attention.read.scale, table,
        least if is_threshold else 0, _neurons(attention.neuron, channels, table.dtype),
    )  # fmt: skip


def _neurons(lif: Any, channels: int, dtype: Any) -> Neurons:
    with torch.no_grad():
        tau = lif.tau().reshape(-1).numpy()
    every = np.ones(_whole(channels), dtype)
    every[:channels] = tau
    v_threshold, v_reset, _ = lif.constants
    return Neurons(every, (float(v_threshold), float(v_reset or 0.0), float(v_reset is None)))


def _synapses(of: Any, **more: bool) -> Layer:
    return _layer([of.conv], of.norm, of.neuron, **more)


def _layer(
    convolutions: Sequence[Any], norm: Any, lif: Any, *, pools: bool = False, colours: bool = False
) -> Layer:
    """A ``Layer`` of one convolution, or of one for each lag; ``colours`` where it sees numbers, not spikes."""
    weights, bias = _weights([conv.weight for conv in convolutions], norm, colours)
    neurons = _neurons(lif, len(norm.weight), weights.dtype)
    return Layer(weights, bias, neurons, convolutions[0].kernel_size[0], pools)


class _Folded(NamedTuple):
    of: Sequence[Tensor]
    weights: np.ndarray
    bias: np.ndarray


_FOLDED: WeakKeyDictionary[nn.Module, _Folded] = WeakKeyDictionary()


def _weights(weights: Sequence[Tensor], norm: Any, colours: bool) -> tuple[np.ndarray, np.ndarray]:
    """Weights (tile, lag, row, column, input, output) and bias, made anew where a value is another one.

    Values are compared: they may be written past torch's count of versions, as ``weight.data`` does.
    """
    now = [
        t.detach() for t in (*weights, norm.weight, norm.bias, norm.running_mean, norm.running_var)
    ]
    folded = _FOLDED.get(norm)
    if folded is None or not all(map(_equal, folded.of, now)):
        copies = [t.clone() for t in now]
        laid_out = _laid_out(copies[: len(weights)], norm, colours)
        folded = _FOLDED[norm] = _Folded(copies, *laid_out)
    return folded.weights, folded.bias


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)


def _laid_out(weights: Sequence[Tensor], norm: Any, colours: bool) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        gain = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        bias = norm.bias - norm.running_mean * gain
        scaled = torch.stack(list(weights)) * gain[:, None, None, None]
    lags, outputs, inputs, height, width = scaled.shape
    rows = scaled.new_zeros(
        lags, height, width, inputs if colours else _whole(inputs), _whole(outputs)
    )
    rows[..., :inputs, :outputs] = scaled.permute(0, 3, 4, 2, 1)
    flat = rows.flatten(0, -2)
    tiles = [tile.reshape(-1) for tile in flat.split(_loops().TILE, dim=1)]
    every = bias.new_zeros(_whole(outputs))
    every[:outputs] = bias
    return torch.cat(tiles).numpy(), every.numpy()


def _whole(channels: int) -> int:
    """``channels`` with those of zeros that make it a multiple of ``LANES``."""
    from dista.engine.vectors import LANES

    return -(-channels // LANES) * LANES


@functools.cache
def _loops() -> Any:
    """The compiled loops, or None where numba is missing."""
    try:
        from dista.engine import event_loops
    except ImportError:
        return None
    return event_loops


@functools.cache
def _attention() -> Any:
    from dista.engine import event_attention

    return event_attention
