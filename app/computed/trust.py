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
    from torch import nn

    from dista.measures import UntrainedSimilarity

NETWORKS, FEWER = 5, 2
SAMPLES = 16
BATCH = 64
MAPS = ("*.scores",)

READ = (
    "A correlation of 1 is alike up to a factor, 0 is alike in nothing but how full the maps are. **Low** with untrained "
    "networks: these maps came about in training. **High** with networks trained from another seed: training comes to such "
    "maps again. Were it as high with untrained ones, the shape of the network alone would make them."
)

METHOD = f"""
{NETWORKS} networks of this shape with new weights see the first {SAMPLES} held-out samples; batch normalisation has
the statistics of {BATCH} training samples. Maps before the denoiser are compared over all steps and patches, with
heads summed and the mean taken off, as correlation. ± is one standard deviation over networks [ours]. The positive control are networks that learned the same
from another seed, where there are any among the shipped checkpoints and the runs.
"""


def untrained(
    weights: identity.Weights, controls: tuple[identity.Weights, ...] = (), networks: int = NETWORKS
) -> list[UntrainedSimilarity]:
    """How like the maps of ``networks`` untrained ones, and of ``controls``, the model's are, block by block."""
    others = [_maps(weights, weights, seed) for seed in range(networks)]
    again = [_maps(control, weights, None) for control in controls]
    return _compared(weights, controls, networks, _maps(weights, weights, None), others, again)


def is_there(weights: identity.Weights, controls: tuple[identity.Weights, ...] = ()) -> bool:
    """Whether ``untrained`` has been compared before; otherwise FEWER networks say something meanwhile."""
    return (weights, controls, NETWORKS) in _done()


@st.cache_resource(show_spinner=False)
def _done() -> set[tuple[identity.Weights, tuple[identity.Weights, ...], int]]:
    return set()


@st.cache_data(show_spinner=False, max_entries=64)
def _compared(
    weights: identity.Weights, controls: tuple[identity.Weights, ...], networks: int,
    _own: xr.DataTree, _others: list[xr.DataTree], _again: list[xr.DataTree],
) -> list[UntrainedSimilarity]:  # fmt: skip
    _done().add((weights, controls, networks))
    return measures.untrained_similarity(_own, _others, _again)


@st.cache_resource(show_spinner="Asking networks that have learned nothing …", max_entries=16)
def _maps(weights: identity.Weights, shown: identity.Weights, seed: int | None) -> xr.DataTree:
    """The maps of a model, or of an untrained one like it, of what the model ``shown`` is asked."""
    from dista.experiments.untrained import untrained_like

    model: nn.Module = models.model(weights)
    task = tasks.task(shown.data)
    x, _ = task.test.batch(range(min(SAMPLES, len(task.test))))
    with models.RUNNING:
        if seed is not None:
            batch, _ = task.train.batch(range(min(BATCH, len(task.train))))
            model = untrained_like(model, batch, seed)
        return recordings.record(model, task, x, MAPS)


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
