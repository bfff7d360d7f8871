"""From columns as people save them to events as this package has them: one meaning for each field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from dista.data.camera import EVENT_TYPE
from dista.data.errors import DataError

FIELDS = {"x": ("x",), "y": ("y",), "t": ("t", "timestamp"), "p": ("p", "on", "polarity")}
"""Each field of an event, and what files call it."""

MOST_EVENTS = 2**25
"""Events of one recording: 1 GiB at 32 bytes each."""

LONGEST = 2**49
"""Microseconds of one recording, 17 years: times as far apart are damage, and steps of them would overflow."""

_TOLD = 200  # characters of what is there instead
_LARGEST = 2**62  # of a coordinate or time, so that sums and differences of two fit into 64 bits


def check_count(path: Path, count: int, most: int) -> None:
    """DataError where a file has more events than memory should be asked for."""
    if count > most:
        raise DataError(f"{path} has {count} events; at most {most} are read from one recording")


def column_names(path: Path, columns: Collection[str]) -> dict[str, str]:
    """What a file calls x, y, t and p; DataError, with what it has instead, where one is missing."""
    names = {
        field: next((name for name in aliases if name in columns), None)
        for field, aliases in FIELDS.items()
    }
    if None in names.values():
        instead = ascii(", ".join(sorted(columns)))[1:-1][:_TOLD]  # names may be anything, and many
        raise DataError(f"{path} holds no events with x, y, t and p, but {instead or 'nothing'}")
    return names


def as_events(path: Path, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The events of four columns, ordered by time: x, y, t (whole microseconds), p (1 ON, 0 OFF).

    DataError, about ``path``, for columns of other shapes, for what is not a whole number, for times that
    lie too far apart, and for polarities of an unknown convention.
    """
    shapes = {np.shape(column) for column in columns.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        told = ", ".join(f"{name} {np.shape(column)}" for name, column in columns.items())
        raise DataError(
            f"{path} has columns of the shapes {told}; expected one row of equal length"
        )
    events = np.empty(len(columns["x"]), EVENT_TYPE)
    if not len(events):
        raise DataError(f"{path} holds no events")
    for name in ("x", "y", "t"):
        events[name] = _whole(path, name, columns[name])
    events["p"] = _on(path, columns["p"])
    return _in_order(path, events)


def _whole(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """Coordinates or times as int64, none of which wraps or loses a fraction on the way."""
    if values.dtype.kind not in "iuf":
        raise DataError(f"{path} has {name} of type {values.dtype}; expected whole numbers")
    if values.dtype.kind == "f":
        _check_fractions(path, name, values)
    low, high = values.min().item(), values.max().item()
    if low < -_LARGEST or high > _LARGEST:
        raise DataError(f"{path} has {name} from {low:g} to {high:g}, which no camera gives")
    return values.astype(np.int64)


def _check_fractions(path: Path, name: str, values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise DataError(f"{path} has {name} that are not finite; expected whole numbers")
    if (values == np.trunc(values)).all():
        return
    said = f"{path} has {name} with fractions, from {values.min():g} to {values.max():g}; "
    # No guess: 0.000 .. 0.315 are as well 315 ms in seconds as 315 us in milliseconds.
    way_out = "multiply seconds by 1e6, or milliseconds by 1e3, and round" * (name == "t")
    expected = "expected whole microseconds" if name == "t" else "expected pixels"
    raise DataError(f"{said}{expected}: {way_out or 'round them'}")


def _on(path: Path, values: np.ndarray) -> np.ndarray:
    """1 for ON and 0 for OFF, of booleans, of 0 and 1, and of -1 and 1."""
    if values.dtype.kind not in "biuf":
        raise DataError(
            f"{path} has polarities of type {values.dtype}; expected numbers or booleans"
        )
    on, off, below = values == 1, values == 0, values == -1
    if (on | off).all() or (on | below).all():
        return on
    kinds = np.unique(values[:100_000])[
        :5
    ].tolist()  # a glimpse: a column of floats may have millions
    raise DataError(
        f"{path} has polarities {', '.join(map(str, kinds))}; "
        "expected 0 and 1, -1 and 1, or False and True"
    )


def _in_order(path: Path, events: np.ndarray) -> np.ndarray:
    times = events["t"]
    first, last = int(times.min()), int(times.max())
    if last - first >= LONGEST:
        raise DataError(
            f"{path} has times from {first} to {last}, more than 17 years of microseconds apart"
        )
    if (times[1:] >= times[:-1]).all():
        return events
    return events[np.argsort(times, kind="stable")]
