"""Models run with something changed, for the pages, and cached: interventions, noise, many samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from app.computed import models, recordings, reruns
from app.inputs import checkpoints, tasks
from app.inputs.identity import Weights
from app.link.switches import Experiment
from dista.config import ModelConfig
from dista.measures.noise import LEVELS

if TYPE_CHECKING:
    import xarray as xr
    from plotly.graph_objects import Figure
    from torch import nn

    from dista.experiments.corruption import Noise
    from dista.figures.theme import Theme
    from dista.measures import (
        Anytime,
        ClassRates,
        Convention,
        Energy,
        FiringMap,
        LayerTimes,
        MembraneHistogram,
        NoiseCurve,
    )

OBSERVABLES = ("*.spikes", "*.membrane", "*.current", "*.tau", "*.scores", "*.denoise", "head")
"""What the pages look at in a changed model."""

DENOISERS = "blocks.*.attention.denoise"

# Neurons ----------------------------------------------------------------------------------------


class Surgery(NamedTuple):
    """What is done to time constants: those of ``layer``, or of all layers where it is None.

    ``kind`` is "learned" (nothing is done), "set" (to ``tau`` steps), "initial" (as before training)
    or the name of a checkpoint whose taus are put in.
    """

    kind: str = "learned"
    layer: str | None = None
    tau: float = 2.0

    @property
    def pattern(self) -> str:
        """The glob of the time constants that it changes."""
        return f"{self.layer or '*.neuron'}.tau"

    @property
    def donor(self) -> Weights | None:
        """The weights whose taus are put in, if that is what is done."""
        if self.kind in ("learned", "set", "initial"):
            return None
        return checkpoints.shipped()[self.kind].weights


def changes(surgery: Surgery, model: nn.Module) -> dict:
    """The surgery as changes for ``dista.intervene``."""
    from fnmatch import fnmatchcase

    from dista.experiments import ablations, interventions

    if surgery.kind == "learned":
        return {}
    if surgery.kind == "set":
        return {surgery.pattern: interventions.tau(surgery.tau)}
    taus: Mapping[str, Any]
    if surgery.kind == "initial":
        taus, whose = ablations.changes(["learned-taus"], model), "the card of this checkpoint"
    else:
        taus, whose = interventions.transplant(model, models.model(surgery.donor)), surgery.kind
    taken = {name: tau for name, tau in taus.items() if fnmatchcase(name, surgery.pattern)}
    if not taken:
        raise ValueError(f"{whose} has no layer {surgery.layer}; choose another checkpoint")
    return taken


@st.cache_resource(
    show_spinner="Running the network …",
    max_entries=24,
    hash_funcs={Surgery: lambda surgery: (*surgery, surgery.donor)},
)
def operated(
    weights: Weights, sample: int, image: str | None, surgery: Surgery = Surgery()
) -> xr.DataTree:
    """What the model does with a sample, or an own image, after a surgery."""
    import dista

    model, task = models.model(weights), tasks.form(weights.data)
    x, labels = tasks.batch(weights.data, sample, image)
    with models.RUNNING, dista.intervene(model, changes(surgery, model)):
        return recordings.record(model, task, x, OBSERVABLES, labels=labels, samples=[sample])


# Noise --------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner="Running the network …", max_entries=24)
def noisy(
    weights: Weights, sample: int, image: str | None, noise: Noise | None, u: float | None
) -> xr.DataTree:
    """What the model does with a noisy sample, where its denoisers have the threshold ``u``.

    ``noise`` None is the sample as it is, ``u`` None leaves the denoisers as they were trained.
    """
    import dista

    model, task = models.model(weights), tasks.form(weights.data)
    x, labels = tasks.batch(weights.data, sample, image, noise)
    denoisers = {} if u is None else {DENOISERS: dista.interventions.threshold(u)}
    with models.RUNNING, dista.intervene(model, denoisers):
        return recordings.record(model, task, x, ("*.scores", "*.denoise", "head"), labels=labels)


def noise_curve(
    weights: Weights,
    noise: Noise,
    thresholds: Sequence[float],
    limit: int,
    report: Callable[[float], None],
    against: float | None = None,
) -> NoiseCurve:
    """Accuracy on the first ``limit`` held-out samples; ``report`` hears which share of it is done.

    ``against`` is the threshold that the others are compared with; the first where it is none of them.
    Each batch is kept by itself: what was run before the page was left is not run again.
    """
    from dista import measures
    from dista.experiments import corruption, evaluation

    levels = LEVELS[noise.kind]
    answers = {(u, level): [] for u in thresholds for level in levels}
    parts = evaluation.batches(tasks.task(weights.data).test, limit)
    for i, part in enumerate(parts):
        for j, (u, level) in enumerate(answers):
            experiment = Experiment((f"u={u:g}",), noise._replace(level=level))
            answers[u, level].append(reruns.answer(weights, part, experiment))
            report((i + (j + 1) / len(answers)) / len(parts))
    joined = {key: evaluation.join(batches) for key, batches in answers.items()}
    split, place = tasks.task(weights.data).test, against if against in thresholds else None
    x, _ = split.batch(parts[0])
    noises = [noise._replace(level=level) for level in levels]
    added = [corruption.added(x, evaluation.noisy(split, parts[0], one)[0]) for one in noises]
    unit = corruption.unit(noise.kind, x.shape, counts=split.unit == 1)
    return measures.noise_curve(
        noise.kind, thresholds, levels, joined, place, unit=unit, added=added
    )


class Likeness(NamedTuple):
    """How many of ``samples`` have denoised maps that are less like the clean ones than raw maps; mean cosines."""

    less: int
    samples: int
    raw: float
    denoised: float


@st.cache_data(show_spinner="Comparing noisy maps with clean ones …", max_entries=64)
def likeness(weights: Weights, noise: Noise, u: float | None, limit: int) -> Likeness:
    """How like the clean maps the noisy ones are on the first ``limit`` held-out samples, over all blocks."""
    import dista
    from dista import measures
    from dista.experiments import evaluation

    model, task = models.model(weights), tasks.task(weights.data)
    part = range(min(limit, len(task.test)))
    inputs = task.test.batch(part)[0], evaluation.noisy(task.test, part, noise)[0]
    denoisers = {} if u is None else {DENOISERS: dista.interventions.threshold(u)}
    with models.RUNNING, dista.intervene(model, denoisers):
        pair = [recordings.record(model, task, x, ("*.scores", "*.denoise")) for x in inputs]
    clean, noisy = pair
    blocks = [measures.map_similarity(clean, noisy, sample) for sample in part]
    cosines = [
        [(b.raw, b.denoised) for b in each if None not in (b.raw, b.denoised)] for each in blocks
    ]
    means = np.array([np.mean(each, 0) for each in cosines if each]).reshape(-1, 2)
    raw, denoised = means.mean(0) if len(means) else (np.nan, np.nan)
    return Likeness(int((means[:, 1] < means[:, 0]).sum()), len(means), float(raw), float(denoised))


# Many samples -----------------------------------------------------------------------------------


@st.cache_resource(show_spinner="Counting spikes over held-out samples …", max_entries=16)
def population(weights: Weights, samples: int) -> FiringMap:
    """How much every layer fires on the first held-out samples."""
    from dista.measures import firing_map

    task = tasks.task(weights.data)
    x, _ = task.test.batch(range(samples))
    _counted().add((weights, samples))
    return firing_map(recordings.record(models.model(weights), task, x, ["*.spikes"]))


@st.cache_resource(show_spinner=False)
def _counted() -> set[tuple[Weights, int]]:
    """Of which samples ``population`` has been computed."""
    return set()


def is_counted(weights: Weights, samples: int) -> bool:
    """Whether ``population`` is there at once; otherwise fewer samples are a picture for meanwhile."""
    return (weights, samples) in _counted()


@st.cache_data(show_spinner="Asking which neurons fire for what …", max_entries=64)
def class_rates(weights: Weights, layer: str, samples: int) -> ClassRates:
    """How the channels of a layer tell classes apart, on the first held-out samples."""
    from dista import measures

    task, model = tasks.task(weights.data), models.model(weights)
    x, labels = task.test.batch(range(min(samples, len(task.test))))
    recording = recordings.record(model, task, x, [f"{layer}.spikes"], labels=labels.tolist())
    return measures.class_rates(recording, layer, model.config.classes)


@st.cache_resource(show_spinner=False, max_entries=32)
def population_figure(weights: Weights, samples: int, theme: Theme) -> Figure:
    """``population`` as the package draws it; kept, as it does not change while a tau is moved."""
    from dista import figures

    return figures.firing_map(population(weights, samples), theme=theme)


def operations(
    weights: Weights, limit: int, report: Callable[[float], None], convention: Convention = "accumulates"
) -> tuple[Energy, Anytime]:  # fmt: skip
    """Operations on the first ``limit`` held-out samples, and the answers when stopped early.

    What was counted is kept: another ``convention`` needs no other run.
    """
    from dista import measures
    from dista.experiments import evaluation
    from dista.experiments.operations import joined

    parts = evaluation.batches(tasks.task(weights.data).test, limit)
    counted, labels = [], []
    for done, part in enumerate(parts, 1):
        counts, label = count(weights, part)
        counted.append(counts)
        labels.append(label)
        report(done / len(parts))
    counts = joined(counted)
    return (
        measures.energy(counts, convention),
        measures.anytime(counts, np.concatenate(labels), convention),
    )


@st.cache_resource(show_spinner=False, max_entries=1024)
def count(weights: Weights, part: range) -> tuple[xr.Dataset, np.ndarray]:
    """Operations on a batch of held-out samples, and the samples' labels."""
    from dista.experiments.operations import count

    x, label = tasks.task(weights.data).test.batch(part)
    with models.RUNNING:
        return count(models.model(weights), x), label.numpy()


@st.cache_resource(show_spinner="Timing each layer …", max_entries=64)
def layer_times(weights: Weights, limit: int) -> LayerTimes:
    """Time of each layer at each step beside its operations, on the first held-out samples; measured once."""
    from dista.experiments.layer_times import layer_times

    x, _ = tasks.task(weights.data).test.batch(range(limit))
    with models.RUNNING:
        return layer_times(models.model(weights), x)


def slope(recording: xr.DataTree, histogram: MembraneHistogram) -> np.ndarray:
    """The surrogate gradient that the recorded model trains with, in the middle of each bin."""
    neuron = ModelConfig.from_json(recording.attrs["model_config"]).neuron
    distances = (histogram.edges[:-1] + histogram.edges[1:]) / 2 - histogram.threshold
    return _slope(neuron.surrogate, neuron.alpha, tuple(distances.tolist()))


@st.cache_resource(show_spinner="Looking up the surrogate gradient …", max_entries=64)
def _slope(name: str, alpha: float | None, distances: tuple[float, ...]) -> np.ndarray:
    import torch

    from dista.neurons import surrogate_gradient

    return surrogate_gradient(torch.tensor(distances), name, alpha).numpy()
