"""The dashboard's stylesheet, with the colours of the package as its variables."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from dista.style.palette import HAIRLINE, PALETTES, Theme

NAMES = ("panel", "accent", "ink", "muted", "line")


def apply(rules: str) -> None:
    """Put rules of style on the page, where they take no room.

    The browser loads what reads HTML after it has drawn the first words, so a page stands there without them at first.
    What moves much then is in ``.streamlit/config.toml`` as well, which it has from the beginning.
    """
    st.html(f"<style>{rules}</style>")


@cache
def sheet(theme: Theme) -> str:
    """For a page that was run in ``theme``.

    Streamlit's theme changes with that of the system, without another run: within its own root, which says which it
    is, the browser chooses. What it draws elsewhere (popovers) has the colours of the run.
    """
    light, dark = PALETTES["light"], PALETTES["dark"]
    of_run = " ".join(f"--{name}: {getattr(PALETTES[theme], name)};" for name in NAMES)
    of_browser = " ".join(
        f"--{name}: light-dark({getattr(light, name)}, {getattr(dark, name)});" for name in NAMES
    )
    rules = (Path(__file__).parent / "style.css").read_text("utf-8")
    return f":root {{ {of_run} --hairline: {HAIRLINE}; }} .stApp {{ {of_browser} }} {rules}"
