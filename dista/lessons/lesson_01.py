"""Lesson 1, when does a neuron speak: its current, its exercises, and what to think of wrong answers."""

from __future__ import annotations

from dista.experiments.single_neuron import driven
from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception

CURRENT = (0.0, *(1.6,) * 8, 0.0, 0.0, 0.0)
"""The input of the first prediction and of the second exercise: nothing, eight steps of 1.6, nothing."""

SPIKES = (
    Misconception(
        "You marked all steps with a strong input, as for a ReLU. A spiking neuron first has to charge, and after a spike it begins again from 0.",
        when=lambda steps, truth: len(steps) >= 7,
    ),
    Misconception(
        "Nothing flows in after step 9, so the potential only falls: it cannot reach the threshold there.",
        when=lambda steps, truth: any(step > 8 for step in steps),
    ),
    Misconception(
        "After a spike the potential is 0 again. The neuron needs the same three steps once more.",
        when=lambda steps, truth: bool(steps) and len(steps) > len(truth),
    ),
    Misconception(
        "Compute it by hand: 1.6/3 = 0.53 after one step, then 0.89, then 1.13, which is above 1.",
        when=lambda steps, truth: True,
    ),
)
COUNTS = (
    Misconception(
        "That a slow neuron adds up more is true where the whole input is added. Here the input is divided by tau: it forgets less, but it takes in less.",
        when=lambda counts, truth: counts[-1] > counts[0],
    ),
    Misconception(
        "Look at tau = 1: its potential is the input, and 1.5 is above the threshold. So it fires in every step.",
        when=lambda counts, truth: counts[0] < 0.8 * truth[0],
    ),
)
WEAK = (
    Misconception(
        "It adds up, but it leaks as well. The potential goes towards its input and never beyond: from below it comes to 0.95 and stays.",
        when=lambda choice, truth: choice == "tau = 8",
    ),
)


def _step(v: float, x: float, tau: float, threshold: float) -> tuple[float, float]:
    h = v + (x - v) / tau
    s = float(h >= threshold)
    return s, h * (1 - s)


def _without_leak(v: float, x: float, tau: float, threshold: float) -> tuple[float, float]:
    h = v + x / tau
    s = float(h >= threshold)
    return s, h * (1 - s)


def _whole_input(v: float, x: float, tau: float, threshold: float) -> tuple[float, float]:
    h = v - v / tau + x
    s = float(h >= threshold)
    return s, h * (1 - s)


def _without_reset(v: float, x: float, tau: float, threshold: float) -> tuple[float, float]:
    h = v + (x - v) / tau
    return float(h >= threshold), h


def _soft(v: float, x: float, tau: float, threshold: float) -> tuple[float, float]:
    h = v + (x - v) / tau
    s = float(h >= threshold)
    return s, h - threshold * s


def _above(v: float, x: float, tau: float, threshold: float) -> tuple[float, float]:
    h = v + (x - v) / tau
    s = float(h > threshold)
    return s, h * (1 - s)


def _swapped(v: float, x: float, tau: float, threshold: float) -> tuple[float, float]:
    s, v = _step(v, x, tau, threshold)
    return v, s


lif_step = Exercise(
    "1.1",
    "one step of a LIF neuron",
    minutes=10,
    difficulty=1,
    cases=[
        Case("charging: v = 0, x = 0.8, tau = 2", 0.0, 0.8, 2.0, 1.0),
        Case("leaking: v = 0.6, x = 0, tau = 3", 0.6, 0.0, 3.0, 1.0),
        Case("firing: v = 0.5, x = 2.5, tau = 2", 0.5, 2.5, 2.0, 1.0),
        Case("exactly at the threshold: v = 0.5, x = 1.5, tau = 2", 0.5, 1.5, 2.0, 1.0),
        Case("another threshold: v = 0.5, x = 1, tau = 4, threshold = 0.6", 0.5, 1.0, 4.0, 0.6),
    ],
    right=_step,
    mistakes=[
        Mistake(
            "The leak is missing: v never falls. The potential moves towards the input, by (x - v) / tau, not by x / tau.",
            like=_without_leak,
        ),
        Mistake(
            "The whole input is added, only the leak is divided by tau. Some libraries do so; here a neuron takes in x / tau.",
            like=_whole_input,
        ),
        Mistake("The reset is missing: after a spike v must be 0.", like=_without_reset),
        Mistake(
            "This is the soft reset, which takes the threshold off. The hard reset asked for puts v to 0.",
            like=_soft,
        ),
        Mistake(
            "A potential that just reaches the threshold fires too: compare with >=, not with >.",
            like=_above,
        ),
        Mistake(
            "The two numbers are the wrong way round: the spike s comes first, then v.",
            like=_swapped,
        ),
    ],
    hints=(
        "Three things happen in a row. The potential moves a part 1/tau of the way from v to x. It is compared with the threshold. If it fired, it is put to 0.",
        "`h = v + (x - v) / tau`, then `s = float(h >= threshold)`, then `return s, h * (1 - s)`.",
    ),
)


def _fires(tau: float) -> int:
    return len(driven(CURRENT, float(tau)).fired)


def _two_spikes(tau: float) -> str | None:
    if not float(tau) >= 1:
        return f"tau = {float(tau):g} is below 1 step: such a neuron would jump beyond its input"
    many = _fires(tau)
    return None if many == 2 else f"tau = {float(tau):g} gives {many} spike{'s' * (many != 1)}"


two_spikes = Exercise(
    "1.2",
    "tau for exactly two spikes",
    minutes=5,
    difficulty=1,
    cases=[Case("your tau under the current above")],
    judge=_two_spikes,
    mistakes=[
        Mistake(
            "A time constant below 1 is no leak: the potential would overshoot the input. 1 / tau is a share, so tau is 1 or more.",
            when=lambda case, tau, expected: tau < 1,
        ),
        Mistake(
            "Too many spikes: this neuron fills too fast. A larger tau takes in a smaller part of the input in each step.",
            when=lambda case, tau, expected: _fires(tau) > 2,
        ),
        Mistake(
            "Too few spikes: this neuron fills too slowly. It does not add up more because it forgets less; it also takes in less.",
            when=lambda case, tau, expected: _fires(tau) < 2,
        ),
    ],
    hints=(
        "Two spikes in eight steps: about how many steps may the neuron need from 0 to its threshold? Try some in the lab.",
        "From 0, after n steps of 1.6 the potential is 1.6 * (1 - (1 - 1/tau)**n). It has to reach 1 at n = 3 or 4, and not before.",
    ),
)
