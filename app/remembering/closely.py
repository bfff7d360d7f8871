"""One change in one network: the answer, a membrane and the attention with and without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app.computed import reruns
from app.inputs import checkpoints
from app.link import url
from app.page import charts, choosers
from app.remembering.networks import NETWORKS
from dista.figures.theme import short

if TYPE_CHECKING:
    import xarray as xr


def show(
    checkpoint: checkpoints.Checkpoint, sample: int, other: int | None, layers: list[str], of: str,
    step: int, labels: Sequence[str] | None, problems: list[str],
) -> xr.DataTree:  # fmt: skip
    """One column of one matrix: the answer, a membrane and the attention with and without the change.

    Returns the recording that it shows.
    """
    from dista import figures, measures

    with choosers.row("closely"):
        st.markdown(f"## With step {step + 1} changed", width="content")
        network = choose_network(problems)
        layer = choose_layer(layers, checkpoint, of, problems)
    switches = NETWORKS[network][1]
    recording = reruns.changed_steps(checkpoint.weights, sample, other, switches, layer)
    neuron = measures.most_changed(recording, layer, step)
    sides, style = (0, 1 + step), {"step_labels": labels, "theme": charts.theme()}
    decisions = [measures.decision(recording, side) for side in sides]
    traces = [measures.membrane_trace(recording, layer, neuron, side) for side in sides]
    attention = [
        [
            measures.attention_over_time(recording, b, sample=side)
            for b in measures.blocks(recording)
        ]
        for side in sides
    ]
    drawn = {
        "closely-decision": figures.decision_change(*decisions, **style),
        "closely-membrane": figures.membrane_change(*traces, **style),
        "closely-attention": figures.attention_change(*attention, theme=charts.theme()),
    }
    charts.row(drawn)
    st.caption(
        f"Dotted: the input as it is; solid: with step {step + 1} changed. The membrane is that of the "
        "neuron that the change moves most later on."
    )
    return recording


def choose_network(problems: list[str]) -> str:
    network = url.choice("network", list(NETWORKS), "trained", problems)
    st.selectbox(
        "Network", list(NETWORKS), format_func=lambda name: NETWORKS[name][0],
        label_visibility="collapsed", width=250, **url.bound("network", network),
    )  # fmt: skip
    return network


def choose_layer(
    layers: list[str], checkpoint: checkpoints.Checkpoint, of: str, problems: list[str]
) -> str:
    """The layer of the membrane: that of the matrices, or else the last read-out of attention."""
    default = of.removesuffix(".membrane")
    if default not in layers:
        default = f"blocks.{checkpoint.config.depth - 1}.attention.neuron"
    layer = url.choice("layer", layers, default, problems, short)
    st.selectbox(
        "Layer", layers, format_func=lambda name: f"membrane of {short(name)}",
        label_visibility="collapsed", width=250, **url.bound("layer", layer),
    )  # fmt: skip
    return layer
