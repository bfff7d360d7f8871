"""A pad to draw a digit on, with a mouse, a pen, a finger or keys: strokes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dista.widgets import reports
from dista.widgets.streamlit import Strokes
from dista.widgets.streamlit import pad as show


def pad(key: str, before: Strokes, on_change: Callable[[], None]) -> None:
    """Show the pad with the strokes of ``before``; ``on_change`` runs when the pen rests."""
    show(before, key=key, on_change=lambda _: on_change())


def strokes(key: str) -> Strokes:
    """Strokes of points (x, y), 0..1 from the upper left corner, as the pad ``key`` reports them."""
    return reports.reported(st.session_state, key).get("strokes", [])
