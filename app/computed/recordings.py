"""What a model does with one input, recorded once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from app.computed import map_sizes, models
from app.inputs import recording_files, tasks
from app.inputs.identity import Weights

if TYPE_CHECKING:
    import xarray as xr
    from torch import Tensor

    from app.inputs.checkpoints import Checkpoint
    from dista.data import Task
    from dista.experiments.corruption import Noise
    from dista.model import DISTA


def recording(checkpoint: Checkpoint, sample: int, image: str | None) -> xr.DataTree:
    """What the checkpoint does with a held-out sample, or with the own input of ``own_input_form``."""
    first = recording_files.first_light() if image is None else None
    if recording_files.of_same_weights(first, checkpoint) and first["batch"].values.tolist() == [
        sample
    ]:
        return first
    return record_input(checkpoint.weights, sample, image)


@st.cache_resource(
    show_spinner="Recording what every neuron does with this sample …", max_entries=16
)
def record_input(
    weights: Weights, sample: int, image: str | None, noise: Noise | None = None
) -> xr.DataTree:
    """Everything that the model does with a held-out sample, or an own input, with ``noise`` or none."""
    x, labels = tasks.batch(weights.data, sample, image, noise)
    return record(
        models.model(weights), tasks.form(weights.data), x, labels=labels, samples=[sample]
    )


class Changes(NamedTuple):
    """What is changed in a network, and in its input, while a reader plays; the defaults change nothing.

    ``u`` and ``window`` None leave the denoiser and the memory as trained. ``tau_times`` stretches the time constants
    of ``layer``, or of all layers where that is "". ``silent`` are heads (block, head), from 0. ``noise`` is the
    deviation of Gaussian noise.
    """

    u: int | None = None
    window: int | None = None
    tau_times: float = 1.0
    layer: str = ""
    silent: tuple[tuple[int, int], ...] = ()
    noise: float = 0.0

    @property
    def interventions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The changes of the network: a function of ``dista.interventions`` and its arguments, by glob."""
        changes: dict[str, tuple[str, dict[str, Any]]] = {}
        if self.u is not None:
            changes["blocks.*.attention.denoise"] = "threshold", {"u": self.u}
        if self.window is not None:
            changes["blocks.*.attention.*"] = "window", {"steps": self.window}
        if self.tau_times != 1:
            changes[f"{self.layer or '*'}.tau"] = "tau_times", {"factor": self.tau_times}
        for block in sorted({block for block, _ in self.silent}):
            heads = [head for other, head in self.silent if other == block]
            changes[f"blocks.{block}.attention.denoise"] = "silence", {"head": heads}
        return changes


@st.cache_resource(show_spinner="Running the changed network …", max_entries=24)
def changed(weights: Weights, sample: int, image: str | None, changes: Changes) -> xr.DataTree:
    """``record_input`` with changes in the network, and noise in the input."""
    import dista
    from dista.experiments import interventions
    from dista.experiments.corruption import Noise

    model, task = models.model(weights), tasks.form(weights.data)
    noise = Noise("gaussian", changes.noise) if changes.noise else None
    x, labels = tasks.batch(weights.data, sample, image, noise)
    each = {
        pattern: getattr(interventions, name)(**words)
        for pattern, (name, words) in changes.interventions.items()
    }
    with models.RUNNING, dista.intervene(model, each):
        return record(model, task, x, labels=labels, samples=[sample])


def record(model: DISTA, task: Task, x: Tensor, names: Any = "*", **labels: Any) -> xr.DataTree:
    """``dista.record`` with what the pages show beside it: names of classes and steps.

    What does not fit is left out, and said in the attribute ``left_out``; see ``map_sizes``.
    """
    import dista

    fitting, left_out = map_sizes.fitting(model, x, names)
    with models.RUNNING:
        result = dista.record(model, x, fitting, classes=task.classes, **labels)
    if left_out:
        result.attrs["left_out"] = left_out
    result.attrs["task"] = task.name
    if task.step_labels:
        result.attrs["step_labels"] = list(task.step_labels)
    return result
