"""Models run again on changed inputs or without some of their parts, for the pages; cached.

Results are small and kept in many; recordings are large and kept in few.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import streamlit as st

from app.computed import models, recordings
from app.inputs import checkpoints, tasks

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from app.inputs.identity import Weights
    from app.link.switches import Experiment
    from dista.data import Split
    from dista.measures import Answers, CausalMemory
    from dista.model import DISTA

Switches = tuple[str, ...]
Name = TypeVar("Name", bound=Hashable)
AT_ONCE = 2  # batches: on a laptop of two cores one for each


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
    from dista.experiments import cues

    model, task = models.model(weights), tasks.task(weights.data)
    with models.RUNNING:
        return cues.cue_effects(model, task, part, switches, blank=blank).effect


@st.cache_resource(show_spinner="Running the network …", max_entries=8)
def own_account(weights: Weights, sample: int) -> xr.DataTree:
    """What attention itself shows of earlier steps: its maps, and what each lag adds."""
    task = tasks.task(weights.data)
    x, _ = task.test.batch([sample])
    return recordings.record(models.model(weights), task, x, ("*.denoise", "*.lags.*"))


# Held-out samples -------------------------------------------------------------------------------


MOST_ANSWERS = 8192  # batches of an experiment; each has a few hundred bytes


@st.cache_resource(show_spinner=False)
def _answered() -> dict[tuple[Weights, range, Experiment], Answers]:
    """Answers to a batch of samples, by network, batch and experiment, the oldest first.

    No ``st.cache_data``, as several experiments come out of one run: each is kept by itself.
    """
    return {}


def answer(weights: Weights, part: range, experiment: Experiment) -> Answers:
    """What the model answers to a batch of held-out samples; each batch is kept by itself.

    So a page can show progress and be left in the middle, and what was run is not run again.
    """
    return answer_each(weights, [part], [experiment])[0][0]


def answer_each(
    weights: Weights, parts: Sequence[range], experiments: Sequence[Experiment]
) -> list[list[Answers]]:
    """``answer`` of every experiment, for every batch; what lies before all changes runs once for all of them.

    Batches run beside each other, each on one thread: two runs of one thread are faster than one of two.
    """
    cached = _answered()
    missing = {
        part: new
        for part in parts
        if (new := [one for one in experiments if (weights, part, one) not in cached])
    }
    if missing:
        model, split = models.model(weights), tasks.task(weights.data).test
        with models.RUNNING, one_thread_each(len(missing)) as run:
            together = run(lambda part: _together(model, split, part, missing[part]), missing)
        for part, new in zip(missing, together):
            cached |= {(weights, part, one): answers for one, answers in new.items()}
    results = [[cached[weights, part, one] for one in experiments] for part in parts]
    while len(cached) > MOST_ANSWERS:
        del cached[next(iter(cached))]
    return results


def _together(
    model: DISTA, split: Split, part: range, experiments: Sequence[Experiment]
) -> dict[Experiment, Answers]:
    """The answers to one batch: a noise in the input is the same for all changes that are made with it."""
    from dista.experiments.one_by_one import answer_each

    answers: dict[Experiment, Answers] = {}
    for noise in dict.fromkeys(one.noise for one in experiments):
        same = [one for one in experiments if one.noise == noise]
        each = [one.switches for one in same]
        answers |= zip(same, answer_each(model, split, part, each, noise=noise))
    return answers


def parts(weights: Weights) -> dict[str, list[str]]:
    """The switches that take each part of a kind away; see ``dista.experiments.one_by_one``."""
    from dista.experiments import one_by_one

    return one_by_one.parts(models.model(weights))


@contextlib.contextmanager
def one_thread_each(jobs: int) -> Iterator[Callable[..., list[Any]]]:
    """A ``map`` that runs up to as many jobs at once as torch may use threads, each of them on one."""
    import torch

    threads = torch.get_num_threads()
    if min(jobs, threads) == 1:
        yield lambda job, inputs: [job(one) for one in inputs]
        return
    one = partial(torch.set_num_threads, 1)  # torch's number is that of the thread that sets it
    try:
        with ThreadPoolExecutor(min(jobs, threads), initializer=one) as pool:
            yield lambda job, inputs: list(pool.map(job, inputs))
    finally:
        torch.set_num_threads(threads)  # it is that of threads that are yet to come, too


def answers(
    networks: Mapping[Name, tuple[checkpoints.Checkpoint, Experiment]],
    limit: int,
    report: Callable[[int], None],
    so_far: Callable[[dict[Name, Answers]], None] = lambda _: None,
) -> dict[Name, Answers]:
    """What each network, a checkpoint and what is changed in it, answers to the first ``limit`` held-out samples.

    All take the same samples in step; ``report`` hears of how many after every few batches, and ``so_far`` what
    is answered after the first of them, where there are more.
    """
    from dista.experiments import evaluation

    (first, _), *_ = networks.values()
    parts: dict[Name, list[Answers]] = {name: [] for name in networks}
    batches = evaluation.batches(tasks.task(first.data).test, limit)
    for place in range(0, len(batches), AT_ONCE):
        some = batches[place : place + AT_ONCE]
        for checkpoint in dict.fromkeys(checkpoint for checkpoint, _ in networks.values()):
            own = {name: one for name, (of, one) in networks.items() if of == checkpoint}
            for results in answer_each(checkpoint.weights, some, list(own.values())):
                for name, result in zip(own, results):
                    parts[name].append(result)
        if not place and some[-1].stop < limit:
            so_far({name: evaluation.join(own) for name, own in parts.items()})
        report(some[-1].stop)
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
