"""What the pages share and what is cached: checkpoints, recordings, and how errors are said."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.computed import map_sizes
from app.inputs import own_input
from app.inputs.identity import Data, Weights, stamp, version
from app.link import plain
from dista import checkpoint as checkpoints_on_disk
from dista.config import ModelConfig
from dista.files.card import Card
from dista.memories import FORMS
from dista.widgets.payload import probe_payload

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from torch import Tensor

    from dista.data import Task
    from dista.experiments.corruption import Noise
    from dista.model import DISTA
    from dista.widgets.packing import Payload


def theme() -> str:
    """The page's theme, "light" or "dark"; light where the browser has not said yet."""
    return st.context.theme.type or "light"


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what users can cause into a sentence on the page; what is a bug stays one."""
    try:
        yield
    except KeyError as error:
        plain.error(f"Something is missing: {error.args[0] if error.args else error}")
    except (ValueError, IndexError, OSError) as error:
        plain.error(sentence(error))


def sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


# Checkpoints and recordings --------------------------------------------------------------------


@dataclass(frozen=True)
class Checkpoint:
    """What a chooser needs to know of a checkpoint, read without its weights."""

    name: str
    path: str
    task: str | None
    accuracy: float | None
    samples: int | None
    config: ModelConfig
    root: str | None = None

    @property
    def data(self) -> Data:
        return Data(self.task, self.root, self.config.time_steps)

    @functools.cached_property
    def weights(self) -> Weights:
        """The weights that are there now, the same for the rest of this run of the page.

        A training may replace them at any moment: no part of a page may show others than the rest.
        """
        folder = Path(self.path)
        digest = _digest(self.path, stamp(folder / checkpoints_on_disk.WEIGHTS))
        return Weights(self.path, version(digest, self.config), self.data)

    @property
    def title(self) -> str:
        memory = FORMS[self.config.memory.form].title
        fixed = "" if self.config.neuron.learn_tau else ", fixed tau"
        measured = "not measured" if self.accuracy is None else f"{100 * self.accuracy:.1f} %"
        return f"{self.task or self.name} · {memory}{fixed} · {measured}"


def checkpoints() -> dict[str, Checkpoint]:
    """The shipped checkpoints by name; for those that are left out see ``damaged``."""
    return _shipped()[0]


def damaged() -> dict[str, str]:
    """Why a shipped checkpoint is left out, by its name."""
    return _shipped()[1]


def _shipped() -> tuple[dict[str, Checkpoint], dict[str, str]]:
    folder = checkpoints_on_disk.assets()
    return _checkpoints(str(folder), times(*sorted(folder.glob("*/*.json"))))


def times(*files: Path) -> tuple[float, ...]:
    """When files were last written: part of the key of what is read from them; 0 for one that is gone."""
    found = []
    for file in files:
        try:
            found.append(file.stat().st_mtime)
        except OSError:
            found.append(0.0)
    return tuple(found)


@st.cache_data(show_spinner=False, max_entries=4)
def _checkpoints(
    folder: str, changed: tuple[float, ...]
) -> tuple[dict[str, Checkpoint], dict[str, str]]:
    found, left_out = {}, {}
    for name, path in checkpoints_on_disk.shipped().items():
        try:
            found[name] = checkpoint_at(name, path)
        except (ValueError, OSError) as error:
            left_out[name] = sentence(error)
    return found, left_out


def checkpoint_at(name: str, path: Path, root: str | None = None) -> Checkpoint:
    """What the card and the configuration in the folder ``path`` say; ValueError where they are damaged.

    ``root`` is the folder of the task's files, where it is known.
    """
    card = Card(**checkpoints_on_disk.read_card(path))
    return Checkpoint(
        name=name,
        path=str(path),
        task=card.task,
        accuracy=card.test.accuracy,
        samples=card.test.samples,
        config=checkpoints_on_disk.read_config(path),
        root=root,
    )


RUNNING = threading.RLock()
"""Held while a model runs: two at once would share the processor's cores, and both come late."""


