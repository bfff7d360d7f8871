"""Predictions in which something is marked or chosen: steps, a place on a map, one of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dista.lessons.predictions import Misconception, Prediction
from dista.style.sentences import count, number


class Steps(Prediction):
    """Mark the steps (from 0) at which something happens; ``current`` is drawn above them where it is given."""

    kind = "steps"

    def __init__(
        self,
        question: str,
        truth: Sequence[int],
        *,
        steps: int,
        labels: Sequence[str] | None = None,
        current: Sequence[float] | None = None,
        misconceptions: Sequence[Misconception] = (),
    ) -> None:
        super().__init__(question, misconceptions)
        self.steps, self.labels = steps, list(labels or map(str, range(1, steps + 1)))
        self.current = None if current is None else [float(value) for value in current]
        self.truth, self.start = self.checked(truth), []

    def checked(self, values: Any) -> list[int]:
        marked = sorted({int(step) for step in values})
        if marked and not (marked[0] >= 0 and marked[-1] < self.steps):
            raise ValueError(f"steps {marked}; expected numbers from 0 to {self.steps - 1}")
        return marked

    def score(self, values: list[int]) -> float:
        """A step that is right counts 1, one beside a right one 1/2; over the larger number of steps."""
        most = max(len(values), len(self.truth))
        if not most:
            return 1.0
        exact = set(values) & set(self.truth)
        missed = sorted(set(self.truth) - exact)
        near = 0
        for step in sorted(set(values) - exact):
            beside = [other for other in missed if abs(other - step) == 1]
            if beside:
                missed.remove(beside[0])
                near += 1
        return (len(exact) + near / 2) / most

    def words(self, values: list[int]) -> str:
        if values == self.truth:
            return "You marked every step, and no other."
        many, true = len(values), len(self.truth)
        if not values:
            return f"You marked none; there {'is' if true == 1 else 'are'} {true}."
        if many != true:
            how = "too many" if many > true else "too few"
            return f"{count(many, 'step')} marked, {true} in the run: {how}."
        late = np.mean(values) - np.mean(self.truth)
        return f"As many as in the run, but {'too late' if late > 0 else 'too early' if late < 0 else 'at other steps'}."

    def spec(self) -> dict[str, Any]:
        return {"steps": self.steps, "labels": self.labels, "current": self.current}

    def rows(self, values: list[int] | None) -> tuple[list[str], list[list[str]]]:
        rows = [["the run", self._names(self.truth)]]
        return ["", "steps"], rows if values is None else [["you", self._names(values)], *rows]

    def _names(self, steps: list[int]) -> str:
        return ", ".join(self.labels[step] for step in steps) or "none"


class Pick(Prediction):
    """Pick one place on a map; ``sizes`` (rows, columns) are the run's, the largest is the answer.

    ``image`` (rows, columns), 0..1, is shown behind the places. A score is the size of the place picked between the
    mean and the largest.
    """

    kind = "pick"

    def __init__(
        self,
        question: str,
        sizes: Any,
        *,
        image: Any = None,
        marked: tuple[int, int] | None = None,
        misconceptions: Sequence[Misconception] = (),
    ) -> None:
        super().__init__(question, misconceptions)
        self.sizes = np.asarray(sizes, float)
        self.image = None if image is None else np.asarray(image, float)
        self.marked = marked
        row, column = np.unravel_index(int(self.sizes.argmax()), self.sizes.shape)
        self.truth, self.start = [int(row), int(column)], None

    def checked(self, values: Any) -> list[int]:
        rows, columns = self.sizes.shape
        if values is None or len(values) != 2:
            raise ValueError(f"{values!r} is no place; expected (row, column)")
        place = [int(values[0]), int(values[1])]
        if not (0 <= place[0] < rows and 0 <= place[1] < columns):
            raise ValueError(f"{tuple(place)} is outside of {rows} rows and {columns} columns")
        return place

    def score(self, values: list[int]) -> float:
        mean, most = self.sizes.mean(), self.sizes.max()
        return float((self.sizes[tuple(values)] - mean) / (most - mean)) if most > mean else 0.0

    def words(self, values: list[int]) -> str:
        rank = 1 + int((self.sizes > self.sizes[tuple(values)]).sum())
        if rank == 1:
            return "That is the largest of all."
        return (
            f"Yours is number {rank} of {self.sizes.size}; the largest is in row {self.truth[0] + 1}, "
            f"column {self.truth[1] + 1}."
        )

    def spec(self) -> dict[str, Any]:
        return {
            "shape": list(self.sizes.shape),
            "image": None if self.image is None else self.image.tolist(),
            "marked": self.marked,
        }

    def revealed(self) -> Any:
        spread = self.sizes.max() - self.sizes.min()
        shades = (self.sizes - self.sizes.min()) / spread if spread else np.zeros_like(self.sizes)
        return {"place": self.truth, "sizes": shades.round(4).tolist()}

    def rows(self, values: list[int] | None) -> tuple[list[str], list[list[str]]]:
        places = (
            [("the run", self.truth)]
            if values is None
            else [("you", values), ("the run", self.truth)]
        )
        return ["", "row", "column", "size"], [
            [who, str(r + 1), str(c + 1), number(float(self.sizes[r, c]))] for who, (r, c) in places
        ]


class Choice(Prediction):
    """Choose one of several; ``why`` says of each option what speaks for or against it, in the run's numbers."""

    kind = "choice"

    def __init__(
        self,
        question: str,
        truth: str,
        *,
        options: Sequence[str],
        why: Mapping[str, str] | None = None,
        credit: Mapping[str, float] | None = None,
        misconceptions: Sequence[Misconception] = (),
    ) -> None:
        super().__init__(question, misconceptions)
        self.options, self.why, self.credit = list(options), dict(why or {}), dict(credit or {})
        self.truth, self.start = self.checked(truth), None

    def checked(self, values: Any) -> str:
        if values not in self.options:
            raise ValueError(f"{values!r}; expected one of {', '.join(map(repr, self.options))}")
        return str(values)

    def score(self, values: str) -> float:
        return 1.0 if values == self.truth else float(self.credit.get(values, 0.0))

    def words(self, values: str) -> str:
        why = self.why.get(values, "")
        if values == self.truth:
            return f"The run says so as well. {why}".strip()
        true = self.why.get(self.truth, "")
        return " ".join(part for part in (f"The run says: {self.truth}.", true, why) if part)

    def spec(self) -> dict[str, Any]:
        return {"options": self.options}

    def rows(self, values: str | None) -> tuple[list[str], list[list[str]]]:
        rows = [["the run", self.truth]]
        return ["", "answer"], rows if values is None else [["you", values], *rows]
