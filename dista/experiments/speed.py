"""Measure how long an answer takes for inputs with different firing rates, on this machine, now.

measured = time_by_rate(model, {"blank": torch.zeros_like(x), "digits": x})
dista.figures.time_by_rate(measured)
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from dista.engine.modules import device_of, need_evaluation
from dista.measures import TimeByRate, layers, neuron_table
from dista.recording import record

if TYPE_CHECKING:
    from torch import Tensor

    from dista.model import DISTA


def time_by_rate(model: DISTA, inputs: Mapping[str, Tensor], *, rounds: int = 5) -> TimeByRate:
    """Seconds of ``model(x)`` for each input by name, and the share of neurons and steps that fire with it.

    What is timed is the plain forward, not a recording. The first run of each input does not count. ValueError for
    fewer than two inputs, inputs of different shapes, fewer than one round, or a model in training mode.
    """
    need_evaluation(model, "timing it")
    if len(inputs) < 2 or len({tuple(x.shape) for x in inputs.values()}) > 1 or rounds < 1:
        shapes = ", ".join(str(tuple(x.shape)) for x in inputs.values())
        raise ValueError(
            f"{len(inputs)} inputs of shape {shapes}, rounds={rounds}; expected two or more of one shape, and a round"
        )
    on_device = {name: x.to(device_of(model)) for name, x in inputs.items()}
    rate = np.array([_rate(model, x) for x in on_device.values()])
    for x in on_device.values():
        _seconds(model, x)
    each = [[_seconds(model, x) for x in on_device.values()] for _ in range(rounds)]
    return TimeByRate(tuple(inputs), rate, np.array(each).T)


def _rate(model: DISTA, x: Tensor) -> float:
    """Spikes per neuron and step, over all neurons of the network."""
    recording = record(model, x, ["*.spikes"])
    sizes = [recording[f"{layer.replace('.', '/')}/spikes"].size for layer in layers(recording)]
    rates = [row.rate for row in neuron_table(recording)]
    return float(np.average(np.array(rates, float), weights=sizes))


def _seconds(model: DISTA, x: Tensor) -> float:
    began = time.perf_counter()
    with torch.inference_mode():
        model(x)
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
    return time.perf_counter() - began
