"""Threads that wait give the processor away soon: one call, before torch is loaded."""

from __future__ import annotations

import os
import sys


def wait_briefly() -> None:
    """Let OpenMP's threads spin for microseconds, not milliseconds, where one waits for another.

    Where another process has one of the cores, spinning threads keep it from the one that they wait for:
    recording a sample takes 30 times as long beside a training. Alone, both are as fast as before. Does
    nothing where torch is loaded, or where the environment has a wish of its own.
    """
    wishes = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"
    if "torch" not in sys.modules and not any(name in os.environ for name in wishes):
        os.environ["GOMP_SPINCOUNT"] = "1000"
