"""The dashboard's stylesheet, with the colours of the package as its variables."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from dista.style.palette import HAIRLINE, PALETTES, Theme

NAMES = ("panel", "accent", "ink", "muted", "line")


def apply(rules: str) -> None:
    """Put rules of style on the page, where they take no room.

    They come with the run, after the first words: what lays a page out belongs in style.css, which is there before.
    """
    st.html(f"<style>{rules}</style>")


@cache
def sheet() -> str:
    """The stylesheet of all pages. Within Streamlit's root, which says its theme, the browser chooses the colours."""
    light, dark = PALETTES["light"], PALETTES["dark"]
    either = " ".join(
        f"--{name}: light-dark({getattr(light, name)}, {getattr(dark, name)});" for name in NAMES
    )
    rules = (Path(__file__).parent / "style.css").read_text("utf-8")
    return f":root {{ --hairline: {HAIRLINE}; }} .stApp {{ {either} }} {rules}"


def colours(theme: Theme) -> str:
    """Those of a run, for what Streamlit draws outside of its root (popovers).

    The theme changes with that of the system, without another run: these are the run's until there is one.
    """
    of_run = " ".join(f"--{name}: {getattr(PALETTES[theme], name)};" for name in NAMES)
    return f":root {{ {of_run} }}"
