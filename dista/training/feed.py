"""What a training is fed: batches in the order that seed and epoch decide; and whether all fits."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from dista import data
from dista.config import ModelConfig, TrainingConfig
from dista.memories import FORMS
from dista.training import mixing

Batch = tuple[Tensor, Tensor]


SHARE = 0.25
"""Part of a GPU's free memory that the samples may take."""


def on_device(task: data.Task, device: torch.device) -> data.Task:
    """The task with its samples, as bytes, in the memory of a GPU, where batches are then augmented.

    On a CPU, or where they are too many, it stays as it is.
    """
    if device.type != "cuda":
        return task
    parts = {name: getattr(task, name) for name in ("train", "validation", "test")}
    free, _ = torch.cuda.mem_get_info(device)
    if sum(part.inputs.nbytes for part in parts.values()) > SHARE * free:
        return task
    return dataclasses.replace(task, **{name: part.to(device) for name, part in parts.items()})


def groups(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    """Lists of ``size`` batches; the last may be shorter."""
    group: list[Batch] = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, the next one made in a thread while the last is used."""
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = worker.submit(next, batches, None)
            yield batch


def batches_of(task: data.Task, training: TrainingConfig, epoch: int) -> data.Batches:
    return task.train.batches(
        training.batch_size, shuffle=True, augment=training.augment, seed=training.seed, epoch=epoch
    )


def batches_left(training: TrainingConfig, done: int) -> int | None:
    """How many batches an epoch may still take after ``done``, where it ends before the data do; None: no limit."""
    if training.epoch_steps is None:
        return None
    return max(0, training.epoch_steps * training.accumulate - done)


def steps_of(task: data.Task, training: TrainingConfig, world: int = 1) -> int:
    """Optimiser steps of the whole training."""
    batches = len(batches_of(task, training, 0).part(world=world))
    steps = -(-batches // training.accumulate)
    return training.epochs * min(steps, training.epoch_steps or steps)


def check_fit(task: data.Task, config: ModelConfig, training: TrainingConfig) -> None:
    """ValueError where model, task and training do not belong together.

    To be asked before there is a run folder: what its configuration says is what happens.
    """
    _check_form(task, config)
    if task.time_steps not in (None, config.time_steps):
        raise ValueError(
            f"the model has {config.time_steps} time steps, but {task.name!r} has {task.time_steps}; "
            f"make it --set model.time_steps={task.time_steps}, or open the data with as many steps"
        )
    memory = config.memory
    if FORMS[memory.form].trains_lags and memory.window > config.time_steps:
        raise ValueError(
            f"the memory's window of {memory.window} steps is longer than the {config.time_steps} time "
            "steps, so that nothing would train the weights of the longest lags; make it "
            f"--set model.memory.window={config.time_steps}"
        )
    if training.probe >= len(task.validation):
        raise ValueError(
            f"probe={training.probe}; the validation split has samples 0 to {len(task.validation) - 1}"
        )
    if training.augment and task.train.augmentation is None:
        raise ValueError(f"{task.name!r} has no deformations of its own; train with --no-augment")
    mixing.check(training, task)


def _check_form(task: data.Task, config: ModelConfig) -> None:
    """ValueError where the model's inputs or answers are others, with all that has to be set at once."""
    shape, classes = tuple(task.input_shape), len(task.classes)
    differ: list[str] = []
    changes: dict[str, Any] = {}
    if shape != config.input_shape:
        differ.append(
            f"the model takes inputs of shape {config.input_shape}, but {task.name!r} has {shape}"
        )
        changes = {"input_shape": list(shape)} | _normalisation(config, channels=shape[0])
    if classes != config.classes:
        differ.append(f"the model has {config.classes} classes, but {task.name!r} has {classes}")
        changes["classes"] = classes
    if differ:
        words = [
            f"--set model.{name}={json.dumps(value, separators=(',', ':'))}"
            for name, value in changes.items()
        ]
        raise ValueError(
            f"{'; '.join(differ)}; choose another preset or task, or add {' '.join(words)}"
        )


def _normalisation(config: ModelConfig, channels: int) -> dict[str, list[float]]:
    """Mean and standard deviation that leave the input as it is, where those there are of other channels."""
    neutral = {"mean": [0.0], "std": [1.0]}
    return {n: v for n, v in neutral.items() if len(getattr(config, n)) not in (1, channels)}
