"""Options that commands share, and the task that they name together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dista.data import Task
    from dista.model import DISTA

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Folder = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the data, for tasks that need files.")
]
OfCard = Annotated[
    str | None,
    typer.Option(help="Task, or the folder of its files; by default the task of the card."),
]


def task_of(model: DISTA, data: str | None, data_dir: Path | None, name: str) -> Task:
    """The task that a checkpoint is measured on; ``data`` names another one, or the folder of its files."""
    from dista.data import check_fits, names, open_for

    if data and data not in names() and Path(data).is_dir():
        if data_dir is not None:
            raise ValueError(f"two folders of data, {data} and {data_dir}; leave one of them out")
        data, data_dir = None, Path(data)
    if data is None and "task" not in model.card:
        raise ValueError(f"the card of {name!r} names no task; say which with --data")
    name = data or model.card["task"]
    # The card's classes and options are those of its own task only.
    card = model.card if name == model.card.get("task") else {}
    task = open_for(
        model.config, name, root=data_dir, classes=card.get("classes"),
        options=card.get("data_options"),
    )  # fmt: skip
    check_fits(model.config, task)
    return task
