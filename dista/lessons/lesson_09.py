"""Lesson 9, which part matters: its exercises, and what to think of wrong answers."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception

# --- 9.1: a paired interval -------------------------------------------------------------------------

Z = 1.96
"""The normal quantile of a 95 % interval, as the exercise gives it."""


def _changed(before: Any, after: Any) -> tuple[int, int, int]:
    """Lost, gained, and how many there are."""
    return int((before & ~after).sum()), int((~before & after).sum()), len(before)


def _around(lost: float, gained: float, n: float, width: float = Z) -> tuple[float, float]:
    """The interval of the mean of numbers of which ``lost`` are -1, ``gained`` 1 and the others 0."""
    mean = (gained - lost) / n
    half = width * math.sqrt(((gained + lost) / n - mean**2) / n)
    return mean - half, mean + half


def _paired(before: Any, after: Any) -> tuple[float, float, float]:
    lost, gained, n = _changed(before, after)
    return (gained - lost) / n, *_around(lost, gained, n)


def _unpaired(before: Any, after: Any) -> tuple[float, float, float]:
    """As if other samples had been asked before and after."""
    n, (p, q) = len(before), (before.mean(), after.mean())
    half = Z * math.sqrt((p * (1 - p) + q * (1 - q)) / n)
    return q - p, q - p - half, q - p + half


def _turned(before: Any, after: Any) -> tuple[float, float, float]:
    return _paired(after, before)


def _spread(before: Any, after: Any) -> tuple[float, float, float]:
    """The interval of single differences, not of their mean."""
    difference, low, high = _paired(before, after)
    half = (high - low) / 2 * math.sqrt(len(before))
    return difference, difference - half, difference + half


def _standard_error(before: Any, after: Any) -> tuple[float, float, float]:
    lost, gained, n = _changed(before, after)
    return (gained - lost) / n, *_around(lost, gained, n, 1.0)


def _answers(
    seed: int, n: int, p: float, worse: float, better: float
) -> tuple[np.ndarray, np.ndarray]:
    """Right answers before and after a change that loses and gains some."""
    random = np.random.default_rng(seed)
    before, draw = random.random(n) < p, random.random(n)
    return before, np.where(before, draw >= worse, draw < better)


interval = Exercise(
    "9.1",
    "a paired interval",
    minutes=12,
    difficulty=2,
    cases=[
        Case("200 samples, a large loss", *_answers(1, 200, 0.95, 0.3, 0.1)),
        Case("500 samples, a small loss", *_answers(2, 500, 0.9, 0.05, 0.1)),
        Case("80 samples, a gain", *_answers(3, 80, 0.5, 0.1, 0.6)),
    ],
    right=_paired,
    mistakes=[
        Mistake(
            "This is the interval of two groups of *different* samples. The same samples were asked twice: take the differences, sample by sample, and the interval of their mean. It is narrower.",
            like=_unpaired,
        ),
        Mistake(
            "The sign is the wrong way round: a loss is negative. After minus before.",
            like=_turned,
        ),
        Mistake(
            "This is how far *single* differences spread, not their mean. The mean of n numbers spreads by the square root of n less.",
            like=_spread,
        ),
        Mistake(
            "Your interval reaches one standard error to each side, which covers about 68 %. For 95 % it is 1.96 of them.",
            like=_standard_error,
        ),
        Mistake(
            "Return three numbers: the difference, and the lower and upper end.",
            when=lambda case, answer, expected: np.size(answer) != 3,
        ),
    ],
    hints=(
        "For each sample: after minus before, which is -1, 0 or 1. You know the interval of the mean of n numbers: 1.96 standard errors to each side.",
        "`d = after.astype(float) - before`, then `half = 1.96 * d.std() / len(d) ** 0.5`, then `d.mean(), d.mean() - half, d.mean() + half`.",
    ),
    close=0.02,  # also the standard deviation that divides by n - 1
)


# --- 9.2: patch an activation -----------------------------------------------------------------------


@functools.cache
def _small_model() -> Any:
    """A network that has learned nothing: to put an activation in needs none that has."""
    import torch

    from dista.config import MemoryConfig, ModelConfig
    from dista.experiments.untrained import untrained_like
    from dista.model import DISTA

    config = ModelConfig(
        input_shape=(1, 8, 8), classes=4, dim=8, depth=1, heads=2, time_steps=2, attention_scale=0.5,
        memory=MemoryConfig(form="map", window=2),
    )  # fmt: skip
    x = torch.rand(8, *config.input_shape, generator=torch.Generator().manual_seed(0))
    return untrained_like(DISTA(config), x, seed=1)


def _input(seed: int) -> Any:
    import torch

    shape = _small_model().config.input_shape
    return torch.rand(2, *shape, generator=torch.Generator().manual_seed(seed))


def _activation(model: Any, x: Any, name: str) -> Any:
    """What the module ``name`` returns for ``x``."""
    from dista.experiments.interventions import intervene

    activations: list[Any] = []
    with intervene(model, {name: lambda module, inputs, output: activations.append(output)}):
        model(x)
    return activations[0]


def _run(model: Any, x: Any, name: str = "", activation: Any = None) -> Any:
    """The answer to ``x``, with ``activation`` in the place of what the module ``name`` returns."""
    import torch

    from dista.experiments.interventions import intervene

    with torch.inference_mode(), intervene(model, {name: activation} if name else {}):
        return model(x)


def _patched(model: Any, x: Any, other: Any, name: str) -> Any:
    return _run(model, x, name, _activation(model, other, name))


def _case(words: str, seed: int, name: str) -> Case:
    return Case(words, _Lent(), _input(seed), _input(seed + 1), name)


class _Lent:
    """The small network, which each call gets without a copy of its weights."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _small_model()


