"""What the keyboard can reach on every page, what a phone's menu shows, and another theme while a page is open."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from dista.widgets.source import module


def serve() -> None:
    """Once a page, at its end: the component listens to all of it.

    Where the browser has another theme than this run, it asks for another one, whose figures have its colours.
    """
    theme = st.context.theme.type or ""
    _component()(key="keyboard", data={"theme": theme}, on_theme_change=lambda: None)


@cache
def _component() -> Any:
    return st.components.v2.component("dista_keyboard", js=module("keyboard"))
