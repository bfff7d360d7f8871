"""Models run again on changed inputs or without some of their parts, for the pages; cached.

Results are small and kept in many; recordings are large and kept in few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from app.computed import models, recordings
from app.inputs import checkpoints, tasks

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from app.inputs.identity import Weights
    from app.link.switches import Experiment
    from dista.measures import Answers, CausalMemory

Switches = tuple[str, ...]


# One step changed -------------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=256)
def effects(
    weights: Weights, sample: int, other: int | None, switches: Switches
) -> dict[str, CausalMemory]:
    """What a change of one step does later, for the logits, each map and each membrane, by name.

    The changed step is blank, or that of the sample ``other``.
    """
    from dista import measures

    names = ("head", "*.denoise", "*.membrane")
    recording = _changed_steps(weights, sample, other, switches, names)
    compared = ["head"]
    compared += [f"blocks.{block}.attention.denoise" for block in measures.blocks(recording)]
    compared += [f"{layer}.membrane" for layer in measures.layers(recording)]
    return {name: measures.causal_memory(recording, name) for name in compared}


@st.cache_resource(show_spinner="Running the network …", max_entries=16)
def changed_steps(
    weights: Weights, sample: int, other: int | None, switches: Switches, layer: str
) -> xr.DataTree:
    """The input and its copies with one step changed: answers, maps, and the neurons of ``layer``."""
    names = ("head", "*.denoise", f"{layer}.*")
    return _changed_steps(weights, sample, other, switches, names)


def _changed_steps(
    weights: Weights, sample: int, other: int | None, switches: Switches, names: tuple[str, ...]
) -> xr.DataTree:
    from dista.experiments import evaluation
    from dista.experiments.ablations import ablated
    from dista.experiments.counterfactuals import changed_steps

    model, task = models.model(weights), tasks.task(weights.data)
    x, label = task.test.batch([sample])
    others = evaluation.others(task.test, [sample], switches)
    new = None if other is None else task.test.batch([other])[0]
    batch = changed_steps(x, model.config.time_steps, new)
    labels = label.tolist() * batch.shape[1]
    with models.RUNNING, ablated(model, switches, others):
        return recordings.record(model, task, batch, names, labels=labels)


@st.cache_data(show_spinner=False, max_entries=1024)
def cue_effects(weights: Weights, part: range, blank: bool, switches: Switches) -> np.ndarray:
    """What a change of the cue does to the answers to a batch of held-out samples (sample,), in logits.

    The cue is blank, or that of the next held-out sample.
    """
    from dista import measures
    from dista.experiments import evaluation
    from dista.experiments.ablations import ablated
    from dista.experiments.counterfactuals import changed_cue, cue_steps

    model, task = models.model(weights), tasks.task(weights.data)
    steps, split = model.config.time_steps, task.test
    x, _ = split.batch(part)
    others = evaluation.others(split, part, switches)
    other = None if blank else split.batch([(sample + 1) % len(split) for sample in part])[0]
    changed = changed_cue(x, steps, cue_steps(task.step_labels), other)
    with models.RUNNING, ablated(model, switches, others):
        before, after = (recordings.record(model, task, each, "head") for each in (x, changed))
    return measures.cue_effect(before, after).effect


@st.cache_resource(show_spinner="Running the network …", max_entries=8)
def own_account(weights: Weights, sample: int) -> xr.DataTree:
    """What attention itself shows of earlier steps: its maps, and what each lag adds."""
    task = tasks.task(weights.data)
    x, _ = task.test.batch([sample])
    return recordings.record(models.model(weights), task, x, ("*.denoise", "*.lags.*"))


# Held-out samples -------------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=4096)
def answer(weights: Weights, part: range, experiment: Experiment) -> Answers:
    """What the model answers to a batch of held-out samples; each batch is kept by itself.

    So a page can show progress and be left in the middle, and what was run is not run again.
    """
    from dista.experiments import evaluation

    model, split = models.model(weights), tasks.task(weights.data).test
    with models.RUNNING:
        return evaluation.answer(model, split, part, experiment.switches, noise=experiment.noise)


def answers(
    networks: Mapping[str, tuple[checkpoints.Checkpoint, Experiment]], limit: int, report: Callable[[int], None]
) -> dict[str, Answers]:  # fmt: skip
    """What each network, a checkpoint and what is changed in it, answers to the first ``limit`` held-out samples.

    All take the same samples in step; ``report`` hears of how many after every batch.
    """
    from dista.experiments import evaluation

    (first, _), *_ = networks.values()
    parts: dict[str, list[Answers]] = {name: [] for name in networks}
    for part in evaluation.batches(tasks.task(first.data).test, limit):
        for name, (checkpoint, experiment) in networks.items():
            parts[name].append(answer(checkpoint.weights, part, experiment))
        report(part.stop)
    return {name: evaluation.join(batches) for name, batches in parts.items()}


# Side by side -------------------------------------------------------------------------------------


class Side(NamedTuple):
    """A checkpoint and what it is shown: a held-out sample, or an own image, with noise."""

    checkpoint: checkpoints.Checkpoint
    sample: int
    noise: float = 0.0
    image: str | None = None


def side(which: Side) -> xr.DataTree:
    """Everything that the checkpoint does with it."""
    from dista.experiments.corruption import Noise

    checkpoint, sample, noise, image = which
    if not noise:
        return recordings.recording(checkpoint, sample, image)
    return recordings.record_input(checkpoint.weights, sample, image, Noise("gaussian", noise))
