"""Lesson 5, what do slow neurons remember: its exercises, and what to think of wrong answers."""

from __future__ import annotations

import functools
import math
from typing import Any

from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception
from dista.measures import half_life as by_half

LAYERS = {
    "stem.stages.1.neuron": "stem, second stage",
    "blocks.0.attention.query.neuron": "queries, block 1",
    "blocks.0.mlp.hidden.neuron": "MLP hidden, block 1",
    "blocks.1.attention.key.neuron": "keys, block 2",
    "blocks.1.mlp.hidden.neuron": "MLP hidden, block 2",
    "blocks.1.mlp.output.neuron": "MLP output, block 2",
}
"""The layers whose order of taus is asked for, and what they are called."""

HIDDEN = ("blocks.0.mlp.hidden.neuron", "blocks.1.mlp.hidden.neuron")
"""The neurons that a task with a delay made slow."""


# --- 5.1: the half-life -----------------------------------------------------------------------------

half_life = Exercise(
    "5.1",
    "half-life",
    minutes=5,
    difficulty=1,
    cases=[
        Case("tau = 2", 2.0),
        Case("tau = 4", 4.0),
        Case("tau = 1.5", 1.5),
        Case("tau = 20", 20.0),
    ],
    right=by_half,
    mistakes=[
        Mistake(
            "This is the half-life of exp(-t / tau), in continuous time. Here a step leaves exactly 1 - 1/tau, and with a small tau that is much less.",
            like=lambda tau: tau * math.log(2),
        ),
        Mistake(
            "You let 1/tau stay in each step. 1/tau is what *leaks*; 1 - 1/tau stays.",
            like=lambda tau: math.log(0.5) / math.log(1 / tau),
        ),
        Mistake(
            "This is as if each step took the same *amount*. It takes the same *share* of what is left, so the loss slows down.",
            like=lambda tau: tau / 2,
        ),
        Mistake(
            "The fraction is upside down: log(0.5) belongs above.",
            like=lambda tau: 1 / by_half(tau),
        ),
        Mistake(
            "A half-life is a number of steps and positive. The logarithms of both 0.5 and 1 - 1/tau are negative; look at your signs.",
            when=lambda case, answer, expected: answer < 0,
        ),
        Mistake(
            "A larger tau must forget more slowly, so the half-life must grow with tau.",
            when=lambda case, answer, expected: case.arguments[0] > 4 and answer < 2,
        ),
    ],
    hints=(
        "What is left of a potential of 1 after one step? After two? After n? Then ask for which n that is one half.",
        "(1 - 1/tau) ** n = 0.5, so n = `math.log(0.5) / math.log(1 - 1 / tau)`.",
    ),
)


# --- 5.2: one tau -----------------------------------------------------------------------------------

PAIRS = 40
"""Held-out pairs that the check of the second exercise answers."""

ENOUGH = 0.65
"""The share of right answers that is asked for at most; guessing gives 0.5."""


@functools.cache
def _network() -> Any:
    from dista.checkpoint import load

    return load("match-map")


@functools.cache
def _right(layer: str, tau: float) -> float:
    """The share of right answers of ``match-map`` with the tau of one layer set."""
    from dista.data import open as open_task
    from dista.experiments.evaluation import evaluate
    from dista.experiments.interventions import intervene
    from dista.experiments.interventions import tau as set_tau

    with intervene(_network(), {f"{layer}.tau": set_tau(tau)}):
        return evaluate(_network(), open_task("match").test, limit=PAIRS)["accuracy"]


def _taus() -> dict[str, float]:
    from dista.neurons import time_constants

    return {layer: sum(taus) / len(taus) for layer, taus in time_constants(_network()).items()}


def _breaks(answer: Any) -> str | None:
    layer, tau = answer
    layer, tau = str(layer).removesuffix(".tau"), float(tau)
    if layer not in _taus():
        return f"there is no layer {layer!r}; the names stand in `taus`, for example {next(iter(_taus()))!r}"
    if not 1 <= tau <= 8:
        return f"tau = {tau:g} is not between 1 and 8"
    right = _right(layer, tau)
    if right <= ENOUGH:
        return None
    return f"with tau = {tau:g} in {layer} the network still answers {right:.0%} of {PAIRS} pairs right"


def _near(answer: Any) -> bool:
    layer, tau = answer
    return abs(float(tau) / _taus()[layer] - 1) < 0.3


one_tau = Exercise(
    "5.2",
    "one tau that breaks it",
    minutes=10,
    difficulty=2,
    cases=[Case("your layer and your tau")],
    judge=_breaks,
    mistakes=[
        Mistake(
            "This is no layer with a tau of its own. Give the dotted name up to `neuron`, as a text.",
            when=lambda case, answer, expected: answer[0] not in _taus(),
        ),
        Mistake(
            "A time constant is 1 or more: 1/tau is the share that leaks. Above 8 is further than you need to go.",
            when=lambda case, answer, expected: not 1 <= answer[1] <= 8,
        ),
        Mistake(
            "That is nearly the tau that the layer has learned, so almost nothing changes. Go further away from it.",
            when=lambda case, answer, expected: _near(answer),
        ),
        Mistake(
            "You made this layer slower. It then takes in less in each step, and may fall silent, but it forgets nothing: the answer stands more than you thought. Try the other way.",
            when=lambda case, answer, expected: answer[1] > _taus()[answer[0]],
        ),
        Mistake(
            "The network can do without this change. Look at the rows of the figure above: which layer costs most when its tau is put back?",
            when=lambda case, answer, expected: answer[0] in _taus(),
        ),
    ],
    hints=(
        "Which layers' tau moved most in training, and which cost most when it was put back? A layer whose tau is large has learned with a small part 1/tau of its current.",
        "Take the slowest hidden layer of an MLP, and go down with its tau, to 1 if needed.",
    ),
)


# --- predictions ------------------------------------------------------------------------------------

SLOW = [
    Misconception(
        "You put the slow neurons into the attention, as that is where this network reaches into the past. But keys of past steps are kept exactly, "
        "however fast their neurons are. It is the MLPs, which see one step at a time, that became slow.",
        when=lambda values, truth: any("queries" in name or "keys" in name for name in values[:2]),
    ),
    Misconception(
        "You put the last layer before the answer among the slow ones. It is the fastest: it passes on what it gets, step by step, and the answer is a mean over steps anyway.",
        when=lambda values, truth: "output" in " ".join(values[:3]),
    ),
    Misconception(
        "The order is nearly a guess, and so is ours before the run: no equation says which layer becomes slow.",
        when=lambda values, truth: True,
    ),
]
"""What orders of the layers by tau may mean that are not the run's."""

CUTS = [
    Misconception(
        "You expected `digits` to lose little with tau = 1, as it has nothing to remember. But tau = 1 does not only forget. "
        "It also multiplies every current by the old tau, and neurons that took in a half or a quarter now take in all.",
        when=lambda values, truth: values[1] > truth[1] + 0.3,
    ),
    Misconception(
        "You expected `digits` to need its membranes. It shows the same image at each step: what another image left there is overwritten before the answer.",
        when=lambda values, truth: values[0] < truth[0] - 0.3,
    ),
    Misconception(
        "You expected attention to carry the digit through the delay alone. With map memory it could; but this network was trained with both, and came to need both.",
        when=lambda values, truth: values[2] > truth[2] + 0.2,
    ),
]
"""What accuracies after a cut may mean that are not the run's."""
