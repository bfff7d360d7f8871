"""Peak memory, by the system's own high-water mark of a process (Linux).

Each measurement is a process of its own: what an allocator kept from the work before would hide the
peak. ``peak("dista.bench.timing:case_step", "small", "spatial")`` builds an action there and runs it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak(builder: str, *arguments: str | int, threads: int = 1) -> int | None:
    """Bytes by which a process grows while it runs ``module:function(*arguments)()`` a second time.

    None where the system does not tell.
    """
    if not (STATUS.is_file() and CLEAR.exists()):
        return None
    task = json.dumps([builder, arguments, threads])
    command = [sys.executable, "-m", "dista.bench.memory", task]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def resident(field: str) -> int:
    """Bytes of resident memory: at its highest (VmHWM) or now (VmRSS)."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])


def growth(action: Callable[[], None]) -> int:
    """Bytes by which the second run of ``action`` exceeds what its first run left behind."""
    action()
    _give_back()
    CLEAR.write_text("5")
    before = resident("VmRSS")
    action()
    return resident("VmHWM") - before


def _give_back() -> None:
    """Return freed memory to the system, or the next run would find it already resident."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _main(task: str) -> None:
    import torch

    builder, arguments, threads = json.loads(task)
    torch.set_num_threads(threads)
    module, function = builder.split(":")
    print(json.dumps(growth(getattr(importlib.import_module(module), function)(*arguments))))


if __name__ == "__main__":
    _main(sys.argv[1])
