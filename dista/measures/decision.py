"""How the answer comes about, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.lookup import model_config, need, one_sample
from dista.measures.tables import Columns, Result, cells

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Decision(Result):
    """How the answer comes about.

    ``logits`` (time, class) are those of each step. The read-out window is the steps from ``first`` to
    the end; ``running[t]`` is the mean of the logits from ``first`` to t and ``probabilities`` its
    softmax, both NaN before the window. ``answer`` is the class with the largest final mean (the
    lowest index wins a tie). ``settled_at`` is the first step of the window from which on the largest
    running mean is the answer at every step; it is the last step at the latest.
    """

    logits: np.ndarray
    running: np.ndarray
    probabilities: np.ndarray
    first: int
    answer: int
    settled_at: int
    label: int | None
    classes: tuple[str, ...]

    def columns(self) -> Columns:
        """A row for each step and class; ``is_label`` is empty where the true class is not known."""
        steps, classes = map(range, self.logits.shape)
        columns = cells(
            {"step": steps, "class": classes},
            logit=self.logits, running=self.running, probability=self.probabilities,
        )  # fmt: skip
        numbers = columns["class"]
        return columns | {
            "class_name": np.array(self.classes)[numbers],
            "is_answer": numbers == self.answer,
            "is_label": None if self.label is None else numbers == self.label,
            "first_readout_step": self.first,
            "settled_at_step": self.settled_at,
        }


def decision(recording: xr.DataTree, sample: int = 0) -> Decision:
    """Logits, running read-out and answer of a sample. Needs ``head``.

    The read-out window is ``readout_steps`` of the recorded model's configuration; the whole sequence
    where that is not set or not known.
    """
    logits = one_sample(need(recording, "head"), sample).transpose("time", "class").values
    steps, classes = logits.shape
    first = steps - min(model_config(recording).get("readout_steps") or steps, steps)
    running = np.full(logits.shape, np.nan)
    counted = np.arange(1, steps - first + 1)[:, None]
    running[first:] = logits[first:].cumsum(0, dtype=float) / counted
    exponent = np.exp(running - running.max(1, keepdims=True))
    leading = running[first:].argmax(1)
    answer = int(leading[-1])
    other = np.flatnonzero(leading != answer)
    label = recording.data_vars.get("label")
    names = recording.attrs.get("classes", range(classes))
    return Decision(
        logits=logits,
        running=running,
        probabilities=exponent / exponent.sum(1, keepdims=True),
        first=first,
        answer=answer,
        settled_at=first + (int(other[-1]) + 1 if other.size else 0),
        label=None if label is None else int(label.values[sample]),
        classes=tuple(str(name) for name in names),
    )
