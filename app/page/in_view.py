"""Brings a part of a page into view, and marks it: what a step of a tour speaks of, on a page longer than the screen."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from dista.widgets.source import module


def bring(selector: str, step: str) -> None:
    """What the ``selector`` finds, in the probe as well, once for each ``step``, when the page has come to rest."""
    _component()(key="in-view", data={"selector": selector, "step": step})


@cache
def _component() -> Any:
    return st.components.v2.component("dista_tour", js=module("tour"))
