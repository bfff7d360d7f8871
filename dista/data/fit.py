"""Whether a trained model can be asked about a task: the same inputs, the same number of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dista.data.task import Task

if TYPE_CHECKING:
    from dista.config import ModelConfig


def check_fits(config: ModelConfig, task: Task) -> None:
    """ValueError where a model of ``config`` sees other inputs than those of ``task``, or has other answers.

    With as many answers of another meaning the model is measured all the same: whether cats should be
    taken for digits is not in the numbers.
    """
    differ = []
    if tuple(task.input_shape) != tuple(config.input_shape):
        differ.append(
            f"the model takes inputs of shape {tuple(config.input_shape)}, {task.name!r} has "
            f"{tuple(task.input_shape)}"
        )
    if len(task.classes) != config.classes:
        differ.append(
            f"the model tells {config.classes} classes apart, {task.name!r} has {len(task.classes)}"
        )
    if task.time_steps not in (None, config.time_steps):
        differ.append(
            f"the model runs {config.time_steps} time steps, {task.name!r} has {task.time_steps}"
        )
    if differ:
        raise ValueError(
            f"the data are not of the kind that this checkpoint was trained on: {'; '.join(differ)}; "
            "choose data or a checkpoint that fit"
        )
