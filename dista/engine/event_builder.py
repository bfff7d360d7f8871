"""From the modules of a model to the layers of ``dista.engine.event_network``, at each call.

A part is read as weights and constants where nobody listens to it, or those who do have promised enough
(``dista.engine.modules``); otherwise it is called.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from dista import streaming
from dista.engine import event_weights
from dista.engine.event_network import (
    DENSE_FROM,
    Attention,
    Block,
    Called,
    CalledAttention,
    Layer,
    Network,
)
from dista.engine.event_neurons import Neurons, neurons
from dista.engine.modules import LOOKS, UNIFORM, begins, inside, promised, shown


class _Built(NamedTuple):
    """A network, and what it was made from: modules, their attributes, and all numbers in a row."""

    network: Network
    modules: list[nn.Module]
    settings: list[tuple[dict[str, Any], str, Any]]
    values: Tensor

    def is_of(self, modules: list[nn.Module], values: Tensor) -> bool:
        same = self.modules == modules and all(
            own.get(name) is value or own.get(name) == value for own, name, value in self.settings
        )
        return same and self.values.dtype == values.dtype and torch.equal(self.values, values)


_BUILT: WeakKeyDictionary[nn.Module, dict[Hashable, _Built]] = WeakKeyDictionary()


def network_of(model: Any, threads: int = 1) -> Network:
    """The network of a model to which nobody listens: the one of before where nothing has changed since.

    Building takes longer than a step of one sample. All that a module holds is compared, numbers by value: they may be
    written past torch's count of versions, as ``weight.data`` does.
    """
    modules = inside(model)[1:]
    held = (t for m in modules for t in (*m._parameters.values(), *m._buffers.values()))
    numbers = [t.detach().reshape(-1) for t in held if t is not None and t.is_floating_point()]
    values, built = torch.cat(numbers), _BUILT.setdefault(model, {})
    key = threads, streaming.running()  # a stream has some parts called
    last = built.get(key)
    if last is None or not last.is_of(modules, values):
        network = Builder(threads=threads).network(model)
        settings = [
            (vars(module), name, value)
            for module in modules
            for name, value in vars(module).items()
            if name[0] != "_"
        ]
        last = built[key] = _Built(network, modules, settings, values)
    return last.network


class Builder:
    """Reads modules, of which those that are ``watched`` have somebody who listens.

    ``threads`` are those within a layer, which multiplies a step with more than ``dense_from`` rows to add for each value.
    """

    def __init__(
        self,
        watched: Collection[nn.Module] = frozenset(),
        threads: int = 1,
        dense_from: float = DENSE_FROM,
    ) -> None:
        self.watched, self.threads, self.dense_from = watched, threads, dense_from

    def network(self, model: Any) -> Network:
        stem, (first, *others) = model.stem, model.stem.stages
        stages = [self._stage(first, colours=True), *map(self._stage, others)]
        position = self.convolution(stem.position)
        blocks = [self._block(block) for block in model.blocks]
        return Network(stages, position, blocks, position.channels, self._seen(stem))

    def _block(self, block: Any) -> Block:
        attention, mlp = block.attention, block.mlp
        q, k, v = map(self._projection, (attention.query, attention.key, attention.value))
        output = self.convolution(attention.output, attention)
        hidden, last = self.convolution(mlp.hidden), self.convolution(mlp.output, mlp)
        attends = self._attention(attention)
        return Block(q, k, v, attends, output, hidden, last, output.channels, self._seen(block))

    def _stage(self, stage: Any, colours: bool = False) -> Layer | Called:
        # the stem asks the first for its current and its neurons, so that it is never called itself
        pools = not isinstance(stage.pool, nn.Identity)
        return self.convolution(stage, pools=pools, colours=colours)

    def convolution(
        self, module: Any, *around: nn.Module, pools: bool = False, colours: bool = False
    ) -> Layer | Called:
        """A layer of one convolution; ``around`` it are modules that return what it does."""
        conv = module.conv
        inside = (conv, module.norm, getattr(module, "pool", conv))
        if self._any(inside) or (colours and self._called(module.neuron)):
            return Called(module, conv.in_channels, conv.out_channels, self._seen(*around))
        outside = around if colours else (module, *around)
        layer = self._layer([conv.weight], module, colours, outside)
        return layer._replace(kernel=conv.kernel_size[0], pools=pools)

    def _projection(self, module: Any) -> Layer | Called:
        synapses, reach = [lag.synapse for lag in module.lags], self._reach(module.lags)
        # of weaker copies a stream remembers the currents, which the loops do not keep
        apart = module.shares_weights and streaming.running()
        if apart or reach is None or self._any([*synapses, module.norm]):
            return Called(module, synapses[0].in_channels, synapses[0].out_channels)
        layer = self._layer(_weights(synapses), module, False, (module,))
        return layer._replace(reach=reach, remembers=module)

    def _reach(self, lags: Sequence[Any]) -> int | None:
        """How many lags are added where the others, all longer, were made 0; None where more than that is changed."""
        if not self._any(lags):
            return len(lags)
        if not all(promised(lag, UNIFORM) for lag in lags):
            return None
        gains = [float(shown(lag, torch.ones(1, 1, 1, 1, 1))) for lag in lags]
        reach = gains.count(1.0)
        return reach if reach and gains == [1.0] * reach + [0.0] * (len(lags) - reach) else None

    def _layer(
        self, weights: Sequence[Tensor], module: Any, colours: bool, around: Sequence[nn.Module]
    ) -> Layer:
        lif, channels = module.neuron, len(module.norm.weight)
        synapses = event_weights.folded(weights, module.norm, colours)
        charged = None if self._called(lif) else self._neurons(lif, channels, synapses[0].dtype)
        seen = self._seen(*(() if charged is None else (lif,)), *around)
        return Layer(
            lif, *synapses, charged, channels, seen=seen, threads=self.threads,
            dense_from=self.dense_from,
        )  # fmt: skip

    def _attention(self, module: Any) -> Attention | CalledAttention:
        maps, called = (module.scores, module.denoise, module.read), CalledAttention(module)
        if self._called(module.neuron) or not all(promised(one, UNIFORM) for one in maps):
            return called
        channels, window = module.output.conv.in_channels, module.scores.window
        if window > 1 and streaming.running() and self._any(maps):
            return called  # who listens is told which steps a map is of
        dim, dtype = channels // module.heads, module.output.norm.weight.dtype
        lags = _denoised(module, dim, dtype)
        reach = int(np.flatnonzero(lags.any((1, 2))).max(initial=-1)) + 1
        table = lags[0]
        if not (lags[:reach] == table).all():
            return called
        return Attention(
            module, module.heads, dim, window, reach, module.read.scale, table, _least(table),
            self._neurons(module.neuron, channels, table.dtype),
            self._seen(module.neuron), self.threads,
        )  # fmt: skip

    def _neurons(self, lif: Any, channels: int, dtype: Any) -> Neurons:
        return neurons(lif, channels, dtype, lif.membrane in self.watched)

    def _called(self, lif: Any) -> bool:
        """Whether a LIF has to be called, as somebody wants more than a look at its membranes."""
        held = streaming.running() and begins(lif.membrane) is not None
        return held or lif.spikes in self.watched or not promised(lif.membrane, LOOKS)

    def _any(self, modules: Any) -> bool:
        return any(module in self.watched for module in modules)

    def _seen(self, *modules: nn.Module) -> tuple[nn.Module, ...]:
        return tuple(module for module in modules if module in self.watched)


def _weights(synapses: Sequence[Any]) -> list[Tensor]:
    """Weights of each lag; where those of longer lags are weaker copies of the first's, they have a factor alone."""
    first, *later = synapses
    return [
        first.weight,
        *(getattr(s, "weight", first.weight) * getattr(s, "factor", 1.0) for s in later),
    ]


