"""What became of a run, as pages write it: a mark, a word, a colour."""

from __future__ import annotations

MARKS = {"running": "●", "finished": "✓", "stopped": "■", "crashed": "◆"}
MARKED = {state: f"{mark} {state}" for state, mark in MARKS.items()}
"""The mark and the word of each state."""

_COLOURS = {"running": "green", "finished": "blue", "stopped": "gray", "crashed": "orange"}


def badge(state: str, said: str | None = None) -> str:
    """Markdown: the mark of a state in its colour, and what is ``said`` of it, by itself its word."""
    return f":{_COLOURS[state]}-badge[{MARKS[state]} {said or state}]"
