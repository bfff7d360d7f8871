"""What recording costs: a forward that is recorded, against one that is not."""

from __future__ import annotations

from collections.abc import Callable

from dista.bench.cases import Case, evaluated
from dista.bench.timing import Action, forward, interleaved
from dista.recording import record

RECORDED = "DISTA map"
LOOKS = {"spikes": "*.spikes", "maps": ["*.scores", "*.denoise"], "everything": "*"}
"""What is recorded, and the names of ``dista.record`` that choose it."""


def actions(case: Case) -> dict[str, Action]:
    """``nothing`` is plain inference of the model; the others record parts of it."""
    model, (x, _) = evaluated(RECORDED, case), case.input()

    def looking(names: str | list[str]) -> Callable[[], None]:
        return lambda: record(model, x, names) and None

    return {"nothing": forward(model, x)} | {what: looking(n) for what, n in LOOKS.items()}


def measure(case: Case, rounds: int) -> list[dict]:
    """A row for each kind of recording: seconds, and the ratio to plain inference (1.1: a tenth more)."""
    seconds = interleaved(actions(case), rounds)
    return [
        {
            "shape": case.name,
            "recorded": what,
            "seconds": seconds[what],
            "ratio": seconds[what] / seconds["nothing"],
        }
        for what in LOOKS
    ]
