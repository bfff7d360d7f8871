"""Devices, processes and precision, all of them Lightning Fabric's."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import torch
import torch.distributed
from lightning.fabric import Fabric
from lightning.fabric.loggers.tensorboard import TensorBoardLogger
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

from dista.config import TrainingConfig
from dista.engine.allocator import keep_freed_memory
from dista.extras import need
from dista.layers import Norm, over_time

_PRECISION: dict[str, Any] = {"fp32": "32-true", "bf16-mixed": "bf16-mixed"}


def launch(training: TrainingConfig, tensorboard: str | None = None) -> Fabric:
    """A GPU where there is one, else the CPU; further processes start here and run the same program.

    ``tensorboard`` is a folder for its events.
    """
    if tensorboard:
        need("tensorboard", "the logger", "train")
    several = training.devices * training.num_nodes > 1
    if training.threads:
        torch.set_num_threads(training.threads)
    keep_freed_memory()
    for part in ("lightning.fabric", "lightning.pytorch"):  # whichever was imported last speaks
        logging.getLogger(part).setLevel(logging.WARNING)
    fabric = Fabric(
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        strategy="ddp" if several else "auto",
        devices=training.devices,
        num_nodes=training.num_nodes,
        precision=_PRECISION[training.precision],
        loggers=TensorBoardLogger(tensorboard, name="", version="") if tensorboard else None,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="lightning")
        fabric.launch()
    return fabric


def is_first() -> bool:
    """Whether this process speaks for all: the only one, or the first of several."""
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return not distributed or torch.distributed.get_rank() == 0


class SyncNorm(Norm):
    """Batch normalisation over the samples of all processes, on any device.

    torch's own needs a GPU and images without time. Processes have batches of the same size.
    """

    alone = False

    def forward(self, x: Tensor) -> Tensor:
        return over_time(self._synchronised, x) if self.training else super().forward(x)

    def _synchronised(self, x: Tensor) -> Tensor:
        count = x.numel() // x.shape[1] * torch.distributed.get_world_size()
        mean = all_reduce(x.sum((0, 2, 3))) / count
        centred = x - mean[:, None, None]
        variance = all_reduce(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        gain = self.weight * torch.rsqrt(variance + self.eps)
        return centred * gain[:, None, None] + self.bias[:, None, None]


def synchronise(model: nn.Module) -> None:
    """Let every ``Norm`` of the model see the samples of all processes; names stay as they are."""
    for module in model.modules():
        if isinstance(module, Norm):
            module.__class__ = SyncNorm