@st.cache_resource(show_spinner=False, max_entries=8)
def model(weights: Weights) -> DISTA:
    """The model with these very weights; ValueError where others have taken their place."""
    from dista.checkpoint import load
    from dista.files.weights import digest

    loaded = load(weights.path)
    if version(digest(loaded), loaded.config) != weights.version:
        raise ValueError(f"the weights in {weights.path} have just been replaced; reload the page")
    return loaded


@st.cache_data(show_spinner=False, max_entries=256)
def _digest(path: str, stamp: tuple) -> str:
    return checkpoints_on_disk.digest(path)


def task(data: str | Data) -> Task:
    """The task, opened once; ValueError where its files are not on this server."""
    name, root, steps = Data(data) if isinstance(data, str) else data
    above = os.environ.get("DISTA_DATA")
    folders = [root, str(Path(above, name)) if above else None]
    folder = next((one for one in folders if one and Path(one).is_dir()), None)
    return _task(name, folder, tuple(steps_of(name, steps).items()))


def steps_of(name: str, steps: int | None) -> dict[str, int]:
    """The option with which ``dista.data.open`` gives the task so many steps, {} where it needs none."""
    import dista.data

    known = steps is not None and name in dista.data.names()
    return dista.data.chosen_steps(name, steps) if known else {}


@st.cache_resource(show_spinner=False)
def _task(name: str, folder: str | None, options: tuple[tuple[str, int], ...]) -> Any:
    import dista.data

    if name not in dista.data.FROM_FILES:
        return dista.data.open(name, **dict(options))
    if folder is None:
        raise ValueError(
            f"this checkpoint was trained on {name}, whose files are not on this server; bring your own "
            f"input, or start the server with the variable DISTA_DATA naming the folder above {name}"
        )
    return dista.data.open(name, root=folder, **dict(options))


def form(data: Data) -> Task:
    """The task as far as it is here: without its samples where its files are not on this server."""
    import dista.data

    try:
        return task(data)
    except ValueError:
        if data.name not in dista.data.FROM_FILES:
            raise
        return dista.data.without_samples(data.name, time_steps=data.steps)


def first_light() -> xr.DataTree | None:
    """The shipped recording, with which the first page opens without loading torch."""
    path = checkpoints_on_disk.assets() / "first-light.zarr.zip"
    if path.is_file():
        with contextlib.suppress(ValueError, OSError):  # damaged: the page then records anew
            return open_recording(path)
    return None


def open_recording(path: Path) -> xr.DataTree:
    """A recording in a file or folder; RecordingError where it is damaged or something else."""
    return _open(str(path), stamp(path) if path.exists() else ())


@st.cache_resource(show_spinner=False, max_entries=4)
def _open(path: str, stamp: tuple) -> xr.DataTree:
    from dista.files.recordings import open_recording

    return open_recording(path)


def of_same_weights(recording: xr.DataTree | None, checkpoint: Checkpoint) -> bool:
    """Whether ``recording`` was made with the weights, and the configuration, of this checkpoint."""
    if recording is None or recording.attrs.get("model") != checkpoint.name:
        return False  # by its name at once: weights are read only where they may be the same
    with contextlib.suppress(ValueError, OSError):
        config = ModelConfig.from_json(recording.attrs.get("model_config", ""))
        made_by = version(recording.attrs.get("weights", ""), config)
        return made_by == checkpoint.weights.version
    return False


def recording(checkpoint: Checkpoint, sample: int, image: str | None) -> xr.DataTree:
    """What the checkpoint does with a held-out sample, or with the own input of ``controls``."""
    first = first_light() if image is None else None
    if of_same_weights(first, checkpoint) and first["batch"].values.tolist() == [sample]:
        return first
    return record_input(checkpoint.weights, sample, image)


