"""A pad to draw a digit on, with a mouse, a pen, a finger or keys: strokes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

Strokes = Sequence[Sequence[Sequence[float]]]
_HERE = Path(__file__).parent


@cache
def _component() -> Callable[..., Any]:
    texts = {kind: (_HERE / f"drawing.{kind}").read_text("utf-8") for kind in ("js", "css")}
    return st.components.v2.component("dista_drawing", **texts)


def pad(key: str, before: Strokes, on_change: Callable[[], None]) -> None:
    """Show the pad, at first with the strokes of ``before``; ``on_change`` runs when the pen rests."""
    _component()(key=key, data={"strokes": before}, on_strokes_change=on_change)


def strokes(key: str) -> Strokes:
    """Strokes of points (x, y), 0..1 from the upper left corner, as the pad ``key`` reports them."""
    return (st.session_state.get(key) or {}).get("strokes") or []
