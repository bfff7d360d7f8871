"""Lesson 7, does denoising help: its exercises, and what to think of wrong answers."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception

# --- 7.1: a threshold chosen on other samples ---------------------------------------------------------

Right = Mapping[int, Any]


def _best(right: Right) -> int:
    """The u with the most right answers, the smallest of several."""
    return max(sorted(right), key=lambda u: np.mean(right[u]))


def _by_validation(validation: Right, test: Right) -> tuple[int, float]:
    u = _best(validation)
    return u, float(np.mean(test[u]))


def _on_test(validation: Right, test: Right) -> tuple[int, float]:
    return _by_validation(test, test)


def _reported_from_validation(validation: Right, test: Right) -> tuple[int, float]:
    return _by_validation(validation, validation)


def _largest_of_equals(validation: Right, test: Right) -> tuple[int, float]:
    u = max(validation, key=lambda u: (np.mean(validation[u]), u))
    return u, float(np.mean(test[u]))


def _on_both(validation: Right, test: Right) -> tuple[int, float]:
    both = {u: np.concatenate([validation[u], test[u]]) for u in validation}
    return _best(both), float(np.mean(test[_best(both)]))


def _answers(*rows: str) -> dict[int, np.ndarray]:
    """What is right with u = 0, 1, ...: a digit 1 for each right answer."""
    return {u: np.array([digit == "1" for digit in row]) for u, row in enumerate(rows)}


best_u = Exercise(
    "7.1",
    "the best u, on other samples",
    minutes=8,
    difficulty=1,
    cases=[
        Case(
            "u = 2 wins on validation, u = 0 on test",
            _answers("110000", "111000", "111100"), _answers("11111111", "11100000", "11110000"),
        ),
        Case(
            "u = 1 and u = 3 are equally good on validation",
            _answers("100000", "111000", "110000", "111000"), _answers("1110", "1100", "1111", "1000"),
        ),
        Case(
            "each part of the samples has another best",
            _answers("1111000000", "1111111000", "1111110000"), _answers("1111", "1000", "1110"),
        ),
        Case("no denoiser wins", _answers("1111", "1110"), _answers("11110", "11110")),
    ],
    right=_by_validation,
    mistakes=[
        Mistake(
            "You chose u by the test samples, and report its accuracy on the same samples. The best of several is partly luck, so this number is too good. Choose on validation.",
            like=_on_test,
        ),
        Mistake(
            "Your u is right, but the accuracy is that of the validation samples, on which it was chosen. Report that of the test samples.",
            like=_reported_from_validation,
        ),
        Mistake(
            "You put validation and test samples together for the choice. Then no sample is left that had no say in it.",
            like=_on_both,
        ),
        Mistake(
            "Two u are equally good, and you took the larger. Take the smaller: it removes less.",
            like=_largest_of_equals,
        ),
        Mistake(
            "Return both: the chosen u, and its accuracy on the test samples.",
            when=lambda case, answer, expected: np.size(answer) == 1,
        ),
    ],
    hints=(
        "Two steps. Which u has the most right answers in `validation`? What part of `test` is right with this u?",
        "`u = max(sorted(validation), key=lambda u: np.mean(validation[u]))`, then `np.mean(test[u])`. `max` keeps the first of equals.",
    ),
)  # fmt: skip


# --- 7.2: a table that beats the threshold ----------------------------------------------------------

LEVEL = 0.15
"""The standard deviation of the Gaussian noise, which costs ``digits`` a good part of its answers."""

DIGITS = 40
"""Validation digits that the check answers."""

COUNTS = 17
"""Counts of a head with 16 channels: 0 to 16."""

SOFT = [max(0, count - 2) for count in range(COUNTS)]
"""A soft threshold: every count is made smaller by 2, and none negative."""


@functools.cache
def _network() -> Any:
    from dista.checkpoint import load

    return load("digits")


@functools.cache
def _right(table: tuple[float, ...]) -> int:
    """How many of the noisy validation digits are answered right with this table."""
    from dista.data import open as open_task
    from dista.experiments.corruption import Noise
    from dista.experiments.evaluation import answer
    from dista.experiments.interventions import intervene, lookup

    validation, noise = open_task("digits").validation, Noise("gaussian", LEVEL)
    with intervene(_network(), {"blocks.*.attention.denoise": lookup(table)}):
        return int(answer(_network(), validation, range(DIGITS), noise=noise).correct.sum())


def _threshold(u: float) -> tuple[float, ...]:
    return tuple(float(count) if count > u else 0.0 for count in range(COUNTS))


def _beats(answer: Any) -> str | None:
    table = tuple(float(value) for value in answer)
    if len(table) != COUNTS:
        return (
            f"the table has {len(table)} values; counts are 0 to {COUNTS - 1}, so it needs {COUNTS}"
        )
    if not all(map(math.isfinite, table)):
        return "some values of the table are no finite numbers"
    trained = _right(_threshold(1))
    if table == _threshold(1):
        return f"it answers {trained} of {DIGITS} noisy digits right, as the threshold u = 1 does"
    mine = _right(table)
    if mine > trained:
        return None
    return f"with your table {mine} of {DIGITS} noisy digits are right, with the threshold u = 1 {trained}"


def _values(answer: Any) -> np.ndarray:
    return np.array([float(value) for value in answer])


my_table = Exercise(
    "7.2",
    "a table that beats the threshold",
    minutes=12,
    difficulty=2,
    cases=[Case("your table")],
    judge=_beats,
    mistakes=[
        Mistake(
            f"One value is missing or too many. A query and a key of 16 channels coincide 0 to 16 times: that makes {COUNTS} counts.",
            when=lambda case, answer, expected: len(answer) != COUNTS,
        ),
        Mistake(
            "This is the threshold u = 1 itself, with which the network was trained. Change at least one value that occurs often: the small counts.",
            when=lambda case, answer, expected: tuple(_values(answer)) == _threshold(1),
        ),
        Mistake(
            "Your table keeps small counts as they are: that is no denoiser, or hardly one. Noise makes many counts of 1 and 2. Make those smaller.",
            when=lambda case, answer, expected: bool((_values(answer)[1:3] >= (1, 2)).all()),
        ),
        Mistake(
            "Your table gives counts of 4 and 5 nothing, and they carry the signal. Too much is removed. Keep something of them.",
            when=lambda case, answer, expected: not _values(answer)[4:6].any(),
        ),
        Mistake(
            "Your table falls: a larger count gets less than a smaller one. Many coincidences are the better evidence.",
            when=lambda case, answer, expected: bool((np.diff(_values(answer)) < 0).any()),
        ),
    ],
    hints=(
        "Which u was best under noise? A threshold keeps 3 as 3 and makes 2 to 0: a jump. A table can do this smoothly.",
        "`my_table = [max(0, count - 2) for count in range(17)]` makes every count smaller by 2.",
    ),
)


# --- predictions ------------------------------------------------------------------------------------

THREE = [
    Misconception(
        "You drew u = 3 below u = 1 everywhere. Without noise it does remove too much. Under noise what it removes costs the network less than keeping it would.",
        when=lambda values, truth: (
            values[-2] < truth[-2] - 0.15 and truth[-2] > 0.3 and values[0] < truth[0] + 0.1
        ),
    ),
    Misconception(
        "You expected a large loss without any noise. Here counts of 2 and 3 carry little that others do not carry as well.",
        when=lambda values, truth: values[0] < truth[0] - 0.1,
    ),
    Misconception(
        "You drew a denoiser that makes the network immune. It cleans the attention maps alone. The values, the residual path and the MLPs get the noise as before.",
        when=lambda values, truth: values[-1] > truth[-1] + 0.15,
    ),
]
"""What curves of accuracy against noise with u = 3 may mean that are not the run's."""
