"""What a change cost: the answers of two models, or of one model twice, to the same samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dista.measures.lookup import MeasureError
from dista.measures.tables import Columns, Result

Z95 = 1.959963984540054
"""The normal quantile of a 95 % interval."""


@dataclass(frozen=True)
class Answers(Result):
    """What was answered to each sample, and what was right, as class numbers (sample,).

    ``confidence`` is the softmax probability of what was answered, 0 to 1; None where nobody kept it.
    """

    answer: np.ndarray
    label: np.ndarray
    confidence: np.ndarray | None = None

    def columns(self) -> Columns:
        """A row for each sample, by position."""
        sample = {"sample": np.arange(len(self.label))}
        return sample | super().columns() | {"correct": self.correct}

    @property
    def correct(self) -> np.ndarray:
        return self.answer == self.label

    @property
    def accuracy(self) -> float:
        return float(self.correct.mean())

    @property
    def most_frequent(self) -> float:
        """The share of the answer that is given most often, 0 to 1: near 1 the network says the same to all."""
        return float(np.unique_counts(self.answer).counts.max() / len(self.answer))


@dataclass(frozen=True)
class PairedDifference(Result):
    """A change of accuracy on the same samples: ``difference`` lies in ``low`` .. ``high`` (95 %).

    ``lost`` and ``gained`` are the samples, by position, that were right before and wrong after, and
    the other way round. ``most_frequent_before`` and ``most_frequent_after`` are the shares of the answer that
    is given most often: a network that a change broke gives one answer to nearly all, whatever its accuracy.
    """

    samples: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    lost: np.ndarray
    gained: np.ndarray
    most_frequent_before: float
    most_frequent_after: float

    def columns(self) -> Columns:
        """One row; ``lost`` and ``gained`` are numbers of samples."""
        changed = {"lost": len(self.lost), "gained": len(self.gained)}
        return super().columns() | changed

    @property
    def certain(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def paired_difference(before: Answers, after: Answers) -> PairedDifference:
    """The change of accuracy with a 95 % interval for paired samples.

    The interval is Bonett and Price's (2012): Wald's interval after one more sample lost and one more
    gained, which holds its level also where few samples or none changed sides; Wald's own would then
    have no width. It speaks of other samples of the same kind, not of other trainings of the model.
    MeasureError where the two were not asked about the same samples.
    """
    if not len(before.label) or not np.array_equal(before.label, after.label):
        raise MeasureError(
            f"the answers are to {len(before.label)} and {len(after.label)} samples that are not the "
            "same; ask both about the same samples"
        )
    lost = np.flatnonzero(before.correct & ~after.correct)
    gained = np.flatnonzero(~before.correct & after.correct)
    n = len(before.label)
    low, high = _bonett_price(len(lost), len(gained), n)
    return PairedDifference(
        n, before.accuracy, after.accuracy, (len(gained) - len(lost)) / n, low, high, lost, gained,
        before.most_frequent, after.most_frequent,
    )  # fmt: skip


def confident_mistakes(answers: Answers) -> np.ndarray:
    """The samples that are answered wrong, by position, those first of which the model is surest.

    Equal confidences stay in the order of the samples. MeasureError where no confidence was kept.
    """
    if answers.confidence is None:
        raise MeasureError(
            "these answers come without confidences; dista.experiments.evaluation.answers keeps them"
        )
    wrong = np.flatnonzero(~answers.correct)
    return wrong[np.argsort(-answers.confidence[wrong], kind="stable")]


def _bonett_price(lost: int, gained: int, n: int) -> tuple[float, float]:
    down, up = (lost + 1) / (n + 2), (gained + 1) / (n + 2)
    half = Z95 * math.sqrt((down + up - (up - down) ** 2) / (n + 2))
    return max(-1.0, up - down - half), min(1.0, up - down + half)
