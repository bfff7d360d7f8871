"""The network as trained and without its memories, and what a changed step does in each of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from app.computed import reruns
from app.inputs import checkpoints
from app.page import charts, progress

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from dista.measures import CausalMemory

NETWORKS = {
    "trained": ("As trained", ()),
    "neurons": ("Without neuron memory", ("neuron-memory",)),
    "attention": ("Without attention's memory", ("memory",)),
    "both": ("Without both", ("memory", "neuron-memory")),
}
"""What each matrix is of: how it is called, and the switches that make it."""

SLOW = 0.5  # seconds from which a network is worth a picture for meanwhile
STOPPED = "memory stopped"  # in the session: until the reader asks again


def effects_of(
    checkpoint: checkpoints.Checkpoint, sample: int, other: int | None, place: DeltaGenerator
) -> dict[str, dict[str, CausalMemory]]:
    """The effects in each of the four networks; a bar while they are being computed, in ``place``."""
    effects, said, meanwhile = {}, "changing one step after the other …", st.empty()
    then = "Leave it; the networks that are done are kept for the next time"
    with place, progress.working("effects", said.capitalize(), stop, then=then) as report:
        for name, (title, switches) in NETWORKS.items():
            report(len(effects) / len(NETWORKS), f"{title}: {said}")
            began = time.monotonic()
            effects[name] = reruns.effects(checkpoint.weights, sample, other, switches)
            if time.monotonic() - began > SLOW and len(effects) < len(NETWORKS):
                with meanwhile.container():
                    _show_first(effects)
    meanwhile.empty()
    return effects


def _show_first(effects: dict[str, dict[str, CausalMemory]]) -> None:
    """What the networks that are done say of the logits, while the others run."""
    from dista import figures

    with st.container(key=f"matrices-at-first-{len(effects)}"):
        columns = st.columns(len(NETWORKS))
    for column, (name, each) in zip(columns, effects.items()):
        figure = figures.causal_memory(
            each["head"], subject=NETWORKS[name][0], theme=charts.theme()
        )
        with column:
            charts.plot(figure, f"at-first-{len(effects)}-{name}")


def stop() -> None:
    st.session_state[STOPPED] = True


def go_on() -> None:
    del st.session_state[STOPPED]
