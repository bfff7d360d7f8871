"""Events as frames: how many of each sign every pixel had in every step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dista.measures.lookup import MeasureError
from dista.measures.tables import Columns, Result, cells


@dataclass(frozen=True)
class EventFrames(Result):
    """Frames of one recording: ``on`` and ``off`` events (time, row, column)."""

    on: np.ndarray
    off: np.ndarray

    UNITS = {"on": "events", "off": "events"}

    @property
    def by_step(self) -> np.ndarray:
        """Events of each step, both signs together (time,)."""
        return (self.on + self.off).sum((1, 2))

    @property
    def on_share(self) -> float:
        """The share of the events that are ON; 0 where there are none."""
        total = float(self.by_step.sum())
        return float(self.on.sum()) / total if total else 0.0

    def columns(self) -> Columns:
        """A row for each pixel of each step."""
        axes = {name: range(size) for name, size in zip(("step", "row", "column"), self.on.shape)}
        return cells(axes, on=self.on, off=self.off)


def event_frames(counts: np.ndarray) -> EventFrames:
    """``counts`` (time, polarity, row, column), OFF before ON, as ``dista.data`` frames events.

    MeasureError for another shape, or counts below 0.
    """
    frames = np.asarray(counts)
    if frames.ndim != 4 or frames.shape[1] != 2:
        raise MeasureError(f"counts has shape {frames.shape}; expected (time, 2, row, column)")
    if frames.size and frames.min() < 0:
        raise MeasureError(f"counts reaches {frames.min():g}; numbers of events are never below 0")
    frames = frames.astype(float)
    return EventFrames(frames[:, 1], frames[:, 0])
