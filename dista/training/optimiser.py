"""Parameter groups, the schedule of their rates, the bounds of the taus, the average of the weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from dista.config import TrainingConfig
from dista.model import DISTA


def is_tau(name: str) -> bool:
    """Whether a parameter, by its dotted name, decides a time constant."""
    return name.endswith("tau.w")


def freeze(model: nn.Module, what: str) -> None:
    """Keep ``synapses`` or ``taus`` as they are; ValueError where nothing would be left to train."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(what != ("taus" if is_tau(name) else "synapses"))
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(
            f"freeze={what!r} leaves nothing to train, as the model's taus are fixed; "
            "choose another freeze or a preset that learns its taus"
        )


def optimiser(model: nn.Module, training: TrainingConfig) -> torch.optim.AdamW:
    """AdamW over synapses and taus as two groups, each with its peak rate; frozen ones are left out."""
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    synapses = [p for name, p in trained if not is_tau(name)]
    taus = [p for name, p in trained if is_tau(name)]
    groups = [
        {"params": synapses, "peak": training.lr, "weight_decay": training.weight_decay},
        {"params": taus, "peak": training.tau_lr, "weight_decay": 0.0},
    ]
    fused = torch.cuda.is_available() or None  # one kernel for all of them
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=training.lr, fused=fused)


class Phase(NamedTuple):
    """Where the schedule is: the part of the peak rate, and Adam's first decay."""

    rate: float
    momentum: float


def one_cycle(step: float, steps: int, warmup: float) -> Phase:
    """The schedule before optimiser step ``step`` of ``steps``, both annealed by cosines.

    That of ``torch.optim.lr_scheduler.OneCycleLR``, as a function: it has no state that could be
    lost, and takes a fraction of a step, with which a time budget hurries it on.
    """
    steps = max(steps, 3)  # a step up, a step down, and the end
    top = max(warmup, 2 / steps) * steps - 1
    if step <= top:
        return Phase(_anneal(1 / 25, 1, step / top), _anneal(0.95, 0.85, step / top))
    down = min(1.0, (step - top) / (steps - 1 - top))
    return Phase(_anneal(1, 1 / 25e4, down), _anneal(0.85, 0.95, down))


def _anneal(start: float, end: float, done: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * done))


def set_phase(optimizer: torch.optim.Optimizer, phase: Phase) -> None:
    """Give every group its rate, and its first decay."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * phase.rate
        group["betas"] = (phase.momentum, group["betas"][1])


@torch.no_grad()
def bound_taus(model: nn.Module, training: TrainingConfig) -> None:
    """Bring every trained tau back into ``tau_min`` .. ``tau_max`` steps; tau = 1 + exp(-w)."""
    low = None if training.tau_max is None else -math.log(training.tau_max - 1)
    high = None if training.tau_min is None else -math.log(training.tau_min - 1)
    if low is None and high is None:
        return
    for name, parameter in model.named_parameters():
        if is_tau(name) and parameter.requires_grad:
            parameter.clamp_(low, high)


class Average:
    """A moving average of a model's weights and statistics, with a faster start [related: 1512.00567].

    After n steps the decay is at most (1 + n) / (10 + n), so that the start is soon forgotten. torch's
    ``AveragedModel`` walks over the tensors; what it counts itself is set to the run's own step, which a
    resumed run goes on from.
    """

    def __init__(self, model: DISTA, decay: float) -> None:
        self.decay = decay
        self._averaged = AveragedModel(model, multi_avg_fn=self._approach, use_buffers=True)
        self.model = cast("DISTA", self._averaged.module.eval().requires_grad_(False))

    @torch.no_grad()
    def update(self, model: DISTA, step: int) -> None:
        self._step = step
        self._averaged.n_averaged.fill_(step)
        self._averaged.update_parameters(model)

    def _approach(
        self, averages: Sequence[Tensor], values: Sequence[Tensor], _: Tensor | int
    ) -> None:
        """One step for tensors of one type; the step's number is ours, as a GPU's would be waited for."""
        decay = min(self.decay, (1 + self._step) / (10 + self._step))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(list(averages), list(values), 1 - decay)
        else:
            for average, value in zip(averages, values):
                average.copy_(value)
