"""From events to frames: one binning for data sets, for recordings that are brought, and for simulated ones."""

from __future__ import annotations

import numpy as np

from dista.data.errors import DataError

_LARGEST = 255  # frames are bytes
_STRAY = 0.02  # of the events of one recording may lie outside of what a model sees
_LATE = (
    1.1  # a recording may take so much of its task's time: real saccades last from 296 to 316 ms
)
_MOST_STEPS = 10_000
_MOST_SIDE = 8192  # pixels
_MOST_CELLS = 2**26  # of one recording's frames, which take 8 bytes each while events are counted


def check_form(steps: int, size: tuple[int, int] | None = None) -> None:
    """ValueError for a number of time steps or pixels that no frames can have."""
    if type(steps) is not int or not 1 <= steps <= _MOST_STEPS:
        raise ValueError(f"time_steps={steps!r}: expected an integer from 1 to {_MOST_STEPS:,}")
    if size is None:
        return
    if len(size) != 2 or not all(isinstance(side, int) and side >= 1 for side in size):
        raise ValueError(f"size={size!r}: expected two integers of at least 1, (rows, columns)")
    if max(size) > _MOST_SIDE:
        raise DataError(
            f"the largest coordinates need {size[0]} x {size[1]} pixels; no camera has a side above "
            f"{_MOST_SIDE}: give a smaller size=(rows, columns), events outside are left out"
        )
    if 2 * steps * size[0] * size[1] > _MOST_CELLS:
        raise DataError(
            f"{steps} steps of {size[0]} x {size[1]} pixels are more than memory should hold for one "
            "recording; give a smaller size=(rows, columns) or fewer time_steps"
        )


def frames(
    events: np.ndarray, steps: int, size: tuple[int, int], duration: int | None = None
) -> np.ndarray:
    """Counts per bin of equal length, of events in order: uint8 (time, polarity, row, column).

    The bins cover 0 .. ``duration`` microseconds where the recording begins in that time and ends in it, or
    a tenth later, which then counts for the last bin; in all other cases they run from the first event to
    the last. Events outside of ``size`` are left out, and a cell counts to 255.
    """
    rows, columns = size
    first, last = _window(events, duration)
    events = events[inside(events, size)]
    step = np.minimum((events["t"] - first) * steps // (last - first + 1), steps - 1)
    cell = ((step * 2 + (events["p"] > 0)) * rows + events["y"]) * columns + events["x"]
    counts = np.bincount(cell, minlength=steps * 2 * rows * columns)
    return np.minimum(counts, _LARGEST).astype(np.uint8).reshape(steps, 2, rows, columns)


def fitting_frames(
    events: np.ndarray, steps: int, size: tuple[int, int], duration: int | None = None
) -> np.ndarray:
    """``frames``, or a DataError where they would show something else than was recorded.

    That is: more than 2 % of the events outside of the pixels, or all of them within one step of a task
    whose recordings have a known length, as of times in another unit.
    """
    outside = int((~inside(events, size)).sum())
    if outside > _STRAY * len(events):
        raise DataError(
            f"{100 * outside / len(events):.0f} % of the events lie outside of the {size[0]} x {size[1]} pixels that "
            f"this model sees (x reaches {events['x'].max()}, y {events['y'].max()}); crop or scale "
            "the recording first"
        )
    span = int(events["t"][-1]) - int(events["t"][0])
    if duration and span * steps < duration and steps > 1:
        raise DataError(
            f"all events lie within {span / 1000:g} ms, less than one of the {steps} steps of {duration / 1000:g} ms; "
            "times are read as microseconds: multiply seconds by 1e6, or milliseconds by 1e3"
        )
    return frames(events, steps, size, duration)


def inside(events: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Which events lie within (rows, columns)."""
    rows, columns = size
    y, x = events["y"], events["x"]
    return (y >= 0) & (y < rows) & (x >= 0) & (x < columns)


def _window(events: np.ndarray, duration: int | None) -> tuple[int, int]:
    """The first and the last microsecond of what is cut into bins."""
    first, last = events["t"][[0, -1]].tolist()
    if duration and 0 <= first < duration and last < _LATE * duration:
        return 0, duration - 1
    return first, last
