"""Every checkpoint that a page can run: the shipped ones, and the best one of every run."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from app.inputs import data_files, recording_files
from app.inputs.identity import Data, Weights, stamp, version
from app.link import plain, url
from dista import checkpoint as checkpoints_on_disk
from dista.checkpoint import CARD, CONFIG, WEIGHTS, assets
from dista.config import ModelConfig
from dista.files.card import Card
from dista.memories import FORMS
from dista.runs import Run, default_folder, everywhere
from dista.runs.facts import data_title


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
    classes: tuple[str, ...] | None = None
    data_options: tuple[tuple[str, Any], ...] = ()
    """Options of its task, as pairs of a name and a value; none where that is as it is by itself."""
    starting_taus: Mapping[str, Sequence[float]] | None = field(default=None, hash=False)
    """The time constants before training, by layer; None where the card has not kept them."""
    is_of_others: bool = False
    """Whether the card's numbers are of other weights than those that lay there when it was read."""
    digest: str | None = None
    """Of the weights that lay there then; None where the card, of an older version, says nothing of its own."""

    @functools.cached_property
    def data(self) -> Data:
        """What it is shown, the same for the rest of this run of the page, as the weights are."""
        folder = data_files.folder_of(self.task, self.root)
        files = data_files.version(folder) if folder else ""
        return Data(
            self.task, self.root, self.config.time_steps, self.classes, files, self.data_options
        )

    @functools.cached_property
    def weights(self) -> Weights:
        """The weights that the card is of, the same for the rest of this run of the page.

        A training may replace them at any moment: no part of a page, nor its title, may be of others
        than the rest.
        """
        digest = self.digest or _digest_of(Path(self.path))
        return Weights(self.path, version(digest, self.config), self.data)

    @property
    def title(self) -> str:
        memory = FORMS[self.config.memory.form].title
        fixed = "" if self.config.neuron.learn_tau else ", fixed tau"
        data = data_title(self.task or self.name, dict(self.data_options))
        return f"{data} · {memory}{fixed} · {self._measured}"

    @property
    def _measured(self) -> str:
        if self.is_of_others:
            return "not measured with these weights"
        return "not measured" if self.accuracy is None else f"{100 * self.accuracy:.1f} %"


def shipped() -> dict[str, Checkpoint]:
    """The shipped checkpoints by name; for those that are left out see ``show_damaged``."""
    return _shipped()[0]


def _shipped() -> tuple[dict[str, Checkpoint], dict[str, str]]:
    folder = checkpoints_on_disk.assets()
    return _checkpoints(str(folder), stamps(*sorted(folder.glob("*/*.[js]*"))))


def stamps(*files: Path) -> tuple[tuple, ...]:
    """What changes when one of the files is written or replaced: the key of what is read from them."""
    keys: list[tuple] = []
    for file in files:
        try:
            keys.append(stamp(file))
        except OSError:  # it is gone
            keys.append(())
    return tuple(keys)


@st.cache_data(show_spinner=False, max_entries=4)
def _checkpoints(
    folder: str, changed: tuple[tuple, ...]
) -> tuple[dict[str, Checkpoint], dict[str, str]]:
    checkpoints, left_out = {}, {}
    for name, path in checkpoints_on_disk.shipped().items():
        try:
            checkpoints[name] = checkpoint_at(name, path)
        except (ValueError, OSError) as error:
            left_out[name] = plain.sentence(error)
    return checkpoints, left_out


def checkpoint_at(name: str, path: Path, root: str | None = None) -> Checkpoint:
    """What the card and the configuration in the folder ``path`` say; ValueError where they are damaged.

    ``root`` is the folder of the task's files, where it is known.
    """
    card = Card(**checkpoints_on_disk.read_card(path))
    config = checkpoints_on_disk.read_config(path)
    if card.classes and len(card.classes) != config.classes:
        raise ValueError(
            f"its card names {len(card.classes)} classes, its configuration has {config.classes}"
        )
    digest = _digest_of(path) if card.weights and (path / WEIGHTS).is_file() else None
    others = digest is not None and card.weights != digest  # older cards are believed
    return Checkpoint(
        name=name,
        path=str(path),
        task=card.task,
        accuracy=None if others else card.test.accuracy,
        samples=None if others else card.test.samples,
        config=config,
        root=root,
        classes=tuple(card.classes) if card.classes else None,
        data_options=tuple((n, _hashable(v)) for n, v in sorted(card.data_options.items())),
        starting_taus=card.starting_taus,
        is_of_others=others,
        digest=digest,
    )


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _digest_of(folder: Path) -> str:
    """The digest of the weights that lie there now; ValueError for damaged ones."""
    return _digest(str(folder), stamp(folder / WEIGHTS))


