"""Lesson 2, how does one learn through a step: its exercises, and what to think of wrong answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from dista import neurons
from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception

DISTANCES = np.linspace(-3, 3, 61)
"""Distances h - threshold at which a surrogate is looked at; the one in the middle is 0."""


def slope(distance: Any, alpha: float = 4.0) -> np.ndarray:
    """The sigmoid's surrogate gradient at ``distance`` = h - threshold [reviews: PLIF], as training has it."""
    s = 1 / (1 + np.exp(-alpha * np.asarray(distance, float)))
    return alpha * s * (1 - s)


def _surrogate(answer: Any, distance: Any) -> str | None:
    values = np.asarray(answer, float)
    if values.shape != np.shape(distance):
        return f"the shape is {values.shape}, expected {np.shape(distance)}: one slope for each distance"
    if not np.isfinite(values).all():
        return f"{int((~np.isfinite(values)).sum())} slopes are not finite"
    if (values < 0).any():
        return f"the smallest slope is {values.min():.3g}, and none may be below 0"
    middle = len(values) // 2
    if not values[middle] > 0:
        return "the slope at the threshold is 0"
    if values.max() > values[middle] * (1 + 1e-9):
        place = float(np.asarray(distance)[values.argmax()])
        return f"the slope is largest at a distance of {place:.2g}, not at the threshold"
    if max(values[0], values[-1]) > 0.5 * values[middle]:
        return "far from the threshold the slope is still more than half of that at the threshold"
    return None


own_surrogate = Exercise(
    "2.1",
    "a surrogate of your own",
    minutes=10,
    difficulty=2,
    cases=[
        Case("distances from -3 to 3", DISTANCES),
        Case("distances from -20 to 20", DISTANCES * 20 / 3),
    ],
    judge=_surrogate,
    mistakes=[
        Mistake(
            "Zero everywhere is the step's own derivative: then no weight ever learns. The surrogate has to be positive around the threshold.",
            when=lambda case, values, expected: not np.any(np.asarray(values, float)),
        ),
        Mistake(
            "This rises from left to right: it is a soft step, a value. Asked for is its slope, which is largest at the threshold and falls on both sides.",
            when=lambda case, values, expected: (
                values[-1] > 1.5 * values[0] and bool(np.all(np.diff(values) >= 0))
            ),
        ),
        Mistake(
            "The same slope everywhere is the straight-through estimator: a neuron that is far from its threshold is pulled as hard as one that is near. Let it fall on both sides.",
            when=lambda case, values, expected: bool(np.ptp(values) < 1e-9),
        ),
        Mistake(
            "A slope below 0 turns learning round: more current would count as fewer spikes.",
            when=lambda case, values, expected: bool(np.min(values) < 0),
        ),
        Mistake(
            "The slope must be largest at a distance of 0, and fall on both sides: use the size of the distance, abs(distance).",
            when=lambda case, values, expected: bool(np.argmax(values) != len(values) // 2),
        ),
    ],
    hints=(
        "Take any curve that looks like a soft step, and use its slope: a sigmoid, an arctangent. Or draw a hill by hand: a triangle around 0 does it.",
        "`np.maximum(0, 1 - np.abs(distance))` is a triangle; of the sigmoid `s` with slope 4 it is `4 * s * (1 - s)`.",
    ),
)

_RANDOM = np.random.default_rng(2)
CURRENTS = 0.12 + 0.03 * _RANDOM.normal(size=40) + 0.04 * _RANDOM.normal(size=(12, 40))
"""Input currents (time, neuron) of a layer that is dead: its weights are too small."""


def activity(gain: float) -> tuple[float, float, float]:
    """Of the layer under ``gain`` times its currents, tau = 2: the firing rate, and the shares that are dead and saturated."""
    h = neurons.membrane(torch.as_tensor(float(gain) * CURRENTS), torch.tensor(2.0))
    fired = h.numpy() >= 1
    return float(fired.mean()), float((~fired.any(0)).mean()), float(fired.all(0).mean())


def _revived(gain: Any) -> str | None:
    if not float(gain) > 0:
        return f"a gain of {float(gain):g} is not positive"
    rate, dead, saturated = activity(gain)
    if 0.1 <= rate <= 0.4 and dead <= 0.25 and saturated == 0:
        return None
    return f"the firing rate is {rate:.0%}; {dead:.0%} of the neurons are dead, {saturated:.0%} saturated"


revive = Exercise(
    "2.2",
    "revive a dead layer by one number",
    minutes=5,
    difficulty=1,
    cases=[Case("the layer with your gain")],
    judge=_revived,
    mistakes=[
        Mistake(
            "A gain that is not positive turns the currents round, or off: then even more neurons are silent.",
            when=lambda case, gain, expected: gain <= 0,
        ),
        Mistake(
            "Too little: most neurons stay below the threshold of 1 however long you wait. Their mean current is 0.12; by how much must it grow?",
            when=lambda case, gain, expected: activity(gain)[0] < 0.25,
        ),
        Mistake(
            "Too much: these neurons fire at almost every step, whatever comes in. That says as little as silence, and their surrogate gradient is small too.",
            when=lambda case, gain, expected: activity(gain)[0] >= 0.25,
        ),
    ],
    hints=(
        "From lesson 1: a neuron is silent for ever where its current stays below the threshold. So the currents have to come above 1, but not far above.",
        "The mean current times the gain should be a little above 1. `lesson_02.activity(gain)` gives rate, dead and saturated for a gain.",
    ),
)

QUIET = (
    Misconception(
        "No time constant makes a current of 0.9 reach a threshold of 1: the potential stays below its input. A gradient is there, but it leads nowhere.",
        when=lambda choice, truth: choice == "tau alone" or choice == "each of the three",
    ),
    Misconception(
        "The weight can wake the neuron. But with tau = 2 only weights from 1.016 to 1.032 give the wanted step, and the steps of descent are wider or stop before: see the band in the figure.",
        when=lambda choice, truth: choice == "weight alone",
    ),
)
