"""Ctrl-C and SIGTERM: finish the step, save, and only then stop."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Self


class Stopped(KeyboardInterrupt):
    """A training was asked to stop, and saved what it needs to go on; ``signal`` says by what."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.signal = number


class Requests:
    """While entered, remembers the first SIGINT or SIGTERM instead of obeying it; a second one is obeyed.

    Outside of the main thread Python has no signals, and nothing is changed.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
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
