"""The loss of a batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from dista.config import TrainingConfig
from dista.model import DISTA


class Learner(nn.Module):
    """A model and its loss: (batch of inputs, targets) to a number.

    Targets are classes (batch,) or shares of classes (batch, class). RuntimeError where the loss is
    not finite, on a CPU.
    """

    def __init__(self, model: DISTA, training: TrainingConfig) -> None:
        super().__init__()
        self.model, self.training_config = model, training

    def forward(self, x: Tensor, targets: Tensor) -> Tensor:
        logits = self.model.steps(x)
        smoothing = self.training_config.label_smoothing
        if self.training_config.loss == "tet":
            read = logits[-(self.model.config.readout_steps or len(logits)) :]
            loss = tet(read, targets, self.training_config.tet_lambda, smoothing)
        else:
            loss = cross_entropy(self.model.readout(logits), targets, label_smoothing=smoothing)
        if not loss.is_cuda:  # on a GPU, which would have to be waited for, the session looks later
            check(loss.item())
        return loss


def check(loss: float) -> None:
    """RuntimeError unless it is finite."""
    if not math.isfinite(loss):
        raise RuntimeError(f"the loss became {loss}; try a smaller lr or clip")


def tet(logits: Tensor, targets: Tensor, weight: float, smoothing: float = 0.0) -> Tensor:
    """Temporal efficient training [related: arXiv 2202.11946] of step logits (time, batch, class).

    (1 - weight) · the mean cross-entropy of every step + weight · the mean squared distance of the
    logits to 1, which is the firing threshold there and keeps single steps from outliers.
    """
    each = [cross_entropy(step, targets, label_smoothing=smoothing) for step in logits]
    regular = mse_loss(logits, torch.ones_like(logits))
    return (1 - weight) * torch.stack(each).mean() + weight * regular
