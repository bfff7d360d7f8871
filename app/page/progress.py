"""Work that takes a while: one bar for all of it, and one word that ends it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import streamlit as st

STOP = "Stop"

Report = Callable[[float, str], None]


@contextlib.contextmanager
def working(
    key: str, said: str, stop: Callable[..., None], *args: Any, then: str, **kwargs: Any
) -> Iterator[Report]:
    """A bar that says ``said``, and a button beside it, for as long as the work takes.

    What is yielded is to be called with the share that is done, 0 to 1, and what to say of it. A click ends the
    work there: ``stop`` runs, with ``args`` and ``kwargs``, and then the page. ``then`` says what comes of it.
    """
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center", key=f"running-{key}"):
        bar = st.progress(0.0, said)
        st.button(STOP, key=f"stop-{key}", on_click=stop, args=args, kwargs=kwargs, help=then)
    yield lambda share, text: bar.progress(share, text)
    place.empty()


@contextlib.contextmanager
def measuring(stop: Callable[[], None], what: str, key: str) -> Iterator[Callable[[float], None]]:
    """``working`` on one thing, of which there is nothing to show before its end; called with the share alone."""
    said, then = f"0 % of {what}", "Leave it; what was measured is kept for the next time"
    with working(key, said, stop, then=then) as report:
        yield lambda share: report(share, f"{100 * share:.0f} % of {what}")
