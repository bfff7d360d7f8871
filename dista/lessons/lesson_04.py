"""Lesson 4, what is attention without a softmax: its exercises, and what to think of wrong answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from einops import rearrange

from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception


def _spikes(seed: int, *shape: int, rate: float = 0.3) -> np.ndarray:
    """Spikes as a recording holds them: booleans."""
    return np.random.default_rng(seed).random(shape) < rate


# --- 4.1: the scores -------------------------------------------------------------------------------


def _in_heads(spikes: Any, heads: int, order: str = "(head dim)") -> np.ndarray:
    """Spikes (channel, row, column) as those of each head: (head, token, dim)."""
    return rearrange(
        np.asarray(spikes, float), f"{order} row column -> head (row column) dim", head=heads
    )


def _scores(query: Any, key: Any, heads: int) -> np.ndarray:
    return _in_heads(query, heads) @ _in_heads(key, heads).swapaxes(-1, -2)


def _wrong_channels(query: Any, key: Any, heads: int) -> Any:
    q, k = (_in_heads(part, heads, "(dim head)") for part in (query, key))
    return q @ k.swapaxes(-1, -2)


def _boolean(query: Any, key: Any, heads: int) -> Any:
    return _scores(query, key, heads) > 0


def _scaled(query: Any, key: Any, heads: int) -> Any:
    return _scores(query, key, heads) / np.sqrt(len(query) // heads)


def _softmax(query: Any, key: Any, heads: int) -> Any:
    powers = np.exp(_scores(query, key, heads))
    return powers / powers.sum(-1, keepdims=True)


def _scaled_softmax(query: Any, key: Any, heads: int) -> Any:
    powers = np.exp(_scaled(query, key, heads))
    return powers / powers.sum(-1, keepdims=True)


scores = Exercise(
    "4.1",
    "the scores, in three lines",
    minutes=10,
    difficulty=2,
    cases=[
        Case("one head", _spikes(1, 5, 2, 3), _spikes(2, 5, 2, 3), 1),
        Case("three heads of 4 channels", _spikes(3, 12, 2, 3), _spikes(4, 12, 2, 3), 3),
        Case("patches that all fire", np.ones((4, 1, 2), bool), np.ones((4, 1, 2), bool), 2),
    ],
    right=_scores,
    mistakes=[
        Mistake(
            "Spikes are booleans here, and the product of booleans says only *whether* two patches fired together. "
            "Make them numbers first, to count how often: `.astype(int)`.",
            like=_boolean,
        ),
        Mistake(
            "You divided by the square root of the channels, as ordinary transformers do. Here an entry is a plain count.",
            like=_scaled,
        ),
        Mistake("There is no softmax here: a row need not sum to 1.", like=_softmax),
        Mistake(
            "There is no softmax here, and no division: a row need not sum to 1.",
            like=_scaled_softmax,
        ),
        Mistake(
            "Queries and keys have changed places: rows are queries, columns are keys.",
            like=lambda query, key, heads: _scores(key, query, heads),
        ),
        Mistake(
            "The heads have the wrong channels. The first head has the *first* channels, all in a row: `(head dim)`, not `(dim head)`.",
            like=_wrong_channels,
        ),
        Mistake(
            "The heads were added up. Each head has a map of its own.",
            when=lambda case, answer, expected: np.shape(answer) == expected.shape[1:],
        ),
    ],
    hints=(
        "Give each head its channels, and put all patches in one row: (head, token, dim). Then an entry is a sum over the channels of products of two numbers that are 0 or 1.",
        '`rearrange(spikes.astype(int), "(head dim) row column -> head (row column) dim", head=heads)` for both, then `q @ k.swapaxes(-1, -2)`.',
    ),
)


# --- 4.2: the chance level -------------------------------------------------------------------------


def _chance(query: Any, key: Any) -> np.ndarray:
    q, k = np.asarray(query, float), np.asarray(key, float)
    return np.outer(q.sum(1), k.sum(1)) / q.shape[1]


def _one_rate(query: Any, key: Any) -> Any:
    q, k = np.asarray(query, float), np.asarray(key, float)
    return np.full((len(q), len(k)), q.shape[1] * q.mean() * k.mean())


def _probability(query: Any, key: Any) -> Any:
    return _chance(query, key) / np.shape(query)[1]


def _undivided(query: Any, key: Any) -> Any:
    return _chance(query, key) * np.shape(query)[1]


def _counted(query: Any, key: Any) -> Any:
    return np.asarray(query, float) @ np.asarray(key, float).T


chance_level = Exercise(
    "4.2",
    "the chance level of an entry",
    minutes=10,
    difficulty=2,
    cases=[
        Case("4 patches, 16 channels", _spikes(5, 4, 16), _spikes(6, 4, 16)),
        Case("busy queries, quiet keys", _spikes(7, 3, 8, rate=0.8), _spikes(8, 5, 8, rate=0.2)),
        Case("keys that never fire", _spikes(9, 3, 8), np.zeros((2, 8), bool)),
    ],
    right=_chance,
    mistakes=[
        Mistake(
            "All entries are the same: you took one rate for all patches. A patch that fires much coincides more by chance, so count the spikes of each patch.",
            like=_one_rate,
        ),
        Mistake(
            "This is the chance that *one* channel coincides. An entry counts over all d channels.",
            like=_probability,
        ),
        Mistake(
            "n_i n_j is too much: that would be the number of pairs of spikes, in whatever channels. Only one pair in d is in the same channel.",
            like=_undivided,
        ),
        Mistake(
            "These are the counts themselves. The chance level uses only how many channels each patch fires, not which.",
            like=_counted,
        ),
    ],
    hints=(
        "Query patch i fires n_i of d channels, key patch j fires n_j. Draw the channels of the key anew: each of its spikes falls on a channel of the query with the chance n_i / d. How many do so?",
        "`np.outer(query.sum(1), key.sum(1)) / query.shape[1]`",
    ),
)


# --- predictions ------------------------------------------------------------------------------------


def stroke_or_corner(image: Any) -> list[Misconception]:
    """What a pick on the digit's stroke may mean; ``image`` (row, column) is the digit that is shown."""
    ink = np.asarray(image, float)

    def on_stroke(values: list[int], truth: list[int]) -> bool:
        share = ink.shape[0] // 7, ink.shape[1] // 7
        patch = ink[values[0] * share[0] :, values[1] * share[1] :][: share[0], : share[1]]
        return bool(patch.mean() > 0.1)

    return [
        Misconception(
            "You chose a patch with ink. It is attended *to*, as its keys fire. To attend is the work of the queries, "
            "and nothing makes those of an empty patch silent: they can look for ink elsewhere.",
            when=on_stroke,
        ),
        Misconception(
            "With a softmax every patch would pay the same. Here a row is as large as its query fires, and some patches pay much more.",
            when=lambda values, truth: True,
        ),
    ]


SHARES = [
    Misconception(
        "You expected little from chance. But counts are never negative, so nothing cancels: spikes at these rates coincide, whether they mean something or not.",
        when=lambda values, truth: float(np.mean(values)) < float(np.mean(truth)) - 0.1,
    ),
    Misconception(
        "A network that has learned nothing can have no more coincidences than by chance, on the whole. That is the control: about 100 %.",
        when=lambda values, truth: min(values[:2]) < 0.8,
    ),
]
"""What shares of chance may mean that were predicted too small."""
