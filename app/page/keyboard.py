"""What the keyboard can reach on every page: no link that still waits, every listing that scrolls."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from dista.widgets.source import module


def serve() -> None:
    """Once a page, at its end: the component listens to all of it."""
    _component()(key="keyboard")


@cache
def _component() -> Any:
    return st.components.v2.component("dista_keyboard", js=module("keyboard"))
