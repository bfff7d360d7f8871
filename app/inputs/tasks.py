"""The tasks that checkpoints were trained on, opened once, and what of them a network is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from app.inputs import data_files, own_input
from app.inputs.identity import Data

if TYPE_CHECKING:
    from torch import Tensor

    from dista.data import Task
    from dista.experiments.corruption import Noise


def task(data: str | Data) -> Task:
    """The task, opened once; ValueError where its files are not on this server."""
    data = Data(data) if isinstance(data, str) else data
    folder = data_files.folder_of(data.name, data.root)
    return _task(data.name, folder, tuple(options_of(data).items()), data.files)


FROM_FILES = ("nmnist", "cifar10", "cifar100")
"""Tasks whose files may not be here and for some of which stand-ins are."""
STILL = ("digits", "match", "cifar10", "cifar100")
"""Tasks without a choice of steps or labels: said here, as ``dista.data`` would load torch for the first page."""


def options_of(data: Data) -> dict[str, Any]:
    """The options with which ``dista.data.open`` gives the task as the model was trained on it.

    Its own ones, and those of its steps and of the model's labels.
    """
    own = dict(data.options)
    if data.name in STILL:
        return own
    import dista.data

    if data.steps is None or data.name not in dista.data.names():
        return own
    return own | dista.data.chosen_options(data.name, data.steps, data.classes)


@st.cache_resource(show_spinner=False, max_entries=16)
def _task(name: str, folder: str | None, options: tuple[tuple[str, Any], ...], files: str) -> Any:
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
    """The task as far as it is here: with stand-ins, or none, for its samples where its files are not here."""
    import dista.data

    try:
        return task(data)
    except ValueError:
        if data.name not in dista.data.FROM_FILES:
            raise
        return _form(data.name, data.steps)


@st.cache_resource(show_spinner=False, max_entries=16)
def _form(name: str, steps: int | None) -> Task:
    import dista.data

    return dista.data.with_stand_ins(dista.data.without_samples(name, time_steps=steps))


def stand_ins(data: Data) -> str | None:
    """What stands in for the samples, in a sentence; None where the task's own are here, or nothing is."""
    from dista.data.stand_ins import is_stand_in

    shown = form(data)
    return shown.description if is_stand_in(shown) else None


def batch(
    data: Data, sample: int, image: str | None, noise: Noise | None = None
) -> tuple[Tensor, list[int] | None]:
    """A held-out sample and its label, or the own input, whose label nobody knows; with ``noise``, if any."""
    if image is None:
        split = form(data).test if data.name in FROM_FILES else task(data).test
        if not len(split):
            task(data)  # which says what is missing
        x, y = split.batch([sample])
        labels = y.tolist()
    else:
        x, labels = own_input.put(image, form(data), sample), None
    if noise is not None:
        from dista.experiments.corruption import corrupt

        x = corrupt(x, noise, [sample], counts=form(data).test.unit == 1)
    return x, labels
