"""What a resumed run starts from: tensors by name, and a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor, nn

from dista.training.gradients import GradientNorms


@dataclass
class Position:
    """Where a run is.

    ``epoch`` counts complete epochs, ``batch`` batches and ``losses`` steps of the current one, whose
    losses sum to ``loss``; ``step`` counts optimiser steps and ``seconds`` time over the whole run.
    ``began`` is ``seconds`` at the start of the current epoch, ``best`` the best validation accuracy.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    losses: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    began: float = 0.0
    best: float = -1.0

    @classmethod
    def of(cls, numbers: Mapping[str, Any]) -> Self:
        """The position that a saved state's header has; ValueError where it is none."""
        place, names = cls(), {field.name for field in fields(cls)}
        if numbers.keys() != names:
            raise ValueError(f"its position has {sorted(numbers)}, expected {sorted(names)}")
        for name, value in numbers.items():
            whole = isinstance(getattr(place, name), int)
            if (whole and not isinstance(value, int)) or not value >= getattr(place, name):
                raise ValueError(f"its position has {name}={value}")
            setattr(place, name, value)
        return place

    def next_epoch(self) -> None:
        self.epoch, self.batch, self.losses, self.loss = self.epoch + 1, 0, 0, 0.0
        self.began = self.seconds


@dataclass
class Parts:
    """Everything with tensors that training changes."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    gradients: GradientNorms
    average: nn.Module | None = None

    def tensors(self) -> dict[str, Tensor]:
        """A copy of all of it, and of the states of torch's random generators, on the CPU."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
        if self.average is not None:
            tensors |= {f"average.{n}": value for n, value in self.average.state_dict().items()}
        tensors |= {"gradients": self.gradients.sums, **_generators()}
        return {name: _plain(value) for name, value in tensors.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put ``tensors()`` back, into the memory layout that the parameters have."""
        self.model.load_state_dict(_below(tensors, "model."))
        if self.average is not None:
            self.average.load_state_dict(_below(tensors, "average."))
        self._restore_optimizer(_below(tensors, "optimizer."))
        self.gradients.sums.copy_(tensors["gradients"])
        _restore_generators(tensors)

    def _restore_optimizer(self, moments: Mapping[str, Tensor]) -> None:
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        for place, value in moments.items():
            index, _, name = place.partition(".")
            parameter = parameters[int(index)]
            # A moment in another layout than its parameter is computed by other loops, which round
            # differently: bit for bit means layout for layout.
            laid = value if name == "step" else torch.empty_like(parameter).copy_(value)
            if name == "step" and self.optimizer.defaults["fused"]:
                laid = value.to(parameter.device)  # where one kernel takes the step for all
            self.optimizer.state[parameter][name] = laid


def _generators() -> dict[str, Tensor]:
    states = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["random.cuda"] = torch.cuda.get_rng_state()
    return states


def _restore_generators(tensors: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(tensors["random.cpu"])
    if torch.cuda.is_available() and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"])


def _plain(value: Tensor) -> Tensor:
    return value.detach().to("cpu", memory_format=torch.contiguous_format, copy=True)


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}
