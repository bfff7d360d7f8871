"""The glossary's terms, explained wherever they stand on a page, to who points at them."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from dista.style import glossary
from dista.widgets.source import module


def explain() -> None:
    """Mark the terms of this page; what is added to it later is marked, too."""
    data = {"expression": glossary.expression(), "hints": glossary.explained_forms()}
    _component()(key="terms", data=data)


@cache
def _component() -> Any:
    return st.components.v2.component("dista_terms", js=module("terms"))
