"""What the answers know of the cue, over many held-out samples, in each of the four networks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app.computed import reruns
from app.inputs import checkpoints, tasks
from app.link import url
from app.page import charts, choosers, next_page, progress
from app.page.next_page import Way
from app.page.samples import NONE, held_out, many
from app.remembering.networks import NETWORKS
from dista.figures.theme import count

if TYPE_CHECKING:
    import numpy as np

    from dista.measures import CueEffect

SAMPLES = (NONE, "25", "100", "400")
AWAITED = (
    "How far a change of the cue moves the answer is being measured over some held-out samples: in the network as trained, "
    "with neuron memory cut, with attention's memory cut, with both cut."
)
"""Stands where the sentence of ``show`` will be, and is about as long: what is below does not jump."""


def choose_samples(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int:
    """Over how many held-out samples the cue is changed; in the URL as ``samples``."""
    samples = url.choice("samples", SAMPLES, SAMPLES[1], problems, many)
    with choosers.row("cue"):
        st.markdown("## What the answer knows of the cue, over held-out samples", width="content")
        st.segmented_control(
            "Held-out samples", SAMPLES, required=True, label_visibility="collapsed",
            format_func=many, **url.bound("samples", samples),
        )  # fmt: skip
    return min(int(samples), held_out(checkpoint))


def show(checkpoint: checkpoints.Checkpoint, samples: int, blank: bool) -> str:
    """The figure of the effects in each of the four networks; returns the page's one plain sentence."""
    from dista import figures

    if not samples:
        return "Change the cue of some held-out samples, below, to see what the answers know of it."
    results = cue_effects(checkpoint, samples, blank)
    titled = {NETWORKS[name][0]: result for name, result in results.items()}
    charts.plot(figures.cue_effects(titled, theme=charts.theme()), "cue-effects")
    cut = "memory,neuron-memory" if checkpoint.config.memory.window > 1 else "neuron-memory"
    off = {"switches": cut, "samples": samples}
    next_page.offer(
        Way("ablate", "Without each memory, on these samples", off), key="next-pages-cue"
    )
    return sentence(results, blank)


def cue_effects(
    checkpoint: checkpoints.Checkpoint, samples: int, blank: bool
) -> dict[str, CueEffect]:
    """What a change of the cue does to the answers in each network; a bar while they are asked."""
    import numpy as np

    from dista import measures
    from dista.experiments.evaluation import batches

    parts = batches(tasks.task(checkpoint.data).test, samples)
    effects: dict[str, list[np.ndarray]] = {name: [] for name in NETWORKS}
    leave, what = partial(url.write, samples=SAMPLES[0]), count(samples, "held-out sample")
    with progress.measuring(leave, what, "cue") as report:
        for done, part in enumerate(parts):
            for place, (name, (_, switches)) in enumerate(NETWORKS.items(), 1):
                effects[name].append(reruns.cue_effects(checkpoint.weights, part, blank, switches))
                report((done + place / len(NETWORKS)) / len(parts))
    return {name: measures.mean_effect(np.concatenate(each)) for name, each in effects.items()}


def sentence(results: dict[str, CueEffect], blank: bool) -> str:
    """The answer of the page, in one line."""
    said = {
        name: f"{result.mean:.2f} ({result.low:.2f} to {result.high:.2f})"
        for name, result in results.items()
    }
    cue = "A blank cue" if blank else "Another cue"
    samples = count(len(results["trained"].effect), "sample")
    return (
        f"{cue} moves the trained network's answer by {said['trained']} logits, over {samples}. With neuron memory cut it "
        f"moves it by {said['neurons']}, with attention's cut by {said['attention']}, with both cut by {said['both']}."
    )