@st.cache_data(show_spinner=False, max_entries=256)
def _digest(path: str, stamp: tuple) -> str:
    return checkpoints_on_disk.digest(path)


def runnable() -> dict[str, Checkpoint]:
    """Shipped checkpoints by name, then those of runs as links call them, newest first.

    For those that are left out see ``show_damaged``.
    """
    checkpoints = dict(shipped())
    for run in everywhere().values():
        if checkpoint := best(run):
            checkpoints[checkpoint.name] = checkpoint
    return {name: one for name, one in checkpoints.items() if one.task}


def damaged() -> dict[str, str]:
    """Why a checkpoint cannot be chosen, by its name."""
    left_out = dict(_shipped()[1])
    for run in everywhere().values():
        if reason := _read_best(run)[1]:
            left_out[run.name] = reason
    named = shipped()
    return left_out | {name: "Its card names no task." for name in named if not named[name].task}


def show_damaged() -> None:
    """A popover with what cannot be chosen, where there is something."""
    if left_out := damaged():
        with st.popover(f"{len(left_out)} damaged", icon=":material/warning:", type="tertiary"):
            for name, reason in left_out.items():
                st.text(f"{name}: {reason}")


def in_links(folder: Path) -> str:
    """How links call the checkpoint of a run: within the folder of runs, and not by where that lies here."""
    runs = default_folder().absolute()
    path = folder.absolute()
    return str(Path("runs", path.relative_to(runs)) if path.is_relative_to(runs) else folder)


def take_old_name(parameter: str) -> None:
    """Older links call the checkpoint of a run by its place on the server; from here on by its name."""
    text = url.text(parameter)
    if text and Path(text).is_absolute() and in_links(Path(text)) != text:
        url.write(**{parameter: in_links(Path(text))})


def best(run: Run) -> Checkpoint | None:
    """The best checkpoint of a run; None while there is none to be read."""
    return _read_best(run)[0]


def _read_best(run: Run) -> tuple[Checkpoint | None, str | None]:
    """The best checkpoint of a run, or why it cannot be read; neither while there is none."""
    path = run.checkpoint("best")
    if not (path / WEIGHTS).is_file():
        return None, None
    return _best(
        str(run.path), stamps(path / WEIGHTS, path / CONFIG, path / CARD, run.path / CONFIG)
    )


@st.cache_data(show_spinner=False, max_entries=512)
def _best(path: str, changed: tuple[tuple, ...]) -> tuple[Checkpoint | None, str | None]:
    try:
        run = Run(path)
        folder = run.checkpoint("best")
        return checkpoint_at(in_links(folder), folder, run.config.data_root), None
    except (ValueError, OSError) as error:
        return None, plain.sentence(error)


def default(options: Mapping[str, Checkpoint]) -> str:
    """The checkpoint of the shipped recording, with which a page opens at once; or the first one."""
    first = recording_files.first_light()
    preferred = first.attrs.get("model") if first is not None else "match-map"
    return preferred if preferred in options else next(iter(options))


def title(checkpoint: Checkpoint) -> str:
    """What a chooser says of a checkpoint: its title, after the name of its run or folder."""
    path = Path(checkpoint.path)
    if path.parent == assets():
        return checkpoint.title
    parts = path.parts
    owner = parts[-3] if parts[-2:] == ("checkpoints", "best") else parts[-1]
    return f"{owner}: {checkpoint.title}"


def choose(
    name: str, label: str, options: Mapping[str, Checkpoint], default: str, problems: list[str]
) -> Checkpoint:  # fmt: skip
    """A select box over ``options``, in the URL as ``name``."""
    take_old_name(name)
    option = url.choice(name, list(options), default, problems)
    st.selectbox(
        label, list(options), format_func=lambda one: title(options[one]),
        label_visibility="collapsed", width=380, **url.bound(name, option),
    )  # fmt: skip
    return options[option]