def _denoised(module: Any, dim: int, dtype: torch.dtype) -> np.ndarray:
    """f of every count, (lag, head, count), as the modules say, and those who change it for the whole map."""
    window, heads = module.scores.window, module.heads
    counts = torch.arange(dim + 1, dtype=dtype).expand(window * (window + 1) // 2, 1, heads, 1, -1)
    with torch.no_grad():
        denoised = module.denoise(shown(module.scores, counts))
        gain = shown(module.read, torch.ones(1, 1, heads, 1, 1, dtype=dtype))
        denoised = (denoised * gain)[:, 0, :, 0].numpy()
    return denoised[-window:][::-1]  # pairs of the last step, whose last one is with itself


def _least(table: np.ndarray) -> np.ndarray:
    """The smallest count that each head keeps, all greater ones as they are; 0 where f does something else."""
    counts = table.shape[1]
    least = np.where(table.any(1), (table != 0).argmax(1), counts)
    thresholded = np.arange(counts) * (np.arange(counts) >= least[:, None])
    return np.where((table == thresholded).all(1) & (least > 0), least, 0)


def layers(model: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Every layer of synapses and neurons, and its convolutions."""
    for module in (*model.stem.stages, model.stem.position):
        yield module, [module.conv]
    for block in model.blocks:
        attention, mlp = block.attention, block.mlp
        for module in (attention.query, attention.key, attention.value):
            yield module, [lag.synapse for lag in module.lags]
        for module in (attention.output, mlp.hidden, mlp.output):
            yield module, [module.conv]


def of_spikes(model: Any) -> Iterator[nn.Module]:
    """Modules that return spikes, or their counts: whoever changes these has to leave such."""
    for module, _ in layers(model):
        yield from (module, module.neuron, module.neuron.spikes)
    for block in model.blocks:
        neuron = block.attention.neuron
        yield from (neuron, neuron.spikes, block.attention, block.mlp, block)
    yield model.stem
