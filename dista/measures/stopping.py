"""Answers that stop early: each sample is read out as soon as the network is sure enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.energy import ACCUMULATE_PJ, MULTIPLY_PJ, read_out
from dista.measures.lookup import MeasureError
from dista.measures.paired import Answers
from dista.measures.tables import Columns, Result

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Stopped(Result):
    """What is answered where each sample stops at its first step with a probability of ``confidence`` or more.

    ``steps`` (sample,) are those used, from 1; a sample that is never so sure takes all. ``picojoules`` (sample,)
    were spent until then, where a count of n is n accumulates.
    """

    confidence: float
    steps: np.ndarray
    answers: Answers
    picojoules: np.ndarray

    UNITS = {"picojoules": "pJ"}

    def columns(self) -> Columns:
        """A row for each sample."""
        return (
            self.answers.columns()
            | {"asked": self.confidence, "steps": self.steps}
            | {"picojoules": self.picojoules}
        )


def stopped(counts: xr.Dataset, labels: np.ndarray, confidence: float) -> Stopped:
    """Stop by ``confidence`` (0 to 1) what ``dista.operations.count`` ran; ``labels`` are the right classes (sample,).

    [related: SEENN, arXiv 2304.01230, whose first form stops by confidence.]
    MeasureError where there are not as many labels as samples, or no confidence between 0 and 1.
    """
    if not 0 <= confidence <= 1:
        raise MeasureError(f"confidence={confidence}; expected a probability, 0 to 1")
    probabilities = read_out(counts, labels)
    sure = probabilities.max(2) >= confidence
    sure[-1] = True
    last = sure.argmax(0)
    sample = np.arange(len(last))
    read = probabilities[last, sample]
    spent = MULTIPLY_PJ * counts["multiplies"] + ACCUMULATE_PJ * counts["accumulates"]
    by_step = spent.sum("layer").cumsum("time").transpose("time", "batch").values
    answers = Answers(read.argmax(1), np.asarray(labels), read.max(1))
    return Stopped(confidence, last + 1, answers, by_step[last, sample])