patch = Exercise(
    "9.2",
    "patch an activation",
    minutes=15,
    difficulty=3,
    cases=[
        _case("the MLP of the block", 10, "blocks.0.mlp"),
        _case("the hidden layer of the MLP", 20, "blocks.0.mlp.hidden"),
    ],
    right=_patched,
    mistakes=[
        Mistake(
            "This is the answer to `x` as it is. The patch works inside of the `with` block alone: call `model(x)` there.",
            like=lambda model, x, other, name: _run(model, x),
        ),
        Mistake(
            "The inputs have changed places: you ran `other` with an activation of `x`. It is the activation of `other` that goes into the run of `x`.",
            like=lambda model, x, other, name: _patched(model, other, x, name),
        ),
        Mistake(
            "This is the answer to `other`. Run `x`, with one module's output replaced.",
            like=lambda model, x, other, name: _run(model, other),
        ),
        Mistake(
            "You put the module's own output for `x` back in: that changes nothing. Keep what it returns for `other`.",
            like=lambda model, x, other, name: _patched(model, x, x, name),
        ),
        Mistake(
            "You put zeros in. That takes the module away; the exercise puts in what it does for `other`.",
            like=lambda model, x, other, name: _run(
                model, x, name, 0 * _activation(model, x, name)
            ),
        ),
    ],
    hints=(
        "Two runs. In the first, of `other`, a function given to `dista.intervene` keeps the output and returns None, which leaves it as it is. In the second, of `x`, the kept tensor is given instead of a function.",
        "`kept = []`, then `with dista.intervene(model, {name: lambda module, inputs, output: kept.append(output)}): model(other)`, then `with dista.intervene(model, {name: kept[0]}): return model(x)`.",
    ),
)


# --- predictions ------------------------------------------------------------------------------------

PARTS = {
    "attention's memory": "memory",
    "the learned taus": "learned-taus",
    "block 2": "block=1",
    "the denoiser": "denoiser",
    "head 3 of block 2": "head=1.2",
}
"""Parts of ``match-map`` and the switches that take them away."""

ORDER = [
    Misconception(
        "You put the denoiser among the parts that matter. The paper's title names it, but without noise in the input its removal costs little here.",
        when=lambda values, truth: "the denoiser" in values[:2] and "the denoiser" not in truth[:2],
    ),
    Misconception(
        "You put the taus low: they are a handful of numbers. But every neuron of a layer hangs on its tau, and the weights were trained around it.",
        when=lambda values, truth: (
            "the learned taus" in values[2:] and "the learned taus" in truth[:2]
        ),
    ),
    Misconception(
        "You put a single head above a whole block. One head of four can often be spared, as the others do similar work.",
        when=lambda values, truth: values.index("head 3 of block 2") < values.index("block 2"),
    ),
]
"""What orders of the parts by effect may mean that are not the run's."""
