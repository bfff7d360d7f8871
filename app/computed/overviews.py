"""What heads look at, in a recording that is at hand; cached by which recording it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dista import measures
from dista.measures.lookup import find

if TYPE_CHECKING:
    import xarray as xr

    from dista.measures import AttentionTo

KINDS = {"cue": "the cue", "past": "earlier steps", "drawn": "what is drawn"}


@st.cache_data(show_spinner=False, max_entries=64)
def targets(_recording: xr.DataTree, *key: Any) -> dict[str, str]:
    """What there is to look for in this recording, the most telling first: names and what they are called."""
    return {name: KINDS[name] for name in KINDS if _keys(_recording, name, None) is not None}


@st.cache_data(show_spinner=False, max_entries=64)
def attention(
    _recording: xr.DataTree, to: str, patch: tuple[int, int] | None, *key: Any
) -> list[AttentionTo]:
    """The attention of all queries to one of ``targets``, or to a patch at all steps."""
    keys = _keys(_recording, to, patch)
    return [] if keys is None else measures.attention_to(_recording, keys)


@st.cache_data(show_spinner=False, max_entries=256)
def read_out(_recording: xr.DataTree, *key: Any) -> int:
    """The first step of which the answer is the mean; 0 where no logits were recorded."""
    return measures.decision(_recording).first if "head" in _recording else 0


def _keys(recording: xr.DataTree, to: str, patch: tuple[int, int] | None) -> np.ndarray | None:
    """The keys by name, as ``measures.attention_to`` takes them; None where there are none to tell apart."""
    blocks = [b for b in measures.blocks(recording) if _map(recording, b) is not None]
    if not blocks or len(blocks) < len(measures.blocks(recording)):
        return None
    coords = _map(recording, blocks[-1]).coords
    query, key = coords["query_time"].values, coords["key_time"].values
    steps, reaches_back = int(query.max()) + 1, bool((query != key).any())
    labels = recording.attrs.get("step_labels")
    if to == "cue":
        says = labels is not None and "cue" in labels and reaches_back
        return np.array([label == "cue" for label in labels]) if says else None
    if to == "past":
        return measures.past(steps) if reaches_back else None
    if to == "drawn":
        return measures.drawn(recording, blocks[-1])
    if patch is None:
        return None
    keys = np.zeros((steps, *measures.patch_grid(recording, blocks[-1])), bool)
    keys[:, patch[0], patch[1]] = True
    return keys


def _map(recording: xr.DataTree, block: int) -> xr.DataArray | None:
    return find(recording, f"blocks.{block}.attention.denoise")
