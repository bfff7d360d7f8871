"""Networks that have learned nothing, as a yardstick for what one that has learned shows."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def untrained_like(model: nn.Module, x: Tensor, seed: int = 0) -> nn.Module:
    """A network of the same configuration as ``model`` before any training, in evaluation mode [ours].

    Weights and time constants are those with which a training of this ``seed`` would start. Batch
    normalisation has not seen data at that point, and its initial statistics would leave many neurons
    silent or always firing for no fault of the architecture: it gets the statistics of ``x``, a batch
    of the task's samples, from one forward in training mode. Weights are not changed by that, and
    neither are ``model`` nor torch's random state.
    """
    here = next(model.parameters())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = type(model)(model.config).to(here.device, here.dtype)
    take_statistics(fresh, x)
    return fresh.eval()


def take_statistics(model: nn.Module, x: Tensor) -> None:
    """Give the batch normalisations of ``model`` the statistics of ``x``, from one forward in training mode.

    ``model`` is in training mode afterwards.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0  # statistics of this batch alone, instead of a running mean
    with torch.no_grad():
        model.train()(x)
    for norm, momentum in zip(norms, usual):
        norm.momentum = momentum
