"""Tasks that need no download, one call away: `dista.data.open("digits")`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

from dista.data.digits import digits
from dista.data.digits_events import digits_events
from dista.data.match import match
from dista.data.task import Batches, Split, Task

__all__ = ["Batches", "Split", "Task", "names", "open"]

_TASKS: dict[str, Callable[..., Task]] = {
    "digits": digits,
    "digits-events": digits_events,
    "match": match,
}


def names() -> tuple[str, ...]:
    """The names `open` knows."""
    return tuple(_TASKS)


def open(name: str, *, root: str | Path | None = None, **options) -> Task:
    """The task of that name. `root` replaces the user's cache folder; options are the task's own.

    ValueError for an unknown name or option, listing the known ones.
    """
    if name not in _TASKS:
        raise ValueError(f"unknown data {name!r}: expected one of {', '.join(names())}")
    make = _TASKS[name]
    known = [option for option in inspect.signature(make).parameters if option != "root"]
    for option in options:
        if option not in known:
            expected = f"expected one of {', '.join(known)}" if known else "it takes none"
            raise ValueError(f"unknown option {option!r} of data {name!r}: {expected}")
    return make(root=root, **options)
