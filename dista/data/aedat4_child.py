"""The process that reads a .aedat4 file: ``python aedat4_child.py FILE MOST MEMORY``, events to its output.

The package aedat, written in Rust, takes what memory a damaged file declares and ends its whole process where
there is none. So it has one of its own, limited to MEMORY bytes beyond what it starts with, and kept light:
nothing of ``dista`` is imported here. ``aedat.py`` starts it.
"""

from __future__ import annotations

import contextlib
import sys

import numpy as np

EVENTS = np.dtype([("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("p", "?")])
"""An event as it is handed over, packed."""

TOO_MANY = 100
"""How the process ends where the file holds more than MOST events; aborted ones end with 3 or -6."""


def main(path: str, most: int, memory: int) -> int:
    """Write the events of the file's first stream of events; how the process ends. Errors go through."""
    import aedat

    limit(memory)
    decoder = aedat.Decoder(path)
    streams = [number for number, one in decoder.id_to_stream().items() if one["type"] == "events"]
    if not streams:
        raise ValueError("it has no stream of events")
    # Tonic's reader does the same; importing it takes seconds, and it holds all packets at once.
    first, count = min(streams), 0
    for packet in decoder:
        if packet["stream_id"] != first:
            continue
        events = packet["events"]
        count += len(events)
        if count > most:
            return TOO_MANY
        handed = np.empty(len(events), EVENTS)
        for name, theirs in zip(EVENTS.names, ("t", "x", "y", "on")):
            handed[name] = events[theirs]
        sys.stdout.buffer.write(handed.tobytes())
    return 0


def limit(memory: int) -> None:
    """No more address space than ``memory`` bytes beyond what is there, where a system can say and limit it."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm") as file:
            there = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (there + memory, there + memory))


if __name__ == "__main__":
    path, most, memory = sys.argv[1:]
    sys.exit(main(path, int(most), int(memory)))
