"""The tasks that checkpoints were trained on, opened once, and what of them a network is shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.inputs import own_input
from app.inputs.identity import Data

if TYPE_CHECKING:
    from torch import Tensor

    from dista.data import Task
    from dista.experiments.corruption import Noise


def task(data: str | Data) -> Task:
    """The task, opened once; ValueError where its files are not on this server."""
    name, root, steps = Data(data) if isinstance(data, str) else data
    above = os.environ.get("DISTA_DATA")
    folders = [root, str(Path(above, name)) if above else None]
    folder = next((one for one in folders if one and Path(one).is_dir()), None)
    return _task(name, folder, tuple(steps_of(name, steps).items()))


STILL = ("digits", "match", "cifar10", "cifar100")
"""Tasks whose steps cannot be chosen: said here, as ``dista.data`` would load torch for the first page."""


def steps_of(name: str, steps: int | None) -> dict[str, int]:
    """The option with which ``dista.data.open`` gives the task so many steps, {} where it needs none."""
    if name in STILL:
        return {}
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


def batch(
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
