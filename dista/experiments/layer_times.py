"""Measure how long each layer takes at each step, on this machine, now, beside the operations that are counted for it.

    times = layer_times(model, x)
    dista.figures.layer_times(times)

Layers are those of ``dista.engine``, where work is done for what fired, and the model goes step by step, as for a live
camera. Q K^T and f(A) V are one loop there, and counted together. The first layer of an image and the head, which
multiply numbers, are left out. It is the time of the processor that is measured, as others may use the machine.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dista import streaming
from dista.engine import events
from dista.engine.modules import need_evaluation
from dista.experiments import operations
from dista.measures import LayerTimes

if TYPE_CHECKING:
    from torch import Tensor

    from dista.model import DISTA


class _Clock:
    """Parts of a network that say how long they took, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def timed(self, name: str, part: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
        def act(*inputs: Any, **more: Any) -> np.ndarray:
            began = time.thread_time()
            out = part(*inputs, **more)
            self.seconds[name].append(time.thread_time() - began)
            return out

        return act

    def network(self, network: Any) -> Any:
        """The same layers, each with a watch; the first takes numbers and is left as it is."""
        first, *others = network.stages
        stages = [self.timed(f"stem.stages.{i}", stage) for i, stage in enumerate(others, 1)]
        blocks = [self._block(f"blocks.{i}", block) for i, block in enumerate(network.blocks)]
        position = self.timed("stem.position", network.position)
        return network._replace(stages=[first, *stages], position=position, blocks=blocks)

    def _block(self, name: str, block: Any) -> Any:
        inside = {
            "query": "attention.query", "key": "attention.key", "value": "attention.value",
            "attends": "attention", "output": "attention.output", "hidden": "mlp.hidden", "last": "mlp.output",
        }  # fmt: skip
        parts = {
            part: self.timed(f"{name}.{place}", getattr(block, part))
            for part, place in inside.items()
        }
        return block._replace(**parts)


def layer_times(model: DISTA, x: Tensor, *, rounds: int = 5) -> LayerTimes:
    """Processor seconds of one sample in each layer at each step, and its operations; on one thread.

    ``x`` is (batch, channel, row, column) or (time, batch, ...); the samples go through together, and seconds are
    divided by their number. A first round does not count. ValueError for a model in training mode, one that
    ``dista.engine`` does not run, with the reason, or fewer than one round.
    """
    need_evaluation(model, "timing its layers")
    if rounds < 1:
        raise ValueError(f"rounds={rounds}; expected at least one")
    with torch.no_grad():
        sequence, steps = model._sequence(x)
        images = model.normalised(sequence).expand(steps, -1, -1, -1, -1)
        if why := events.why_not(model, images):
            raise ValueError(f"layers cannot be timed, as the model is run by its modules: {why}")
        clock = _Clock()
        network = clock.network(_built(model))
        for _ in range(rounds + 1):
            _stream(model, network, images)
    seconds = np.array([clock.seconds[name] for name in clock.seconds])
    seconds = seconds.reshape(len(seconds), rounds + 1, steps)[:, 1:].swapaxes(1, 2) / x.shape[-4]
    return _beside_counts(tuple(clock.seconds), seconds, model, x)


def _built(model: DISTA) -> Any:
    from dista.engine.event_builder import network_of

    return network_of(model)


def _stream(model: DISTA, network: Any, images: Tensor) -> None:
    frames = images.permute(0, 1, 3, 4, 2).contiguous().numpy()
    streaming.each(model, frames, lambda frame: network.run(frame[:, None], 1))


def _beside_counts(
    names: tuple[str, ...], seconds: np.ndarray, model: DISTA, x: Tensor
) -> LayerTimes:
    from dista.engine.event_network import DENSE_FROM

    counts = operations.count(model, x)
    met, dense = (
        np.array([_of_layer(counts[quantity], name) for name in names])
        for quantity in ("accumulates", "dense")
    )
    return LayerTimes(names, met, seconds, met / dense > DENSE_FROM, x.shape[-4])


def _of_layer(counted: Any, name: str) -> np.ndarray:
    """Operations of a layer at each step, a mean over samples; of attention those of scores and read together."""
    parts = [f"{name}.scores", f"{name}.read"] if name.endswith("attention") else [name]
    one = counted.sel(layer=parts).sum("layer")
    return (one.mean("batch") if "batch" in one.dims else one).values
