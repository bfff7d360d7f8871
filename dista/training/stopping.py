"""Ctrl-C, SIGTERM and the run's file ``stop``: finish the step, save, and only then stop.

The file is what others ask with: it reaches a process on any system and any host, a signal only one of
this host, and on Windows none that the process could answer.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Self


class Stopped(KeyboardInterrupt):
    """A training was asked to stop, and saved what it needs to go on; ``signal`` says by what."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.signal = number


SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
]
"""SIGBREAK is what Windows sends to a group of processes, and when a console is closed."""

_LOOK = (
    0.2  # seconds between looks for the file: a network file system may take milliseconds for one
)


class Requests:
    """While entered, remembers the first signal instead of obeying it; a second one is obeyed.

    Outside of the main thread Python has no signals, and nothing is changed. ``asked_otherwise`` says
    whether somebody asked for it by other means.
    """

    def __init__(self, asked_otherwise: Callable[[], bool] = lambda: False) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}
        self._asked_otherwise, self._looked = asked_otherwise, float("-inf")

    def asked(self) -> int:
        """The signal received, or SIGTERM where it was asked otherwise; 0 for none."""
        if self.received is None and time.monotonic() - self._looked >= _LOOK:
            self._looked = time.monotonic()
            if self._asked_otherwise():
                self.received = signal.SIGTERM
        return self.received or 0

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _remember(self, number: int, _: FrameType | None) -> None:
        self.received = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
