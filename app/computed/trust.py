"""How far to trust an attention map: its row sums, and untrained networks beside it; cached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.computed import models, recordings
from app.inputs import identity, tasks
from dista import measures
from dista.style import sentences

if TYPE_CHECKING:
    import xarray as xr

    from dista.measures import UntrainedSimilarity

NETWORKS = 5
BATCH = 64
MAPS = ("*.scores", "*.denoise")

METHOD = f"""
{NETWORKS} networks of this shape with new weights see this sample; batch normalisation has the statistics of
{BATCH} training samples. Maps are compared over all steps and patches, with heads summed, as cosine: 1 is
alike up to a factor. ± is one standard deviation over networks [ours].
"""


@st.cache_data(show_spinner="Asking networks that have learned nothing …", max_entries=64)
def untrained(
    weights: identity.Weights, sample: int, image: str | None
) -> list[UntrainedSimilarity]:
    """How like untrained networks' maps the model's are for this input, block by block."""
    from dista.experiments.untrained import untrained_like

    model, task = models.model(weights), tasks.task(weights.data)
    x, _ = tasks.batch(weights.data, sample, image)
    batch, _ = task.train.batch(range(min(BATCH, len(task.train))))
    with models.RUNNING:
        networks = [untrained_like(model, batch, seed) for seed in range(NETWORKS)]
        others = [recordings.record(network, task, x, MAPS) for network in networks]
        return measures.untrained_similarity(recordings.record(model, task, x, MAPS), others)


def row_sentences(recording: xr.DataTree) -> list[str]:
    """Whether the rows of each block's map are normalised, and what they sum to."""
    return [
        sentences.row_sums(block, measures.row_sums(recording, block))
        for block in measures.blocks(recording)
    ]


def similarity_sentence(similarity: UntrainedSimilarity) -> str:
    """How far a block's maps are from those of networks that have learned nothing."""
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
    return (
        f"{start}cosine **{_pm(similarity.trained, similarity.trained_spread)}** to an untrained network's maps; "
        f"untrained ones among themselves {_pm(similarity.untrained, similarity.untrained_spread)}: {verdict}"
    )


def _pm(mean: float, spread: float | None) -> str:
    return f"{mean:.2f}" if spread is None else f"{mean:.2f} ± {spread:.2f}"
