"""What recordings of an event camera have in common, in numbers: to hold a simulated one against a real one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dista.measures.lookup import MeasureError
from dista.measures.tables import Result

BORDER = 3
"""Pixels from the edge inside of which nothing but noise is expected, where what is filmed stays in the middle."""


@dataclass(frozen=True)
class EventStatistics(Result):
    """Means over some recordings of one sensor, in ``time_ms`` bins (bin,).

    ``rate`` are events a millisecond, ``x`` and ``y`` where they lie on average, in pixels; nan where there are
    none. ``centre_x`` and ``centre_y`` are of all events; ``spread_x`` and ``spread_y`` the standard deviations of x
    and y over the events: how far they are moved, together, which a few events of noise hardly change. ``on`` is the share of ON events, ``shortest_us`` the time between two events of a pixel that
    1 % stay below: a little more than its rest. ``noise_hz`` and ``noise_hz_most`` are events per second of a pixel
    at the border, the median one and the one that 1 % exceed: they are far apart where some pixels are hot.
    """

    time_ms: np.ndarray
    rate: np.ndarray
    x: np.ndarray
    y: np.ndarray
    recordings: int
    events: float
    on: float
    centre_x: float
    centre_y: float
    spread_x: float
    spread_y: float
    shortest_us: float
    noise_hz: float
    noise_hz_most: float

    UNITS: ClassVar[dict[str, str]] = {
        "time_ms": "ms", "rate": "events / ms", "x": "pixels", "y": "pixels", "shortest_us": "µs",
        "noise_hz": "Hz", "noise_hz_most": "Hz",
    }  # fmt: skip


def event_statistics(
    recordings: Sequence[np.ndarray], size: tuple[int, int], *, duration_us: int, bins: int = 63
) -> EventStatistics:
    """Of ``recordings`` with fields x, y, t (microseconds) and p (1 is ON), on a sensor of (rows, columns).

    MeasureError without an event.
    """
    if not recordings or not any(len(one) for one in recordings):
        raise MeasureError("recordings is empty; expected recordings with events")
    rows, columns = size
    events = np.concatenate([one[one["t"] < duration_us] for one in recordings])
    place = np.minimum(events["t"] * bins // duration_us, bins - 1)
    count, sum_x, sum_y = (np.bincount(place, w, bins) for w in (None, events["x"], events["y"]))
    with np.errstate(invalid="ignore"):
        x, y = sum_x / count, sum_y / count
    hertz = _border(events, rows, columns) / len(recordings) / duration_us * 1e6
    width = duration_us / bins / 1000
    return EventStatistics(
        time_ms=(np.arange(bins) + 0.5) * width,
        rate=count / width / len(recordings),
        x=x,
        y=y,
        recordings=len(recordings),
        events=len(events) / len(recordings),
        on=float((events["p"] == 1).mean()),
        centre_x=float(events["x"].mean()),
        centre_y=float(events["y"].mean()),
        spread_x=_spread(x, count),
        spread_y=_spread(y, count),
        shortest_us=_shortest(recordings, columns),
        noise_hz=float(np.median(hertz)),
        noise_hz_most=float(np.percentile(hertz, 99)),
    )


def _border(events: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Events of each pixel near the edge of the sensor."""
    count = np.bincount(events["y"] * columns + events["x"], minlength=rows * columns)
    inside = np.zeros((rows, columns), bool)
    inside[BORDER:-BORDER, BORDER:-BORDER] = True
    return count[~inside.ravel()]


def _spread(place: np.ndarray, count: np.ndarray) -> float:
    some = count > 0
    mean = np.average(place[some], weights=count[some])
    return float(np.average((place[some] - mean) ** 2, weights=count[some]) ** 0.5)


def _shortest(recordings: Sequence[np.ndarray], columns: int) -> float:
    gaps = [np.zeros(0)]
    for one in recordings:
        pixel = one["y"] * columns + one["x"]
        order = np.lexsort((one["t"], pixel))
        gaps.append(np.diff(one["t"][order])[np.diff(pixel[order]) == 0])
    every = np.concatenate(gaps)
    return float(np.percentile(every, 1)) if len(every) else np.nan
