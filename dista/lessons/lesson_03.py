"""Lesson 3, how does a picture become spikes: its exercises, and what to think of wrong answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from dista.data import framing
from dista.data.camera import EVENT_TYPE
from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception

DURATION = 1000
"""Microseconds of the recordings that the first exercise is tried on."""


def _events(*rows: tuple[int, int, int, int]) -> np.ndarray:
    return np.array(list(rows), EVENT_TYPE)


def _many(seed: int, first: int = 0) -> np.ndarray:
    """200 events on 4 x 6 pixels, ordered by time."""
    random = np.random.default_rng(seed)
    events = np.zeros(200, EVENT_TYPE)
    events["x"], events["y"] = random.integers(6, size=200), random.integers(4, size=200)
    events["t"] = np.sort(random.integers(first, DURATION, size=200))
    events["p"] = random.integers(2, size=200)
    return events


# --- 3.1: from events to frames ---------------------------------------------------------------------


def _binned(
    events: Any, steps: int, size: tuple[int, int], duration: int, *, late: bool = False
) -> np.ndarray:
    """Frames by the rule of the exercise; ``late`` bins begin with the first event and end with the last."""
    first, span = (events["t"][0], np.ptp(events["t"]) + 1) if late else (0, duration)
    frames = np.zeros((steps, 2, *size))
    step = (events["t"] - first) * steps // span
    np.add.at(frames, (step, events["p"], events["y"], events["x"]), 1)
    return frames


def _once(events: Any, steps: int, size: tuple[int, int], duration: int) -> np.ndarray:
    return np.minimum(_binned(events, steps, size, duration), 1)


def _on_first(events: Any, steps: int, size: tuple[int, int], duration: int) -> np.ndarray:
    return _binned(events, steps, size, duration)[:, ::-1]


def _across(events: Any, steps: int, size: tuple[int, int], duration: int) -> np.ndarray:
    return _binned(events, steps, size, duration).swapaxes(2, 3)


def _late(events: Any, steps: int, size: tuple[int, int], duration: int) -> np.ndarray:
    return _binned(events, steps, size, duration, late=True)


def _unsigned(events: Any, steps: int, size: tuple[int, int], duration: int) -> np.ndarray:
    return _binned(events, steps, size, duration).sum(1)


frames = Exercise(
    "3.1",
    "from events to frames",
    minutes=15,
    difficulty=2,
    cases=[
        Case(
            "4 events, two of them in the same cell",
            _events((1, 0, 10, 1), (1, 0, 20, 1), (2, 3, 400, 0), (5, 1, 999, 1)), 2, (4, 6), DURATION,
        ),
        Case("200 events in 5 steps", _many(1), 5, (4, 6), DURATION),
        Case("200 events that begin late, in 4 steps", _many(2, first=600), 4, (4, 6), DURATION),
    ],
    right=framing.frames,
    mistakes=[
        Mistake(
            "Events of the same cell are counted once. `frames[places] += 1` looks at each place once, however often it stands there: use `np.add.at(frames, places, 1)`.",
            like=_once,
        ),
        Mistake("ON comes first in your frames. OFF is 0 and ON is 1, as in the events.", like=_on_first),
        Mistake("Rows and columns have changed places: y is the row, x the column.", like=_across),
        Mistake(
            "Your bins run from the first event to the last. They have to cover the time from 0 to `duration`, or recordings cannot be compared.",
            like=_late,
        ),
        Mistake("ON and OFF are added up. They have a frame each.", like=_unsigned),
    ],
    hints=(
        "Four numbers say in which cell an event falls: its step, its polarity, its row, its column. Compute the step of all events at once, as whole numbers. Then count.",
        '`step = events["t"] * steps // duration`, then `np.add.at(frames, (step, events["p"], events["y"], events["x"]), 1)` on `np.zeros((steps, 2, *size))`.',
    ),
)  # fmt: skip


# --- 3.2: polarity ----------------------------------------------------------------------------------


def _polarity(p: Any) -> np.ndarray:
    return (np.asarray(p) > 0).astype(int)


polarity = Exercise(
    "3.2",
    "the polarity bug",
    minutes=5,
    difficulty=1,
    cases=[
        Case("a file with 0 and 1", np.array([0, 1, 1, 0, 1])),
        Case("a file with -1 and 1", np.array([-1, 1, 1, -1, 1])),
        Case("a file with False and True", np.array([False, True, False])),
        Case("a file with 0.0 and 1.0", np.array([0.0, 1.0, 1.0])),
    ],
    right=_polarity,
    mistakes=[
        Mistake(
            "A -1 became 1. As a truth value it is True, as all numbers but 0 are; and without its sign it is 1. So every event of such a file is ON. This is the bug of the file above.",
            like=lambda p: np.asarray(p).astype(bool).astype(int),
        ),
        Mistake(
            "This is right for -1 and 1. In a file of 0 and 1 it makes OFF events 0.5, or the wrong whole number.",
            when=lambda case, answer, expected: (
                np.allclose(answer, (np.asarray(case.arguments[0], float) + 1) / 2)
                or np.allclose(answer, (np.asarray(case.arguments[0], float) + 1) // 2)
            ),
        ),
        Mistake(
            "ON and OFF are the wrong way round: 1 is ON, brighter.",
            like=lambda p: 1 - _polarity(p),
        ),
        Mistake(
            "A -1 is left in your answer. OFF has to be 0, whatever the file calls it.",
            when=lambda case, answer, expected: np.min(answer) < 0,
        ),
    ],
    hints=(
        "In all three conventions one thing is true of ON and of no OFF. Which comparison says it?",
        "`(p > 0).astype(int)`",
    ),
)


# --- predictions ------------------------------------------------------------------------------------

FRONT, BACK = "at its right edge, in front", "at its left edge, behind"
BOTH = "at both edges"

EDGE = [
    Misconception(
        "ON does not mean that something arrives. It means that a pixel becomes brighter. In front of a dark bar it becomes darker.",
        when=lambda values, truth: values == FRONT,
    ),
    Misconception(
        "At both edges there are events, but not of the same polarity: one edge uncovers the bright ground, the other covers it.",
        when=lambda values, truth: values == BOTH,
    ),
]

EYES = [
    Misconception(
        "You drew about as many events in each step. But the camera starts and stops three times: where it rests, nothing changes, and a camera of changes sees nothing.",
        when=lambda values, truth: float(np.std(values)) < 0.5 * float(np.std(truth)),
    ),
    Misconception(
        "You let the events die away. The digit does not fade; what counts is how fast the picture moves, and it moves three times alike.",
        when=lambda values, truth: values[0] > 2 * values[-1],
    ),
]

SIGNS = [
    Misconception(
        "You expected the network not to care for the polarity. It has learned which polarity an edge has when the camera moves this way; with the wrong one the same digit looks unlike any that it has seen.",
        when=lambda values, truth: values[0] > truth[0] + 0.15,
    ),
    Misconception(
        "You expected a guess, 10 %. The places of the events say more than you thought.",
        when=lambda values, truth: min(values) < 0.2 < min(truth),
    ),
    Misconception(
        "To lose the polarity and to swap it are two things. Look which one costs more.",
        when=lambda values, truth: (values[0] - values[1]) * (truth[0] - truth[1]) < 0,
    ),
]
