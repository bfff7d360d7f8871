"""What is wrong with a link: collected while a page reads it, and said in one place."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st

from app.link import following, plain, share, url


class Problems(list[str]):
    """Sentences on what is wrong with a link or a choice; they are shown where ``here`` was called."""

    def __init__(self) -> None:
        super().__init__()
        self._place: Any = None

    def here(self) -> None:
        """Below the first row of a page, before what it shows."""
        self._place = st.container()

    def show(self) -> None:
        plain.warn(self, self._place or st)
        if said := following.left_behind():
            (self._place or st).caption(plain.text(said))


def reads(page: str) -> Callable[[Callable[[Problems], None]], Callable[[], None]]:
    """A page reads its link: old names are today's before it begins, and what is wrong is said at its end."""

    def reading(show: Callable[[Problems], None]) -> Callable[[], None]:
        @wraps(show)
        def run() -> None:
            url.begin(page)
            problems = Problems()
            show(problems)
            url.end()
            problems.show()
            share.fill()

        return run

    return reading
