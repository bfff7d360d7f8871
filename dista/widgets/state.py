"""What a probe's state holds: the one list, from which the notebook's traits, the URL and the browser read.

It is flat and JSON-able, so that it fits into a URL and comes back. The browser has it from the header of
the data, and completes it: what is missing, or does not exist in a recording, is chosen there.
"""

from __future__ import annotations

from typing import Any

from dista.style.labels import RANGES, STAGES

FIELDS: dict[str, int | str] = {
    "sample": 0,
    "step": -1,
    "block": -1,
    "head": -1,
    "row": -1,
    "column": -1,
    "layer": "",
    "neuron": -1,
    "range": "head",
    "stage": "denoise",
    "key": "",
}
"""Each part of the state and its default. Numbers count from zero; -1 and "" let the probe choose."""

CHOICES = {"range": tuple(RANGES), "stage": tuple(STAGES)}
"""The parts that are one of a few words."""


def vocabulary() -> dict[str, Any]:
    """What the browser has to know of all this, for the header of the data."""
    return {"fields": FIELDS, "ranges": RANGES, "stages": STAGES}
