"""How long an answer takes, and whether that depends on how much neurons fire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dista.measures.tables import Columns, Result, cells


@dataclass(frozen=True)
class TimeByRate(Result):
    """Measured seconds (input, round) of one forward of each named input, beside its mean firing rate (input,).

    All rounds run every input once, so that a slow minute is slow for all.
    """

    names: tuple[str, ...]
    rate: np.ndarray
    seconds: np.ndarray

    UNITS = {"rate": "spikes per neuron and step", "seconds": "s"}

    def columns(self) -> Columns:
        """A row for each input and round."""
        rounds = range(self.seconds.shape[1])
        columns = cells({"input": self.names, "round": rounds}, seconds=self.seconds)
        return columns | {"rate": np.repeat(self.rate, len(rounds))}

    @property
    def ratios(self) -> np.ndarray:
        """Seconds of the input that fires most, over those of the one that fires least, round by round."""
        most, least = int(self.rate.argmax()), int(self.rate.argmin())
        return self.seconds[most] / self.seconds[least]

    @property
    def times_the_spikes(self) -> float:
        """Spikes of the input that fires most, over those of the one that fires least; inf where that has none."""
        return float(self.rate.max() / self.rate.min()) if self.rate.min() else float("inf")

    @property
    def follows(self) -> bool:
        """Whether time follows spikes: who fires most took longer than who fires least in every round, 10 % at the median."""
        return bool((self.ratios > 1).all() and np.median(self.ratios) > 1.1)


class Line(NamedTuple):
    """seconds = ``start`` + ``each`` accumulates, and the share of their variance that it explains."""

    start: float
    each: float
    r_squared: float

    @classmethod
    def through(cls, accumulates: np.ndarray, seconds: np.ndarray) -> Line:
        """The one of least squares."""
        each, start = np.polyfit(accumulates, seconds, 1)
        left = seconds - (start + each * accumulates)
        return cls(float(start), float(each), float(1 - left.var() / seconds.var()))


@dataclass(frozen=True)
class LayerTimes(Result):
    """Processor seconds (layer, step, round) of one sample, beside the ``accumulates`` (layer, step) counted for it.

    ``multiplies`` (layer, step) says where so much fired that a step is rather multiplied as a whole. All are means
    over ``samples``.
    """

    layers: tuple[str, ...]
    accumulates: np.ndarray
    seconds: np.ndarray
    multiplies: np.ndarray
    samples: int

    UNITS = {"seconds": "s"}

    def columns(self) -> Columns:
        """A row for each layer and step; seconds are the median of the rounds."""
        steps = range(self.accumulates.shape[1])
        return cells(
            {"layer": self.layers, "step": steps},
            accumulates=self.accumulates,
            seconds=self.median,
            multiplies=self.multiplies,
        )

    @property
    def median(self) -> np.ndarray:
        """Seconds (layer, step) of the middle round."""
        return np.median(self.seconds, -1)

    @property
    def attends(self) -> np.ndarray:
        """Whether a layer (layer,) is attention, which looks for coincidences; all others add rows of weights."""
        return np.array([name.endswith(".attention") for name in self.layers])

    @property
    def fit(self) -> Line:
        """Through the layers of weights at all steps."""
        rows = ~self.attends
        return Line.through(self.accumulates[rows].ravel(), self.median[rows].ravel())

    @property
    def costlier(self) -> float | None:
        """Seconds of an operation in attention, over those in a layer of weights; None without attention."""
        rows, seconds = self.attends, self.median
        if not self.accumulates[rows].sum():
            return None
        of_attention, of_weights = (
            seconds[some].sum() / self.accumulates[some].sum() for some in (rows, ~rows)
        )
        return float(of_attention / of_weights)


@dataclass(frozen=True)
class TimeBySpikes(Result):
    """Measured seconds (way, input) of one layer for inputs of more and more spikes, computed in several ``ways``.

    Inputs are in the order of their firing ``rate`` (input,); ``accumulates`` (input,) are the weights that their
    spikes meet. The first way does work for these alone, the second for all that could be.
    """

    ways: tuple[str, ...]
    rate: np.ndarray
    accumulates: np.ndarray
    seconds: np.ndarray

    UNITS = {"rate": "spikes per neuron and step", "seconds": "s"}

    def columns(self) -> Columns:
        """A row for each way and input."""
        columns = cells({"way": self.ways, "input": range(len(self.rate))}, seconds=self.seconds)
        each = {"rate": self.rate, "accumulates": self.accumulates}
        return columns | {name: np.tile(values, len(self.ways)) for name, values in each.items()}

    @property
    def fit(self) -> Line:
        """The least squares of the first way's seconds against accumulates."""
        return Line.through(self.accumulates, self.seconds[0])

    @property
    def crossover(self) -> float | None:
        """The rate from which the second way is the faster one, between the inputs; None where it is for none."""
        lead = self.seconds[1] - self.seconds[0]
        slower = np.flatnonzero(lead < 0)
        if not len(slower) or slower[0] == 0:
            return float(self.rate[0]) if len(slower) else None
        low, high = slower[0] - 1, slower[0]
        return float(np.interp(0.0, [lead[high], lead[low]], [self.rate[high], self.rate[low]]))
