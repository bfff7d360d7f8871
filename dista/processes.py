"""Which process writes a run, so that others can tell whether it still does."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

_SAME_BIRTH = 2.0  # seconds within which two start times are those of one process


def identity(pid: int | None = None) -> dict[str, Any]:
    """Number, start time and host of a process, by default this one: a number alone is used again.

    ``born`` is None for a process that is gone.
    """
    import psutil

    pid = pid or os.getpid()
    try:
        born = psutil.Process(pid).create_time()
    except psutil.Error:
        born = None
    return {"pid": pid, "born": born, "host": socket.gethostname()}


def here(who: Mapping[str, Any]) -> bool:
    """Whether the process of ``identity`` is one of this host."""
    return who.get("host", socket.gethostname()) == socket.gethostname()


def alive(who: Mapping[str, Any]) -> bool:
    """Whether the process of ``identity`` runs. One on another host can't be asked: then True.

    A zombie has ended, and a process that started at another time is another one.
    """
    import psutil

    if not here(who):
        return True
    try:
        process = psutil.Process(who["pid"])
        same = who.get("born") is None or abs(process.create_time() - who["born"]) < _SAME_BIRTH
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
