"""Models run again on changed inputs or without some of their parts, for the pages; cached.

Results are small and kept in many; recordings are large and kept in few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import state
import streamlit as st

if TYPE_CHECKING:
    import xarray as xr
    from switches import Chosen

    from dista.corruption import Noise
    from dista.measures import Answers, CausalMemory

Switches = tuple[str, ...]


# One step changed -------------------------------------------------------------------------------


def effects(
    checkpoint: state.Checkpoint, sample: int, other: int | None, switches: Switches
) -> dict[str, CausalMemory]:
    """What a change of one step does later, for the logits, each map and each membrane, by name.

    The changed step is blank, or that of the sample ``other``.
    """
    key = checkpoint.path, state.changed(checkpoint), checkpoint.data
    return _effects(*key, sample, other, switches)


@st.cache_data(show_spinner=False, max_entries=256)
def _effects(
    path: str, changed: float, data: state.Data, sample: int, other: int | None, switches: Switches
) -> dict[str, CausalMemory]:
    from dista import measures

    names = ("head", "*.denoise", "*.membrane")
    recording = _changed_steps(path, changed, data, sample, other, switches, names)
    compared = ["head"]
    compared += [f"blocks.{block}.attention.denoise" for block in measures.blocks(recording)]
    compared += [f"{layer}.membrane" for layer in measures.layers(recording)]
    return {name: measures.causal_memory(recording, name) for name in compared}


def changed_steps(
    checkpoint: state.Checkpoint, sample: int, other: int | None, switches: Switches, layer: str
) -> xr.DataTree:
    """The input and its copies with one step changed: answers, maps, and the neurons of ``layer``."""
    key = checkpoint.path, state.changed(checkpoint), checkpoint.data
    return _kept_steps(*key, sample, other, switches, layer)


@st.cache_resource(show_spinner="Running the network …", max_entries=16)
def _kept_steps(
    path: str, changed: float, data: state.Data, sample: int, other: int | None, switches: Switches, layer: str
) -> xr.DataTree:  # fmt: skip
    names = ("head", "*.denoise", f"{layer}.*")
    return _changed_steps(path, changed, data, sample, other, switches, names)


def _changed_steps(
    path: str, changed: float, data: state.Data, sample: int, other: int | None, switches: Switches,
    names: tuple[str, ...],
) -> xr.DataTree:  # fmt: skip
    from dista.ablations import ablated
    from dista.counterfactuals import changed_steps

    model, task = state.model(path, changed), state.task(data)
    x, label = task.test.batch([sample])
    new = None if other is None else task.test.batch([other])[0]
    batch = changed_steps(x, model.config.time_steps, new)
    labels = label.tolist() * batch.shape[1]
    with state.RUNNING, ablated(model, switches):
        return state.record(model, task, batch, names, labels=labels)


def own_account(checkpoint: state.Checkpoint, sample: int) -> xr.DataTree:
    """What attention itself shows of earlier steps: its maps, and what each lag adds."""
    return _own_account(checkpoint.path, state.changed(checkpoint), checkpoint.data, sample)


@st.cache_resource(show_spinner="Running the network …", max_entries=8)
def _own_account(path: str, changed: float, data: state.Data, sample: int) -> xr.DataTree:
    x, _ = state.task(data).test.batch([sample])
    names = ("*.denoise", "*.lags.*")
    return state.record(state.model(path, changed), state.task(data), x, names)


# Held-out samples -------------------------------------------------------------------------------


def answer(checkpoint: state.Checkpoint, part: range, chosen: Chosen) -> Answers:
    """What the checkpoint answers to a batch of held-out samples; each batch is kept by itself.

    So a page can show progress and be left in the middle, and what was run is not run again.
    """
    key = checkpoint.path, state.changed(checkpoint), checkpoint.data
    return _answer(*key, part.start, part.stop, *chosen)


@st.cache_data(show_spinner=False, max_entries=4096)
def _answer(
    path: str,
    changed: float,
    data: state.Data,
    low: int,
    high: int,
    switches: Switches,
    noise: Noise | float,
) -> Answers:
    from dista import evaluation

    split = state.task(data).test
    with state.RUNNING:
        return evaluation.answer(
            state.model(path, changed), split, range(low, high), switches, noise=noise
        )


def answers(
    experiments: Mapping[str, tuple[state.Checkpoint, Chosen]], limit: int, seen: Callable[[int], None]
) -> dict[str, Answers]:  # fmt: skip
    """What each checkpoint, with its switches, answers to the first ``limit`` held-out samples.

    All take the same samples in step; ``seen`` hears of how many after every batch.
    """
    from dista import evaluation

    (first, _), *_ = experiments.values()
    parts: dict[str, list[Answers]] = {name: [] for name in experiments}
    for part in evaluation.batches(state.task(first.data).test, limit):
        for name, (checkpoint, chosen) in experiments.items():
            parts[name].append(answer(checkpoint, part, chosen))
        seen(part.stop)
    return {name: evaluation.join(given) for name, given in parts.items()}


# Side by side -------------------------------------------------------------------------------------


class Side(NamedTuple):
    """A checkpoint and what it is shown: a held-out sample, or an own image, with noise."""

    checkpoint: state.Checkpoint
    sample: int
    noise: float = 0.0
    image: str | None = None


def side(which: Side) -> xr.DataTree:
    """Everything that the checkpoint does with it."""
    checkpoint, sample, noise, image = which
    if not noise:
        return state.recording(checkpoint, sample, image)
    return _noisy(checkpoint.path, state.changed(checkpoint), checkpoint.data, sample, image, noise)


@st.cache_resource(show_spinner="Recording what every neuron does …", max_entries=16)
def _noisy(
    path: str, changed: float, data: state.Data, sample: int, image: str | None, noise: float
) -> xr.DataTree:
    from dista.corruption import Noise

    model, task = state.model(path, changed), state.form(data)
    x, labels = state.inputs(data, sample, image, Noise("gaussian", noise))
    return state.record(model, task, x, labels=labels, samples=[sample])