@st.cache_resource(
    show_spinner="Recording what every neuron does with this sample …", max_entries=16
)
def record_input(
    weights: Weights, sample: int, image: str | None, noise: Noise | None = None
) -> xr.DataTree:
    """Everything that the model does with a held-out sample, or an own input, with ``noise`` or none."""
    x, labels = inputs(weights.data, sample, image, noise)
    return record(model(weights), form(weights.data), x, labels=labels, samples=[sample])


def inputs(
    data: Data, sample: int, image: str | None, noise: Noise | None = None
) -> tuple[Tensor, list[int] | None]:
    """A held-out sample and its label, or the own input, whose label nobody knows; with ``noise``, if any."""
    if image is None:
        x, y = task(data).test.batch([sample])
        labels = y.tolist()
    else:
        x, labels = own_input.put(image, form(data), sample), None
    if noise is not None:
        from dista.experiments.corruption import corrupt

        x = corrupt(x, noise, [sample], counts=form(data).test.unit == 1)
    return x, labels


def record(model: DISTA, task: Task, x: Tensor, names: Any = "*", **labels: Any) -> xr.DataTree:
    """``dista.record`` with what the pages show beside it: names of classes and steps.

    What does not fit is left out, and said in the attribute ``left_out``; see ``room``.
    """
    import dista

    fitting, left_out = map_sizes.fitting(model, x, names)
    with RUNNING:
        result = dista.record(model, x, fitting, classes=task.classes, **labels)
    if left_out:
        result.attrs["left_out"] = left_out
    result.attrs["task"] = task.name
    if task.step_labels:
        result.attrs["step_labels"] = list(task.step_labels)
    return result


def numbers(recording: xr.DataTree) -> dict[str, pd.DataFrame]:
    """What the probe shows in numbers: each layer's, and the logits of each step."""
    import pandas as pd

    from dista.measures import neuron_table

    layers = pd.DataFrame(neuron_table(recording))
    return {"layers": layers, "logits": recording["head"].to_dataframe("logit").reset_index()}


@st.cache_data(show_spinner=False, max_entries=64)
def payload(_recording: xr.DataTree, *key: Any, position: int = 0) -> Payload:
    """One sample of the recording packed for the probe; ``key`` says which recording it is."""
    labels = _recording.attrs.get("step_labels")
    return probe_payload(
        _recording,
        position,
        step_labels=labels,
        step_sentences=step_sentences(labels) if labels else None,
        class_names=_recording.attrs.get("classes"),
    )


def foreign_payload(recording: xr.DataTree, path: Path, position: int) -> Payload:
    """``payload`` of a recording from a file of the reader's own; ValueError where it is none of a network."""
    if "input" not in recording:
        raise ValueError(f"{path} is not a readable recording: it holds no input")
    if (size := map_sizes.of_maps(recording)) > map_sizes.MOST:
        raise ValueError(
            f"the attention maps in {path} have {size >> 20} MB; {map_sizes.MOST >> 20} can be shown"
        )
    try:
        return payload(recording, str(path), stamp(path), position=position)
    except Exception as error:  # whatever axes, sizes and values that are not ours come to
        raise ValueError(
            f"{path} is not a readable recording of such a network: {sentence(error)}"
        ) from error


def step_sentences(labels: Sequence[str]) -> list[str] | None:
    """What happens at each step of the matching task; None for other labels."""
    if set(labels) != {"cue", "delay", "probe"}:
        return None
    last_cue = max(step for step, label in enumerate(labels) if label == "cue")
    said = {
        "cue": "the cue is shown; nothing to compare it with yet",
        "delay": "only noise is shown; the cue lives on in membranes and in attention's memory",
    }
    sentences = []
    for step, label in enumerate(labels):
        ago = step - last_cue
        probe = f"the probe is compared with a cue last seen {ago} step{'s' * (ago != 1)} ago"
        sentences.append(said.get(label, probe))
    return sentences
