"""Predictions: what a reader expects, scored against the run, and answered in words that depend on the error.

Scores are skill scores, as forecasts have them: 1 is the run's own result, 0 is the position in which the widget
starts (or worse). Why not a library: wigglystuff 0.5 has lists to sort and curves to bend, but nothing in it compares
with a truth that stays hidden until the reader has decided, and its list is sorted with a mouse alone; jupyterquiz
knows choices, numbers and words, and loads its mathematics from a server.

A prediction is plain Python. ``dista.widgets.predict`` shows one; where no widget runs, ``answer`` does the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from dista.lessons.page import Line, page, table, text

GOOD = 0.85
"""From this score on an answer counts as right."""


@dataclass(frozen=True)
class Misconception:
    """Words for one way to be wrong: said where ``when(values, truth)`` is true and the prediction is not right."""

    words: str
    when: Callable[[Any, Any], bool]


@dataclass(frozen=True)
class Answer:
    """A prediction beside the truth: ``score`` in 0..1, ``words`` on how it was wrong, ``misconception`` or None."""

    prediction: Prediction
    values: Any
    score: float
    words: str
    misconception: str | None = None

    @property
    def right(self) -> bool:
        return self.score >= GOOD

    @property
    def points(self) -> str:
        return f"{round(100 * self.score)} of 100"

    @property
    def lines(self) -> list[Line]:
        lines = [Line("right" if self.right else "wrong", f"{self.points}. {self.words}")]
        return lines if self.misconception is None else [*lines, Line("open", self.misconception)]

    def __repr__(self) -> str:
        return text(self.prediction.question, self.lines)

    def _repr_html_(self) -> str:
        return page(self.prediction.question, self.lines, extra=self.prediction.beside(self.values))


class Prediction(ABC):
    """A question whose answer the run knows; the last answer of the reader is in ``last``.

    ``kind`` names the widget, ``start`` the position in which it begins (None: nothing is chosen yet), ``truth``
    the run's result in the form of an answer.
    """

    kind: ClassVar[str]
    start: Any
    truth: Any

    def __init__(self, question: str, misconceptions: Sequence[Misconception] = ()) -> None:
        self.question, self.misconceptions = question, tuple(misconceptions)
        self.last: Answer | None = None

    @abstractmethod
    def checked(self, values: Any) -> Any:
        """``values`` in the form of the kind; ValueError in a sentence for others."""

    @abstractmethod
    def score(self, values: Any) -> float:
        """0..1."""

    @abstractmethod
    def words(self, values: Any) -> str:
        """How the values differ from the truth."""

    @abstractmethod
    def spec(self) -> dict[str, Any]:
        """What the widget draws before the answer: no truth in it."""

    @abstractmethod
    def rows(self, values: Any) -> tuple[list[str], list[list[str]]]:
        """Head and rows of the table of prediction and truth."""

    def answer(self, values: Any) -> Answer:
        """Score ``values``, and keep the answer in ``last``; ValueError where they do not fit the question."""
        values = self.checked(values)
        score = float(np.clip(self.score(values), 0, 1))
        wrong = [
            m.words for m in self.misconceptions if score < GOOD and m.when(values, self.truth)
        ]
        self.last = Answer(self, values, score, self.words(values), wrong[0] if wrong else None)
        return self.last

    @property
    def said(self) -> str:
        """The last answer for a summary: ``61 of 100``, or that there was none."""
        return self.last.points if self.last else "none yet"

    def beside(self, values: Any) -> str:
        """Prediction and truth as an HTML table."""
        return table(*self.rows(values))

    def revealed(self) -> Any:
        """What the widget draws beside the prediction once it was made."""
        return self.truth

    def __repr__(self) -> str:
        return f"{self.question}\nPredict with .answer(...), for example .answer({self.start!r})"

    def _repr_html_(self) -> str:
        """Where no widget runs: the question, and the run's result on request."""
        head, rows = self.rows(None)
        inside = f"<details><summary>What the run says</summary>{table(head, rows)}</details>"
        return page(self.question, [Line("open", "Decide first, then open.")], extra=inside)


def skill(error: float, of_start: float, floor: float) -> float:
    """1 without error, 0 with that of the starting position; ``floor`` keeps a small one from dividing."""
    return 1 - error / max(of_start, floor)


def numbers_of(values: Any, many: int, what: str) -> list[float]:
    """``values`` as numbers; ValueError where there are not ``many``, or not all are finite."""
    numbers = [float(value) for value in values]
    if len(numbers) != many or not np.isfinite(numbers).all():
        raise ValueError(f"{len(numbers)} {what}; expected {many} finite numbers")
    return numbers
