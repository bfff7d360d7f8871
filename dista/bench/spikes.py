"""Evaluation driven by spikes, against the same model by its modules; and what its time depends on.

answers   shipped checkpoints on samples of their own test split: many at once, one, and one step by step
layer     one layer, for inputs of more and more spikes: rows added, everything multiplied, and by its module
fit       milliseconds = a + b accumulates, over the rows that were added
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from dista import streaming
from dista.bench.timing import Action, interleaved
from dista.checkpoint import load
from dista.config import ModelConfig
from dista.data import open as open_task
from dista.engine import events
from dista.layers import SpikingConv
from dista.measures import TimeBySpikes
from dista.model import DISTA

SAMPLES = 25
RATES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
"""Firing rates of the inputs of a layer."""

STEPS, BATCH, CHANNELS, SIZE = 4, 8, 128, 8
WAYS = {"rows added": 1.0, "all multiplied": 0.0}
"""How the engine computes a layer, and from which share on it multiplies a step then."""


def answers(names: Sequence[str], rounds: int) -> list[dict]:
    """Rows for each shipped checkpoint: ``SAMPLES`` at once, one, and one as a stream, step by step.

    Each has seconds by spikes and by modules, and how many times as fast spikes are.
    """
    return [row for name in names for row in _answers(name, rounds)]


def _answers(name: str, rounds: int) -> Iterator[dict]:
    model = load(name).eval()
    x, _ = open_task(model.card["task"]).test.batch(range(SAMPLES))
    one = x.narrow(x.ndim - 4, 0, 1)
    for how, samples, actions in (
        ("at once", SAMPLES, ways(model, x)),
        ("at once", 1, ways(model, one)),
        ("step by step", 1, streams(model, one)),
    ):
        seconds = interleaved(actions, rounds)
        ratio = seconds["modules"] / seconds["spikes"]
        yield {"checkpoint": name, "batch": samples, "how": how, **seconds, "ratio": ratio}


def ways(model: DISTA, x: Tensor) -> dict[str, Action]:
    """One forward of the model, driven by spikes and by its modules. ValueError where it is not driven by spikes."""
    with torch.no_grad():
        sequence, steps = model._sequence(x)
        why = events.why_not(model, model.normalised(sequence))
    if why is not None:
        raise ValueError(f"this model is not driven by spikes here: {why}")

    @torch.no_grad()
    def by_spikes() -> None:
        model(x)

    @torch.no_grad()
    def by_modules() -> None:
        model.readout(model.head(model.features(model.normalised(sequence), steps)))

    return {"spikes": by_spikes, "modules": by_modules}


def streams(model: DISTA, x: Tensor) -> dict[str, Action]:
    """All steps one by one, driven by spikes and by the modules."""
    with torch.no_grad():
        sequence, steps = model._sequence(x)
    frames = sequence.expand(steps, -1, -1, -1, -1)

    def by_spikes() -> None:
        state = model.start()
        for frame in frames:
            _, state = model.step(frame, state)

    @torch.no_grad()
    def by_modules() -> None:
        streaming.each(
            model, frames, lambda x: model.head(model.features(model.normalised(x[None]), 1))
        )

    return {"spikes": by_spikes, "modules": by_modules}


def layer(rounds: int, rates: Sequence[float] = RATES) -> TimeBySpikes:
    """A 3 x 3 layer of as many outputs as inputs, whose inputs fire at random with each of ``rates``."""
    from dista.engine import event_builder, event_neurons

    torch.manual_seed(0)
    config = ModelConfig(input_shape=(1, 8, 8), classes=2, dim=CHANNELS, heads=2)
    module = SpikingConv(config, CHANNELS, CHANNELS, kernel=3).eval()
    threads = torch.get_num_threads()
    driven = {
        way: event_builder.Builder(threads=threads, dense_from=share).convolution(module)
        for way, share in WAYS.items()
    }
    inputs = [(torch.rand(STEPS, BATCH, CHANNELS, SIZE, SIZE) < rate).float() for rate in rates]
    actions: dict[str, Action] = {}
    for number, x in enumerate(inputs):
        in_bytes = event_neurons.as_bytes(x)
        for way, one in driven.items():
            actions[f"{way} {number}"] = _driven(one, in_bytes)
        actions[f"by its module {number}"] = _called(module, x)
    seconds = interleaved(actions, rounds)
    names = (*WAYS, "by its module")
    return TimeBySpikes(
        names,
        np.array([x.mean().item() for x in inputs]),
        np.array([accumulates(x, CHANNELS) for x in inputs]),
        np.array([[seconds[f"{name} {n}"] for n in range(len(inputs))] for name in names]),
    )


def _driven(one: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> Action:
    def act() -> None:
        one(x)

    return act


def _called(module: SpikingConv, x: Tensor) -> Action:
    @torch.no_grad()
    def act() -> None:
        module(x)

    return act


def accumulates(x: Tensor, outputs: int) -> int:
    """Weights that the spikes of x (time, batch, channel, row, column) meet in a 3 x 3 layer."""
    spikes = x.flatten(0, 1).sum(1, keepdim=True)
    return outputs * int(conv2d(spikes, torch.ones(1, 1, 3, 3), padding=1).sum())


def measure(names: Sequence[str], rounds: int) -> dict:
    """``answers``, and of a layer its ``rows`` and what they fit; all of it numbers and words."""
    swept = layer(rounds)
    return {
        "answers": answers(names, rounds),
        "layer": swept.table().to_dict("records"),
        "fit": swept.fit._asdict(),
        "crossover": swept.crossover,
    }
