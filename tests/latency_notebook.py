"""How fast a figure in a notebook follows a control, without the browser; prints figures, asserts nothing.

    .venv/bin/python tests/latency_notebook.py [--rounds 8]

From the new value of a control until the figure is made: the model runs with the intervention, on one thread. Beside
the time that passes stands that of the processor, which others on the machine do not lengthen as much.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

import dista
from dista import widgets

CHECKPOINTS = {"digits": "digits", "digits-events": "digits-events", "match-map": "match"}


CONTROLS = ("u", "window", "tau", "noise")

Times = list[tuple[float, float]]


def timed(checkpoint: str, rounds: int) -> dict[str, Times]:
    """Milliseconds of the clock and of the processor, of each change of each control."""
    task = dista.data.open(CHECKPOINTS[checkpoint])
    x, label = task.test.batch([3])
    controls = widgets.controls(
        dista.load(checkpoint), x, labels=label.tolist(), classes=task.classes
    )
    times: dict[str, Times] = {name: [] for name in CONTROLS}
    for name in CONTROLS:
        for value in controls.values_of(name)[1 : rounds + 1]:
            before = time.perf_counter(), time.process_time()
            controls.set(name, value)
            times[name].append(
                (1e3 * (time.perf_counter() - before[0]), 1e3 * (time.process_time() - before[1]))
            )
        controls.set(name, None)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for checkpoint in CHECKPOINTS:
        for name, changes in timed(checkpoint, options.rounds).items():
            passed, used = zip(*changes)
            print(
                f"{checkpoint:15} {name:8} median {statistics.median(passed):4.0f} ms, of the processor "
                f"{statistics.median(used):4.0f} ms; slowest {max(passed):4.0f} ms; {len(changes)} changes"
            )


if __name__ == "__main__":
    main()
