"""Lesson 6, what does explicit memory add: its exercises, and what to think of wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception

Network = Callable[[np.ndarray], np.ndarray]


def _spikes(seed: int, *shape: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(shape) < 0.4).astype(int)


# --- 6.1: windowed scores ---------------------------------------------------------------------------


def _maps(q: Any, k: Any, reaches: Callable[[int], bool]) -> dict[tuple[int, int], np.ndarray]:
    """The map of each pair of steps whose lag ``reaches``."""
    steps = range(len(q))
    return {(t, m): q[t] @ k[m].T for t in steps for m in steps if reaches(t - m)}


def _windowed(q: Any, k: Any, window: int) -> dict[tuple[int, int], np.ndarray]:
    return _maps(q, k, lambda lag: 0 <= lag < window)


windowed_scores = Exercise(
    "6.1",
    "windowed scores",
    minutes=10,
    difficulty=2,
    cases=[
        Case("window 1, 4 steps", _spikes(1, 4, 3, 6), _spikes(2, 4, 3, 6), 1),
        Case("window 3, 5 steps", _spikes(3, 5, 2, 4), _spikes(4, 5, 2, 4), 3),
        Case("a window longer than the 3 steps", _spikes(5, 3, 2, 4), _spikes(6, 3, 2, 4), 8),
    ],
    right=_windowed,
    mistakes=[
        Mistake(
            "The steps of a pair are the wrong way round: the step of the query comes first, (t, m).",
            like=lambda q, k, window: {(m, t): a for (t, m), a in _windowed(q, k, window).items()},
        ),
        Mistake(
            "Among your pairs is a query that sees a key of the future: m is larger than t. The lag t - m must be 0 or more.",
            when=lambda case, answer, expected: any(m > t for t, m in answer),
        ),
        Mistake(
            "Your window is one step too long. A window of W reaches W steps, and the current one is among them: t - m < W.",
            like=lambda q, k, window: _maps(q, k, lambda lag: 0 <= lag <= window),
        ),
        Mistake(
            "The current step is missing. A query meets the keys of its own step as well: the lag may be 0.",
            when=lambda case, answer, expected: all(m < t for t, m in answer),
        ),
        Mistake(
            "Rows and columns have changed places: rows are the patches of the query, Q[t] K[m] transposed.",
            like=lambda q, k, window: {pair: a.T for pair, a in _windowed(q, k, window).items()},
        ),
        Mistake(
            "Query and key are of the same step in your maps. The key is that of step m: `k[m]`.",
            like=lambda q, k, window: {(t, m): q[t] @ k[t].T for t, m in _windowed(q, k, window)},
        ),
        Mistake(
            "Some pairs are missing. Every t reaches back to the smaller of W - 1 steps and the first step.",
            when=lambda case, answer, expected: set(answer) < set(expected),
        ),
    ],
    hints=(
        "Go through all query steps t, and for each through the key steps m from t - W + 1 (or 0, if that is before the first) to t.",
        "`{(t, m): q[t] @ k[m].T for t in range(len(q)) for m in range(len(k)) if 0 <= t - m < window}`",
    ),
)


# --- 6.2: nothing looks ahead -----------------------------------------------------------------------


def running_mean(x: np.ndarray) -> np.ndarray:
    """A causal network: the mean of all steps so far."""
    return np.cumsum(x, 0) / np.arange(1, len(x) + 1).reshape(-1, *[1] * (x.ndim - 1))


def centred_mean(x: np.ndarray) -> np.ndarray:
    """One that looks a single step ahead: the mean of the step before, the own and the next."""
    padded = np.concatenate([x[:1], x, x[-1:]])
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3


def centred(x: np.ndarray) -> np.ndarray:
    """One that takes off the mean of all steps, later ones as well."""
    return x - x.mean(0)


def last_to_third(x: np.ndarray) -> np.ndarray:
    """One whose third step alone sees the last one."""
    y = x.copy()
    y[2] = y[2] + x[-1]
    return y


def same(x: np.ndarray) -> np.ndarray:
    """One that passes each step on."""
    return x


def _frames(blank_end: bool = False) -> np.ndarray:
    x = np.random.default_rng(7).random((6, 2, 3))
    if blank_end:
        x[-1] = 0
    return x


def _looks_ahead(network: Network, x: np.ndarray) -> bool:
    before = network(x)
    for step in range(1, len(x)):
        changed = x.copy()
        changed[step] += 1
        if not np.allclose(network(changed)[:step], before[:step]):
            return True
    return False


def _whole_output(network: Network, x: np.ndarray) -> bool:
    changed = x.copy()
    changed[-1] += 1
    return not np.allclose(network(changed), network(x))


def _first_step_alone(network: Network, x: np.ndarray) -> bool:
    changed = x.copy()
    changed[-1] += 1
    return not np.allclose(network(changed)[0], network(x)[0])


def _last_step_alone(network: Network, x: np.ndarray) -> bool:
    changed = x.copy()
    changed[-1] += 1
    return not np.allclose(network(changed)[:-1], network(x)[:-1])


def _blanked(network: Network, x: np.ndarray) -> bool:
    changed = x.copy()
    changed[-1] = 0
    return not np.allclose(network(changed)[:-1], network(x)[:-1])


def second_peeks(x: np.ndarray) -> np.ndarray:
    """One whose first step sees the second; no other looks ahead."""
    y = x.copy()
    y[0] = y[0] + x[1]
    return y


looks_ahead = Exercise(
    "6.2",
    "does anything look ahead?",
    minutes=15,
    difficulty=3,
    cases=[
        Case("a network that passes each step on", same, _frames()),
        Case("a running mean of the past", running_mean, _frames()),
        Case("a mean over the step before, the own and the next", centred_mean, _frames()),
        Case(
            "a network that takes off the mean of all steps, of frames with a blank end",
            centred,
            _frames(blank_end=True),
        ),
        Case("a network whose third step alone sees the last one", last_to_third, _frames()),
        Case("a network whose first step alone sees the second", second_peeks, _frames()),
    ],
    right=_looks_ahead,
    mistakes=[
        Mistake(
            "You compare the changed step, and those after it, as well. They may change: that is memory. Only steps *before* the change must stay.",
            like=_whole_output,
        ),
        Mistake(
            "You look at the first step alone. A network may look a few steps ahead: compare every step before the change.",
            like=_first_step_alone,
        ),
        Mistake(
            "A blank step made blank is no change, so it shows nothing; and only one step was tried. Add something to each step in turn.",
            like=_blanked,
        ),
        Mistake(
            "You change the last step alone. One that looks from step 1 to step 2 is not seen by that: change each step in turn.",
            like=_last_step_alone,
        ),
        Mistake(
            "Your answer is the wrong way round: `True` is for a network that looks ahead.",
            like=lambda network, x: not _looks_ahead(network, x),
        ),
        Mistake(
            "Your function gives the same answer for every network, so it has proved nothing.",
            like=lambda network, x: False,
        ),
    ],
    hints=(
        "Change the input of one step, and see whether an output of an *earlier* step moves. Do it for every step. Copy the frames first.",
        "`for step in range(1, len(frames))`: `changed = frames.copy()`, `changed[step] += 1`, then compare `network(changed)[:step]` with `network(frames)[:step]` by `np.allclose`.",
    ),
)


# --- predictions ------------------------------------------------------------------------------------

PROBE = [
    Misconception(
        "You expected the probe to look at itself. Its own step is one of many that it reaches, and in this network keys of the cue fire more than those of the noise.",
        when=lambda values, truth: values[-1] > truth[-1] + 0.15,
    ),
    Misconception(
        "You gave the two cue steps the same. Membranes need a step to charge, so at step 1 few keys fire.",
        when=lambda values, truth: abs(values[0] - values[1]) < 0.3 * abs(truth[0] - truth[1]),
    ),
    Misconception(
        "You gave the delay too much. Nothing is shown there but noise, and keys that do not fire cannot be attended to.",
        when=lambda values, truth: sum(values[2:6]) > sum(truth[2:6]) + 0.1,
    ),
]
"""What shares of the probe's attention may mean that are not the run's."""

WINDOW = [
    Misconception(
        "You drew a network that does well with a short window. Membranes carry something of the cue too; but this network was trained with both memories, and fails with one.",
        when=lambda values, truth: values[0] > truth[0] + 0.15,
    ),
    Misconception(
        "You waited until the window reaches the cue, six steps back. But every block has this window: the first block passes on what it saw, and the second looks back from there. Two blocks reach twice as far.",
        when=lambda values, truth: values[3] < truth[3] - 0.1,
    ),
    Misconception(
        "You drew a rise from the first step on. With two steps the way back to the cue is too long, even in two leaps.",
        when=lambda values, truth: values[1] > truth[1] + 0.1,
    ),
]
"""What curves of accuracy against the window may mean that are not the run's."""
