"""``dista.train``: here, or in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from dista import data, runs
from dista.config import ModelConfig, TrainingConfig
from dista.presets import preset as named_model
from dista.runs import Run, RunConfig, Training
from dista.runs import background as processes
from dista.training.feed import check_fit

if TYPE_CHECKING:
    from dista.training.start import Logger


# fmt: off
@overload
def train(
    task: data.Task | str, config: ModelConfig | str, training: TrainingConfig = ..., *,
    folder: str | Path | None = ..., preset: str = ..., data_root: str | Path | None = ...,
    progress: bool | None = ..., logger: Logger | None = ..., background: Literal[False] = ...,
) -> Run: ...
@overload
def train(
    task: data.Task | str, config: ModelConfig | str, training: TrainingConfig = ..., *,
    folder: str | Path | None = ..., preset: str = ..., data_root: str | Path | None = ...,
    progress: bool | None = ..., logger: Logger | None = ..., background: Literal[True],
) -> Training: ...
# fmt: on
def train(
    task: data.Task | str,
    config: ModelConfig | str,
    training: TrainingConfig = TrainingConfig(),
    *,
    folder: str | Path | None = None,
    preset: str = "",
    data_root: str | Path | None = None,
    progress: bool | None = None,
    logger: Logger | None = None,
    background: bool = False,
) -> Run | Training:
    """Train a new model on ``task``, and return its run; raises ValueError where they do not fit.

    ``task`` and ``config`` may be names: of data that ``dista.data.open`` knows, and of a preset. ``folder`` is
    a new one, by default one of ``runs/`` or of DISTA_RUNS, where the Train page sees it. ``data_root`` is the
    folder that ``task`` was opened from, for those who resume.

    In the ``background`` it trains in a process of its own, which goes on when this one ends: what comes back
    at once is a ``dista.runs.Training``, to follow, stop, resume and wait for. That process opens the data
    by name and options; ValueError for a task that is another than the one of its name.

    Else it trains here. The best checkpoint by validation accuracy, the later one of equals, is evaluated on
    the test split once, at the end. Ctrl-C and SIGTERM finish the step, save and raise Stopped, which is a
    KeyboardInterrupt; ``dista.training.resume`` goes on from there. After any other exception the run is
    marked crashed, with the reason. ``progress`` None shows a bar in a terminal only.
    """
    if isinstance(config, str):
        preset, config = preset or config, named_model(config)
    name = task if isinstance(task, str) else task.name
    if isinstance(task, str):
        task = data.open_for(config, task, root=data_root)
    check_fit(task, config, training)
    if folder is None:
        folder = processes.new_run(runs.default_folder(), preset or name)
    if not background:
        from dista.training import start

        return start.train(
            task, config, training, folder=folder, preset=preset, data_root=data_root,
            progress=progress, logger=logger,
        )  # fmt: skip
    _check_opens_the_same(task, config, data_root)
    root = None if data_root is None else str(Path(data_root).resolve())
    what = RunConfig(
        preset=preset, data=name, data_root=root, data_options=dict(task.options), model=config, training=training
    )  # fmt: skip
    words = [*processes.words(what), *([f"--logger={logger}"] if logger else [])]
    processes.start(runs.place(folder), words)
    return Training(folder)


def _check_opens_the_same(task: data.Task, config: ModelConfig, root: str | Path | None) -> None:
    """ValueError where another process would not open the same samples by the task's name."""
    opened = data.open_for(config, task.name, root=root, options=task.options)
    same = task.description == opened.description and all(
        np.array_equal(getattr(task, split).labels, getattr(opened, split).labels)
        for split in ("train", "validation", "test")
    )
    if not same:
        raise ValueError(
            f"a training in the background opens its data by name, and {task.name!r} has other samples "
            f"({len(opened.train)} to train with) than this task ({len(task.train)}); train it here, without background"
        )
