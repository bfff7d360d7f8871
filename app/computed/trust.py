"""How far to trust an attention map: its row sums, and untrained networks beside it; cached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.computed import models, recordings
from app.inputs import checkpoints, identity, tasks
from dista import measures
from dista.style import sentences

if TYPE_CHECKING:
    import xarray as xr

    from dista.measures import UntrainedSimilarity
    from dista.model import DISTA

NETWORKS = 5
SAMPLES = 16
BATCH = 64
MAPS = ("*.scores",)

METHOD = f"""
{NETWORKS} networks of this shape with new weights see the first {SAMPLES} held-out samples; batch normalisation has
the statistics of {BATCH} training samples. Maps before the denoiser are compared over all steps and patches, with
heads summed and the mean taken off, as correlation: 1 is alike up to a factor, 0 is alike in nothing but how full
they are. ± is one standard deviation over networks [ours]. The positive control are networks that learned the same
from another seed, where there are any among the shipped checkpoints and the runs.
"""


@st.cache_data(show_spinner="Asking networks that have learned nothing …", max_entries=64)
def untrained(
    weights: identity.Weights, controls: tuple[identity.Weights, ...] = ()
) -> list[UntrainedSimilarity]:
    """How like the maps of untrained networks, and of ``controls``, the model's are, block by block."""
    from dista.experiments.untrained import untrained_like

    model, task = models.model(weights), tasks.task(weights.data)
    x, _ = task.test.batch(range(min(SAMPLES, len(task.test))))
    batch, _ = task.train.batch(range(min(BATCH, len(task.train))))

    def maps(network: DISTA) -> xr.DataTree:
        return recordings.record(network, task, x, MAPS)

    with models.RUNNING:
        others = [maps(untrained_like(model, batch, seed)) for seed in range(NETWORKS)]
        again = [maps(models.model(control)) for control in controls]
        return measures.untrained_similarity(maps(model), others, again)


def controls(checkpoint: checkpoints.Checkpoint) -> tuple[identity.Weights, ...]:
    """Checkpoints of the same shape, task and configuration with other weights: trained from another seed."""
    same = [
        one.weights
        for one in checkpoints.runnable().values()
        if (one.task, one.data_options, one.config)
        == (checkpoint.task, checkpoint.data_options, checkpoint.config)
    ]
    others = {one.version: one for one in same if one.version != checkpoint.weights.version}
    return tuple(others.values())[:NETWORKS]


def row_sentences(recording: xr.DataTree) -> list[str]:
    """Whether the rows of each block's map are normalised, and what they sum to."""
    return [
        sentences.row_sums(block, measures.row_sums(recording, block))
        for block in measures.blocks(recording)
    ]


def similarity_sentence(similarity: UntrainedSimilarity) -> str:
    """How far a block's maps are from those of networks that have learned nothing, and how near they could be."""
    start = f"Block {similarity.block + 1}: "
    if similarity.trained is None or similarity.untrained is None:
        return start + "too many maps are empty to compare them."
    apart = similarity.untrained - similarity.trained > 2 * max(
        similarity.trained_spread or 0, similarity.untrained_spread or 0
    )
    verdict = (
        "training has moved them away."
        if apart
        else "by this measure training has not set them apart."
    )
    control = (
        "There is no network of another seed here, so how alike two trained ones are is not known."
    )
    if similarity.retrained is not None:
        control = (
            f"Trained from another seed: {_pm(similarity.retrained, similarity.retrained_spread)}."
        )
    return (
        f"{start}correlation **{_pm(similarity.trained, similarity.trained_spread)}** with an untrained network's "
        f"maps; untrained ones among themselves {_pm(similarity.untrained, similarity.untrained_spread)}: {verdict} "
        f"{control}"
    )


def _pm(mean: float, spread: float | None) -> str:
    return f"{mean:.2f}" if spread is None else f"{mean:.2f} ± {spread:.2f}"
