"""Lesson 10, what does it cost, and when can it stop: its exercises, and what to think of wrong answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception

# --- 10.1: the operations of one layer --------------------------------------------------------------


def _counts(seed: int, *shape: int, most: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, most + 1, shape)


def _operations(x: Any, outputs: int) -> tuple[int, int]:
    return int(x.sum()) * outputs, x.size * outputs


operations = Exercise(
    "10.1",
    "the operations of one layer",
    minutes=8,
    difficulty=2,
    cases=[
        Case("spikes of 0 and 1", _counts(1, 4, 3, 5, most=1), 6),
        Case("counts up to 3, as behind a residual connection", _counts(2, 2, 4, 3, most=3), 5),
        Case("no spike at all", np.zeros((3, 2, 4), int), 7),
    ],
    right=_operations,
    mistakes=[
        Mistake(
            "You counted places that are not 0. Behind a residual connection a place can hold 2 or 3: that is as many spikes, and each is accumulated.",
            like=lambda x, outputs: (np.count_nonzero(x) * outputs, x.size * outputs),
        ),
        Mistake(
            "You counted spikes, not operations. Each spike meets one weight for every output of the layer.",
            like=lambda x, outputs: (int(x.sum()), x.size),
        ),
        Mistake(
            "Your dense count is that of one step. A network without spikes that sees all steps multiplies at every step.",
            like=lambda x, outputs: (int(x.sum()) * outputs, x[0].size * outputs),
        ),
        Mistake(
            "The two numbers have changed places: accumulates first, then multiplications without spikes.",
            like=lambda x, outputs: _operations(x, outputs)[::-1],
        ),
        Mistake(
            "Your accumulates come from the mean rate of one step. Sum over all steps.",
            like=lambda x, outputs: (int(x[0].sum()) * outputs, x.size * outputs),
        ),
    ],
    hints=(
        "One spike that arrives is added to every output once. Without spikes, every input is multiplied with every weight it meets, whether it is 0 or not.",
        "`x.sum() * outputs` and `x.size * outputs`.",
    ),
)


# --- 10.2: when to stop -----------------------------------------------------------------------------


def _first_sure(confidence: Any, least: float) -> np.ndarray:
    """The first step, from 0, at which each sample is sure enough; the last where it never is."""
    sure = confidence >= least
    return np.where(sure.any(0), sure.argmax(0), len(confidence) - 1)


def _accuracy(right: Any, stops: np.ndarray) -> float:
    return float(right[stops, np.arange(right.shape[1])].mean())


def _rules(confidence: Any, right: Any, candidates: Any) -> list[tuple[float, float, float]]:
    """Each candidate with its mean number of steps and its accuracy."""
    stops = [_first_sure(confidence, least) for least in candidates]
    return [
        (least, float(stop.mean()) + 1, _accuracy(right, stop))
        for least, stop in zip(candidates, stops)
    ]


def _cheap_enough(confidence: Any, right: Any, candidates: Any, loss: float) -> tuple[float, float]:
    enough = right[-1].mean() - loss - 1e-9
    least, steps, _ = min(
        (rule for rule in _rules(confidence, right, candidates) if rule[2] >= enough),
        key=lambda rule: rule[1],
    )
    return least, steps


def _cheapest(confidence: Any, right: Any, candidates: Any, loss: float) -> tuple[float, float]:
    least, steps, _ = min(_rules(confidence, right, candidates), key=lambda rule: rule[1])
    return least, steps


def _surest(confidence: Any, right: Any, candidates: Any, loss: float) -> tuple[float, float]:
    least, steps, _ = max(
        _rules(confidence, right, candidates), key=lambda rule: (rule[2], rule[1])
    )
    return least, steps


def _from_zero(confidence: Any, right: Any, candidates: Any, loss: float) -> tuple[float, float]:
    least, steps = _cheap_enough(confidence, right, candidates, loss)
    return least, steps - 1


def _validation(seed: int, steps: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Confidences that rise over steps, and answers that are the more often right the surer they are."""
    random = np.random.default_rng(seed)
    confidence = np.sort(0.4 + 0.6 * random.random((steps, samples)) ** 0.5, 0)
    return confidence, random.random((steps, samples)) < confidence**0.7


CANDIDATES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)
"""Confidences among which the rule is chosen; with 1 all steps are used, so that one is always good enough."""

stopping_rule = Exercise(
    "10.2",
    "a stopping rule, chosen on validation",
    minutes=15,
    difficulty=3,
    cases=[
        Case("6 steps, a loss of 0.02", *_validation(3, 6, 200), CANDIDATES, 0.02),
        Case("4 steps, a loss of 0.1", *_validation(4, 4, 100), CANDIDATES, 0.1),
        Case("5 steps, a loss of 0.05", *_validation(6, 5, 300), CANDIDATES, 0.05),
    ],
    right=_cheap_enough,
    mistakes=[
        Mistake(
            "You took the confidence that stops earliest, whatever it costs. Only those may be chosen that lose at most `loss` against the last step, where each sample gives the answer that it has when it stops.",
            like=_cheapest,
        ),
        Mistake(
            "You took the most accurate rule. Nobody asked for that: among all that lose at most `loss`, the cheapest is wanted.",
            like=_surest,
        ),
        Mistake(
            "Your steps are counted from 0. A sample that stops at index 0 has used one step.",
            like=_from_zero,
        ),
        Mistake(
            "Return both: the chosen confidence, and the mean number of steps that it uses.",
            when=lambda case, answer, expected: np.size(answer) == 1,
        ),
    ],
    hints=(
        "For each candidate: at which step is each sample sure for the first time? Is its answer right *then*? How many steps is that on average?",
        "`sure = confidence >= c`, then `stop = np.where(sure.any(0), sure.argmax(0), len(sure) - 1)`, then `right[stop, np.arange(len(stop))].mean()`.",
    ),
)


# --- predictions ------------------------------------------------------------------------------------


def _steps(choice: str) -> int:
    return int(choice.split()[0])


STOP = [
    Misconception(
        "You stopped too early. Membranes need a step or two to charge, layer by layer: at first most of the deep neurons are silent, so the answer is a guess.",
        when=lambda choice, truth: _steps(choice) < _steps(truth),
    ),
    Misconception(
        "You waited too long. The answer is a mean over steps, and one might expect it to improve with each. But later steps mostly repeat the same answer.",
        when=lambda choice, truth: _steps(choice) > _steps(truth),
    ),
]
"""What choices of the step after which nothing changes any more may mean."""

CONVENTIONS = [
    Misconception(
        "You expected the three conventions to agree. The spikes are the same, but not what is counted: a count above 1 makes a whole layer multiply by one of them, and another takes mean rates instead of real spikes.",
        when=lambda values, truth: (
            max(values) < 1.3 * min(values) and max(truth) > 1.3 * min(truth)
        ),
    ),
]
"""What energies by three conventions may mean that are not the run's."""
