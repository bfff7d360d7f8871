"""What a training is fed: batches in the order that seed and epoch decide; and whether all fits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from dista import data
from dista.config import ModelConfig, TrainingConfig
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


def steps_of(task: data.Task, training: TrainingConfig, world: int = 1) -> int:
    """Optimiser steps of the whole training."""
    batches = len(batches_of(task, training, 0).part(world=world))
    return training.epochs * -(-batches // training.accumulate)


def check_fit(task: data.Task, config: ModelConfig, training: TrainingConfig) -> None:
    """ValueError where model, task and training do not belong together."""
    if tuple(task.input_shape) != config.input_shape:
        raise ValueError(
            f"the model takes inputs of shape {config.input_shape}, but {task.name!r} has "
            f"{tuple(task.input_shape)}; choose another preset or task"
        )
    if len(task.classes) != config.classes:
        raise ValueError(
            f"the model has {config.classes} classes, but {task.name!r} has {len(task.classes)}; "
            "choose another preset or task"
        )
    if training.probe >= len(task.validation):
        raise ValueError(
            f"probe={training.probe}; the validation split has samples 0 to {len(task.validation) - 1}"
        )
    mixing.check(training, task)
