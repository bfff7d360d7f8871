"""Predictions of sizes: bars, a curve, and the order of names by a size."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dista.lessons.predictions import GOOD, Misconception, Prediction, numbers_of, skill
from dista.style.sentences import count, number


class _Sized(Prediction):
    """What bars and curves have in common: a unit, "%" for shares of one."""

    unit: str

    def size(self, value: float) -> str:
        return (
            f"{100 * value:.0f} %" if self.unit == "%" else f"{number(value)} {self.unit}".strip()
        )


class Bars(_Sized):
    """Drag bars to sizes from 0 to ``top``; ``total`` where they are shares of one whole (the widget keeps the sum).

    ``start`` is where the bars begin: all alike unless it is given.
    """

    kind = "bars"

    def __init__(
        self,
        question: str,
        truth: Sequence[float],
        *,
        labels: Sequence[str],
        top: float | None = None,
        total: float | None = None,
        unit: str = "",
        start: Sequence[float] | None = None,
        misconceptions: Sequence[Misconception] = (),
    ) -> None:
        super().__init__(question, misconceptions)
        self.labels, self.unit, self.total = list(labels), unit, total
        self.top = float(top if top is not None else total if total is not None else max(truth))
        self.truth = self.checked(truth)
        even = self.top / 2 if total is None else total / len(self.labels)
        self.start = self.checked(start if start is not None else [even] * len(self.labels))

    def checked(self, values: Any) -> list[float]:
        return numbers_of(values, len(self.labels), "bars")

    def shares(self, values: Sequence[float]) -> np.ndarray:
        """The bars as they are compared: of one whole where there is a total."""
        sizes = np.asarray(values, float)
        whole = sizes.sum()
        return sizes * (self.total / whole) if self.total is not None and whole > 0 else sizes

    def score(self, values: list[float]) -> float:
        error, start = (
            float(np.abs(self.shares(v) - self.shares(self.truth)).mean())
            for v in (values, self.start)
        )
        return skill(error, start, 0.02 * self.top)

    def words(self, values: list[float]) -> str:
        off = self.shares(values) - self.shares(self.truth)
        worst = int(np.abs(off).argmax())
        if self.score(values) >= GOOD:
            return "Close to the run in all bars."
        side = "high" if off[worst] > 0 else "low"
        mine, run = (self.size(self.shares(v)[worst]) for v in (values, self.truth))
        order = ""
        if int(np.argmax(values)) != int(np.argmax(self.truth)):
            order = f" The largest is {self.labels[int(np.argmax(self.truth))]}."
        return f"Most off is {self.labels[worst]}, too {side}: {mine}, in the run {run}.{order}"

    def written(self, value: float) -> str:
        return (
            f"{100 * value:.0f} %" if self.unit == "%" else f"{number(value)} {self.unit}".strip()
        )

    def spec(self) -> dict[str, Any]:
        return {"labels": self.labels, "top": self.top, "total": self.total, "unit": self.unit}

    def rows(self, values: list[float] | None) -> tuple[list[str], list[list[str]]]:
        lists = [self.shares(v) for v in ([] if values is None else [values]) + [self.truth]]
        head = ["", "the run"] if values is None else ["", "you", "the run"]
        return head, [
            [label, *(self.size(one[i]) for one in lists)] for i, label in enumerate(self.labels)
        ]


class Curve(_Sized):
    """Draw a curve: a value for each of ``x``, between ``low`` and ``high``; it starts flat, halfway, unless told.

    ``beside`` are curves that are shown from the beginning, by name.
    """

    kind = "curve"

    def __init__(
        self,
        question: str,
        truth: Sequence[float],
        *,
        x: Sequence[float | str],
        low: float,
        high: float,
        x_title: str = "",
        y_title: str = "",
        unit: str = "",
        shown: Mapping[str, Sequence[float]] | None = None,
        start: Sequence[float] | None = None,
        misconceptions: Sequence[Misconception] = (),
    ) -> None:
        super().__init__(question, misconceptions)
        self.x = [value if isinstance(value, str) else number(float(value)) for value in x]
        self.low, self.high, self.unit = float(low), float(high), unit
        self.x_title, self.y_title = x_title, y_title
        self.shown = {name: [float(v) for v in values] for name, values in (shown or {}).items()}
        self.truth = self.checked(truth)
        self.start = self.checked(start or [(self.low + self.high) / 2] * len(self.x))

    def checked(self, values: Any) -> list[float]:
        return numbers_of(values, len(self.x), "values of the curve")

    def score(self, values: list[float]) -> float:
        error, start = (
            float(np.abs(np.subtract(v, self.truth)).mean()) for v in (values, self.start)
        )
        return skill(error, start, 0.05 * (self.high - self.low))

    def words(self, values: list[float]) -> str:
        off = np.subtract(values, self.truth)
        worst = int(np.abs(off).argmax())
        if self.score(values) >= GOOD:
            return "Your curve follows that of the run."
        fall = np.sign(round(self.truth[-1] - self.truth[0], 6))
        mine = np.sign(round(values[-1] - values[0], 6))
        ways = {1.0: "rises", -1.0: "falls", 0.0: "ends where it began"}
        shape = f"Yours {ways[mine]}, that of the run {ways[fall]}. " if fall != mine else ""
        side = "high" if off[worst] > 0 else "low"
        return f"{shape}Most off at {self.x[worst]}, too {side}: {self.size(values[worst])}, in the run {self.size(self.truth[worst])}."

    def written(self, value: float) -> str:
        return (
            f"{100 * value:.0f} %" if self.unit == "%" else f"{number(value)} {self.unit}".strip()
        )

    def spec(self) -> dict[str, Any]:
        return {
            "x": self.x, "low": self.low, "high": self.high, "unit": self.unit, "shown": self.shown,
            "x_title": self.x_title, "y_title": self.y_title,
        }  # fmt: skip

    def rows(self, values: list[float] | None) -> tuple[list[str], list[list[str]]]:
        lists = ([] if values is None else [values]) + [self.truth]
        head = [self.x_title, "the run"] if values is None else [self.x_title, "you", "the run"]
        return head, [[x, *(self.size(one[i]) for one in lists)] for i, x in enumerate(self.x)]


class Order(Prediction):
    """Sort names by a size that the run knows, the largest first; ``tie`` is how near two may be to count as alike.

    It starts in an order that is neither that of the truth nor its reverse, with half of the pairs wrong or more.
    """

    kind = "order"

    def __init__(
        self,
        question: str,
        sizes: Mapping[str, float],
        *,
        tie: float = 0.0,
        unit: str = "",
        misconceptions: Sequence[Misconception] = (),
    ) -> None:
        super().__init__(question, misconceptions)
        self.sizes, self.tie, self.unit = {k: float(v) for k, v in sizes.items()}, tie, unit
        self.truth = sorted(self.sizes, key=lambda name: -self.sizes[name])
        self.start = self._start()

    def _start(self) -> list[str]:
        """Shuffled alike each time; it gives away neither the order nor its reverse."""
        names, most = list(self.sizes), self.pairs()
        mixed = random.Random(len(names))
        for _ in range(200):
            mixed.shuffle(names)
            wrong = len(self.inversions(names))
            if most and most / 2 <= wrong and (wrong < most or len(names) < 3):
                break
        return list(names)

    def pairs(self) -> int:
        """How many pairs have an order at all."""
        return sum(self._apart(a, b) for a, b in itertools.combinations(self.sizes, 2))

    def _apart(self, a: str, b: str) -> bool:
        return abs(self.sizes[a] - self.sizes[b]) > self.tie

    def inversions(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs that stand the wrong way round, (first, second) as they stand."""
        pairs = itertools.combinations(names, 2)
        return [(a, b) for a, b in pairs if self._apart(a, b) and self.sizes[a] < self.sizes[b]]

    def checked(self, values: Any) -> list[str]:
        names = [str(name) for name in values]
        if sorted(names) != sorted(self.sizes):
            raise ValueError(f"{names}; expected each of {', '.join(self.sizes)} once")
        return names

    def score(self, values: list[str]) -> float:
        """Kendall's tau, with 0 for no relation or a reverse one."""
        return 1 - 2 * len(self.inversions(values)) / max(1, self.pairs())

    def words(self, values: list[str]) -> str:
        wrong = self.inversions(values)
        if not wrong:
            return "Every pair stands in the order of the run."
        a, b = max(wrong, key=lambda pair: self.sizes[pair[1]] - self.sizes[pair[0]])
        return (
            f"{len(wrong)} of {count(self.pairs(), 'pair')} stand the wrong way round, most of all "
            f"{a} ({self.written(a)}) before {b} ({self.written(b)})."
        )

    def written(self, name: str) -> str:
        return f"{number(self.sizes[name])} {self.unit}".strip()

    def spec(self) -> dict[str, Any]:
        return {"names": self.start}

    def revealed(self) -> Any:
        return [[name, self.written(name)] for name in self.truth]

    def rows(self, values: list[str] | None) -> tuple[list[str], list[list[str]]]:
        true = [f"{name} ({self.written(name)})" for name in self.truth]
        if values is None:
            return ["", "the run"], [[str(i + 1), name] for i, name in enumerate(true)]
        return ["", "you", "the run"], [
            [str(i + 1), mine, name] for i, (mine, name) in enumerate(zip(values, true))
        ]
