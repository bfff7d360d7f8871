"""What the pages share: the URL as the one place of their state, and everything that is cached.

A page reads its state from the URL, shows widgets at those values, and widgets write back into the
URL before the rerun that they cause. Nothing else holds state, so that a link, a reload and the
browser's back button all lead to the same view.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import images
import streamlit as st

from dista import checkpoint as checkpoints_on_disk
from dista.config import ModelConfig
from dista.widgets.payload import probe_payload

if TYPE_CHECKING:
    import xarray as xr

    from dista.model import DISTA
    from dista.runs import Run
    from dista.widgets.packing import Payload

PLACE_NUMBERS = ("step", "block", "head", "row", "column", "neuron")
PLACE_WORDS = ("layer", "range")
_MEMORY = {
    "projection": "projection memory",
    "attenuated": "attenuated memory",
    "map": "map memory",
    "none": "no memory in attention",
}


# The URL -------------------------------------------------------------------------------------


def url_number(name: str, default: int, problems: list[str]) -> int:
    """The whole number ``name`` in the URL; the default, and a sentence, where it is none."""
    text = st.query_params.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    problems.append(f"The link says {name}={text[:40]!r}, which is not a whole number from 0 on.")
    return default


def url_choice(name: str, choices: Sequence[str], default: str, problems: list[str]) -> str:
    """The entry of ``choices`` that the URL names; the default, and a sentence, where it is none."""
    text = st.query_params.get(name)
    if text is None or text in choices:
        return default if text is None else text
    known = ", ".join(choices)
    problems.append(f"The link says {name}={text[:40]!r}; there are {known}. Showing {default}.")
    return default


def bound(name: str, value: Any) -> dict[str, Any]:
    """Keyword arguments that make a widget show ``value`` and write its changes to the URL."""
    key = f"url:{name}"
    st.session_state[key] = value
    return {"key": key, "on_change": _to_url, "args": (name,)}


def _to_url(name: str) -> None:
    st.query_params[name] = str(st.session_state[f"url:{name}"])


def place(problems: list[str]) -> dict[str, Any]:
    """Where the probe is, as far as the URL says it."""
    known = st.query_params
    numbers = {name: url_number(name, -1, problems) for name in PLACE_NUMBERS if name in known}
    words = {name: known[name] for name in PLACE_WORDS if name in known}
    return {name: value for name, value in numbers.items() if value >= 0} | words


def remember_place(key: str, **choices: Any) -> None:
    """Write what the probe ``key`` reports into the URL, and the ``choices`` that it belongs to.

    To be called before the rerun that the report causes, so that the URL never lags behind the probe.
    """
    reported = (st.session_state.get(key) or {}).get("state") or {}
    shown = choices | {n: reported[n] for n in PLACE_NUMBERS + PLACE_WORDS if n in reported}
    changed = {n: str(value) for n, value in shown.items() if st.query_params.get(n) != str(value)}
    if changed:
        st.query_params.update(changed)


def resume(page: str) -> None:
    """Bring a page's state back when the reader returns by the menu, whose links carry none."""
    before = st.session_state.get("page", page)
    st.session_state["page"] = page
    if before != page and not st.query_params:
        st.query_params.update(st.session_state.get(f"url of {page}", {}))


def leave_mark(page: str) -> None:
    """Keep the page's state for ``resume``."""
    st.session_state[f"url of {page}"] = st.query_params.to_dict()


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
        st.error(_sentence(error))


def _sentence(error: Exception) -> str:
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

    @property
    def title(self) -> str:
        memory = _MEMORY[self.config.memory.form]
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
            found[name] = _checkpoint(name, path)
    return found


def _checkpoint(name: str, path: Path) -> Checkpoint:
    card = checkpoints_on_disk.read_card(path)
    measured = card.get("metrics", {}).get("test", {})
    return Checkpoint(
        name=name,
        path=str(path),
        task=card.get("task"),
        accuracy=measured.get("accuracy"),
        samples=measured.get("samples"),
        config=checkpoints_on_disk.read_config(path),
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def model(path: str, changed: float) -> DISTA:
    from dista.checkpoint import load

    return load(path)


@st.cache_resource(show_spinner=False)
def task(name: str) -> Any:
    import dista.data

    return dista.data.open(name)


def first_light() -> xr.DataTree | None:
    """The shipped recording, with which the first page opens without loading torch."""
    path = checkpoints_on_disk.assets() / "first-light.zarr.zip"
    return _open(str(path), path.stat().st_mtime) if path.is_file() else None


@st.cache_resource(show_spinner=False, max_entries=4)
def _open(path: str, changed: float) -> xr.DataTree | None:
    """A zipped recording, by xarray alone: ``dista.open_recording`` would import torch."""
    import xarray as xr
    import zarr

    try:
        store = zarr.storage.ZipStore(path, mode="r")
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
    """What the checkpoint does with a held-out sample, or with the own image of ``controls``."""
    first = first_light()
    if image is None and shows(first, checkpoint.name, sample):
        return first
    changed = Path(checkpoint.path, checkpoints_on_disk.WEIGHTS).stat().st_mtime
    return _record(checkpoint.path, changed, checkpoint.task, sample, image)


@st.cache_resource(
    show_spinner="Recording what every neuron does with this sample …", max_entries=16
)
def _record(path: str, changed: float, data: str, sample: int, image: str | None) -> xr.DataTree:
    import dista

    chosen = task(data)
    x, y = chosen.test.batch([sample])
    labels = y.tolist()
    if image is not None:
        x, labels = images.with_own_image(x, images.image_pixels(image), chosen.step_labels), None
    result = dista.record(
        model(path, changed), x, labels=labels, classes=chosen.classes, samples=[sample]
    )
    result.attrs["task"] = data
    if chosen.step_labels:
        result.attrs["step_labels"] = list(chosen.step_labels)
    return result


def payload(recording: xr.DataTree, *key: Any) -> Payload:
    """The recording packed for the probe; ``key`` says which recording it is."""
    return _payload(key, recording)


@st.cache_data(show_spinner=False, max_entries=64)
def _payload(key: tuple[Any, ...], _recording: xr.DataTree) -> Payload:
    labels = _recording.attrs.get("step_labels")
    return probe_payload(
        _recording,
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
        "delay": "nothing is shown; the cue lives on only in membranes and in attention's memory",
    }
    sentences = []
    for step, label in enumerate(labels):
        ago = step - last_cue
        probe = f"the probe is compared with a cue last seen {ago} step{'s' * (ago != 1)} ago"
        sentences.append(said.get(label, probe))
    return sentences


# Runs --------------------------------------------------------------------------------------------


def runs_folder() -> Path:
    """Where runs are looked for: DISTA_RUNS, or the folder ``runs``."""
    return Path(os.environ.get("DISTA_RUNS", "runs"))


def snapshot_payload(run: Run, epoch: int) -> Payload:
    """The probe sample of one epoch, packed; kept for (run, epoch)."""
    return _snapshot_payload(str(run.path.resolve()), epoch, run)


@st.cache_data(show_spinner=False, max_entries=64)
def _snapshot_payload(path: str, epoch: int, _run: Run) -> Payload:
    return _payload.__wrapped__((path, epoch), _run.snapshot(epoch))
