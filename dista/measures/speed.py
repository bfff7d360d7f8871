"""How long an answer takes, and whether that depends on how much neurons fire."""

from __future__ import annotations

from dataclasses import dataclass

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
