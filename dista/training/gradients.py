"""Gradient norms of weights and taus, layer by layer, as means over the steps of an epoch."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from dista.training.optimiser import is_tau


class GradientNorms:
    """Sums, over the steps since ``reset``, of the norm of each layer's gradient, before clipping.

    A layer is named by its neurons, as in a run's ``neurons`` table, and owns the weights before
    them; weights of no neuron, such as the head's, go under the name of their module.
    """

    def __init__(self, model: nn.Module) -> None:
        self.parameters = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        neurons = [
            name.removesuffix(".tau") for name, _ in model.named_modules() if is_tau(f"{name}.w")
        ]
        owners = [_owner(name, neurons) for name, _ in self.parameters]
        self.layers = list(dict.fromkeys(owners))
        places = [
            2 * self.layers.index(o) + is_tau(n) for o, (n, _) in zip(owners, self.parameters)
        ]
        device = self.parameters[0][1].device  # adding up there waits for nothing
        self.places = torch.tensor(places, device=device)
        self.sums = torch.zeros(2 * len(self.layers), dtype=torch.float64, device=device)

    def reset(self) -> None:
        self.sums.zero_()

    def add(self) -> None:
        """Count the gradients that the parameters have now."""
        norms = torch.stack(
            torch._foreach_norm([cast("Tensor", p.grad) for _, p in self.parameters])
        )
        squares = norms.detach().double() ** 2
        self.sums += torch.zeros_like(self.sums).index_add_(0, self.places, squares).sqrt()

    def rows(self, epoch: int, steps: int) -> list[dict[str, Any]]:
        """A row a layer: the mean norms of its weights and of its taus, None where none are trained."""
        means: Tensor = self.sums / max(1, steps)
        trained = set(self.places.tolist())
        return [
            {
                "epoch": epoch,
                "layer": layer,
                "weights": float(means[2 * i]) if 2 * i in trained else None,
                "tau": float(means[2 * i + 1]) if 2 * i + 1 in trained else None,
            }
            for i, layer in enumerate(self.layers)
        ]


def _owner(parameter: str, neurons: list[str]) -> str:
    """The neurons that a parameter feeds: those of the nearest module around it."""
    around = [n for n in neurons if parameter.startswith(n.removesuffix("neuron"))]
    return max(around, key=len, default=parameter.rpartition(".")[0])
