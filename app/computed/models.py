"""Models, loaded once for all pages and sessions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import streamlit as st

from app.inputs.identity import Weights, version

if TYPE_CHECKING:
    from dista.model import DISTA

RUNNING = threading.RLock()
"""Held while a model runs: two at once would share the processor's cores, and both come late."""


@st.cache_resource(show_spinner=False, max_entries=8)
def model(weights: Weights) -> DISTA:
    """The model with these very weights; ValueError where others have taken their place."""
    from dista.checkpoint import load
    from dista.files.weights import digest

    loaded = load(weights.path)
    if version(digest(loaded), loaded.config) != weights.version:
        raise ValueError(f"the weights in {weights.path} have just been replaced; reload the page")
    return loaded
