"""How one neuron learned: its weight, its time constant and its spikes after each update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dista.measures.tables import Columns, Result


@dataclass(frozen=True)
class Learning(Result):
    """A neuron that was to fire at ``step`` (from 0) alone, and what of it could learn (``parts``).

    ``weight``, ``tau`` and ``loss`` are (update,), from before the first update; ``fired`` is (update, time).
    """

    parts: tuple[str, ...]
    step: int
    weight: np.ndarray
    tau: np.ndarray
    loss: np.ndarray
    fired: np.ndarray

    UNITS = {"tau": "steps"}

    def columns(self) -> Columns:
        """A row for each update."""
        return {
            "learns": self.name, "update": np.arange(len(self.weight)), "weight": self.weight, "tau": self.tau,
            "loss": self.loss, "spikes": self.fired.sum(1), "first_spike_step": self.first, "wanted_step": self.step,
        }  # fmt: skip

    @property
    def name(self) -> str:
        """What learns: ``weight``, ``tau``, ``weight and tau``."""
        return " and ".join(self.parts)

    @property
    def first(self) -> np.ndarray:
        """The step of the first spike after each update, NaN where there is none."""
        return np.where(self.fired.any(1), self.fired.argmax(1), np.nan)

    @property
    def reached(self) -> int | None:
        """After how many updates it fires as wanted, None where it never did."""
        last = np.flatnonzero(self.fired[-1])
        return len(self.weight) - 1 if last.tolist() == [self.step] else None

    def window(self, taus: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights from which on a neuron with each of ``taus`` first fires at the step, and too early.

        From rest, n steps of w lift the potential to w (1 - (1 - 1/tau)^n), which has to reach a threshold of 1 [ours].
        """
        left = 1 - 1 / np.asarray(taus, float)
        before = 1 - left**self.step
        return 1 / (1 - left ** (self.step + 1)), np.divide(
            1.0, before, out=np.full_like(before, np.inf), where=before > 0
        )
