"""What the pages share and what is cached: checkpoints, recordings, and how errors are said."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import own_input
import streamlit as st

from dista import checkpoint as checkpoints_on_disk
from dista.config import ModelConfig
from dista.memories import FORMS
from dista.widgets.payload import probe_payload

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from torch import Tensor

    from dista.corruption import Noise
    from dista.data import Task
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
        st.error(f"Something is missing: {error.args[0] if error.args else error}")
    except (ValueError, IndexError, OSError) as error:
        st.error(sentence(error))


def sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


# Checkpoints and recordings --------------------------------------------------------------------


class Data(NamedTuple):
    """A task, and the folder of its files where a run says which one it was trained on."""

    name: str
    root: str | None = None


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
        return Data(self.task, self.root)

    @property
    def title(self) -> str:
        memory = FORMS[self.config.memory.form].title
        fixed = "" if self.config.neuron.learn_tau else ", fixed tau"
        measured = "not measured" if self.accuracy is None else f"{100 * self.accuracy:.1f} %"
        return f"{self.task or self.name} · {memory}{fixed} · {measured}"


def checkpoints() -> dict[str, Checkpoint]:
    """The shipped checkpoints by name; damaged ones are left out."""
    folder = checkpoints_on_disk.assets()
    changed = tuple(p.stat().st_mtime for p in sorted(folder.glob("*/*.json")))
    return _checkpoints(str(folder), changed)


@st.cache_data(show_spinner=False, max_entries=4)
def _checkpoints(folder: str, changed: tuple[float, ...]) -> dict[str, Checkpoint]:
    found = {}
    for name, path in checkpoints_on_disk.shipped().items():
        with contextlib.suppress(ValueError, OSError):
            found[name] = checkpoint_at(name, path)
    return found


def checkpoint_at(name: str, path: Path, root: str | None = None) -> Checkpoint:
    """What the card and the configuration in the folder ``path`` say; ValueError where they are damaged.

    ``root`` is the folder of the task's files, where it is known.
    """
    card = checkpoints_on_disk.read_card(path)
    measured = card.get("metrics", {}).get("test", {})
    return Checkpoint(
        name=name,
        path=str(path),
        task=card.get("task"),
        accuracy=measured.get("accuracy"),
        samples=measured.get("samples"),
        config=checkpoints_on_disk.read_config(path),
        root=root,
    )


RUNNING = threading.RLock()
"""Held while a model runs: sessions share models, and the hooks of one must not see another's run."""


@st.cache_resource(show_spinner=False, max_entries=8)
def model(path: str, changed: float) -> DISTA:
    from dista.checkpoint import load

    return load(path)


def changed(checkpoint: Checkpoint) -> float:
    """When the weights were last written: part of the key of whatever depends on them."""
    return Path(checkpoint.path, checkpoints_on_disk.WEIGHTS).stat().st_mtime


def task(data: str | Data) -> Task:
    """The task, opened once; ValueError where its files are not on this server."""
    name, root = Data(data) if isinstance(data, str) else data
    above = os.environ.get("DISTA_DATA")
    folders = [root, str(Path(above, name)) if above else None]
    return _task(name, next((one for one in folders if one and Path(one).is_dir()), None))


@st.cache_resource(show_spinner=False)
def _task(name: str, folder: str | None) -> Any:
    import dista.data

    if name not in dista.data.FROM_FILES:
        return dista.data.open(name)
    if folder is None:
        raise ValueError(
            f"this checkpoint was trained on {name}, whose files are not on this server; bring your own "
            f"input, or start the server with the variable DISTA_DATA naming the folder above {name}"
        )
    return dista.data.open(name, root=folder)


def form(data: Data) -> Task:
    """The task as far as it is here: without its samples where its files are not on this server."""
    import dista.data

    try:
        return task(data)
    except ValueError:
        if data.name not in dista.data.FROM_FILES:
            raise
        return dista.data.without_samples(data.name)


def first_light() -> xr.DataTree | None:
    """The shipped recording, with which the first page opens without loading torch."""
    path = checkpoints_on_disk.assets() / "first-light.zarr.zip"
    return open_recording(path) if path.is_file() else None


def open_recording(path: Path) -> xr.DataTree | None:
    """A recording in a file or folder; None where it is damaged or something else."""
    return _open(str(path), path.stat().st_mtime)


@st.cache_resource(show_spinner=False, max_entries=4)
def _open(path: str, changed: float) -> xr.DataTree | None:
    """A recording, by xarray alone: ``dista.open_recording`` would import torch."""
    import xarray as xr
    import zarr

    try:
        store = zarr.storage.ZipStore(path, mode="r") if Path(path).is_file() else path
        with xr.open_datatree(store, engine="zarr", consolidated=False) as tree:
            return tree.load()
    except Exception:  # whatever a damaged file raises: the page then records anew
        return None


def shows(recording: xr.DataTree | None, name: str, sample: int) -> bool:
    """Whether ``recording`` is that of this checkpoint and sample."""
    return (
        recording is not None
        and recording.attrs.get("model") == name
        and int(recording["batch"].values[0]) == sample
    )


def recording(checkpoint: Checkpoint, sample: int, image: str | None) -> xr.DataTree:
    """What the checkpoint does with a held-out sample, or with the own input of ``controls``."""
    first = first_light()
    if image is None and shows(first, checkpoint.name, sample):
        return first
    return _record(checkpoint.path, changed(checkpoint), checkpoint.data, sample, image)


@st.cache_resource(
    show_spinner="Recording what every neuron does with this sample …", max_entries=16
)
def _record(path: str, changed: float, data: Data, sample: int, image: str | None) -> xr.DataTree:
    chosen = form(data)
    x, labels = inputs(data, sample, image)
    return record(model(path, changed), chosen, x, labels=labels, samples=[sample])


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
        from dista.corruption import corrupt

        x = corrupt(x, noise, [sample], counts=form(data).test.unit == 1)
    return x, labels


def record(model: DISTA, task: Task, x: Tensor, names: Any = "*", **labels: Any) -> xr.DataTree:
    """``dista.record`` with what the pages show beside it: names of classes and steps."""
    import dista

    with RUNNING:
        result = dista.record(model, x, names, classes=task.classes, **labels)
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


def payload(recording: xr.DataTree, *key: Any, position: int = 0) -> Payload:
    """One sample of the recording packed for the probe; ``key`` says which recording it is."""
    return _payload(key, position, recording)


@st.cache_data(show_spinner=False, max_entries=64)
def _payload(key: tuple[Any, ...], position: int, _recording: xr.DataTree) -> Payload:
    labels = _recording.attrs.get("step_labels")
    return probe_payload(
        _recording,
        position,
        step_labels=labels,
        step_sentences=step_sentences(labels) if labels else None,
        class_names=_recording.attrs.get("classes"),
    )


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
