"""One neuron that learns to fire at a given step: by its weight, by its time constant, or by both."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch

from dista.config import NeuronConfig
from dista.measures import Learning
from dista.neurons import LIF

PARTS = ("weight", "tau")
"""What can learn."""


def learn_to_fire(
    step: int,
    *,
    learn: Collection[str] = PARTS,
    weight: float = 1.3,
    tau: float = 2.0,
    steps: int = 8,
    updates: int = 200,
    rate: float = 0.02,
) -> Learning:
    """Train one LIF neuron whose current is ``weight`` in each of ``steps`` steps to fire at ``step`` (from 0) alone.

    The loss is the squared difference of its spikes to the wanted ones; its gradient passes the threshold by the
    sigmoid's surrogate, as in training [ours]. Plain gradient descent on what is in ``learn`` ("weight", "tau": its
    w, with 1/tau = sigmoid(w)), until it fires as wanted or ``updates`` were made. Raises ValueError for a part that
    cannot learn, or a step that there is not.
    """
    if not learn or set(learn) - set(PARTS):
        raise ValueError(f"learn={tuple(learn)}; expected one or both of {', '.join(PARTS)}")
    if not 0 <= step < steps:
        raise ValueError(f"step={step}; expected 0 to {steps - 1}, as there are {steps} steps")
    neuron = LIF(NeuronConfig(tau=tau, learn_tau=True), 1)
    current = torch.tensor(float(weight), requires_grad=True)
    parts = {"weight": current, "tau": neuron.tau.w}
    optimiser = torch.optim.SGD([parts[name] for name in PARTS if name in learn], lr=rate)
    wanted = torch.zeros(steps, 1, 1, 1, 1)
    wanted[step] = 1.0
    rows = []
    with torch.enable_grad():
        for _ in range(updates + 1):
            spikes = neuron(current.expand_as(wanted).contiguous())
            loss = ((spikes - wanted) ** 2).sum()
            optimiser.zero_grad()
            loss.backward()
            rows.append(_row(current, neuron, spikes, loss))
            if torch.equal(spikes, wanted):
                break
            optimiser.step()
    weights, taus, losses, fired = zip(*rows)
    return Learning(
        tuple(name for name in PARTS if name in learn), step,
        np.array(weights), np.array(taus), np.array(losses), np.stack(fired),
    )  # fmt: skip


def _row(
    current: torch.Tensor, neuron: LIF, spikes: torch.Tensor, loss: torch.Tensor
) -> tuple[float, float, float, np.ndarray]:
    fired = spikes.detach().reshape(-1).numpy() > 0
    return current.item(), neuron.tau().item(), loss.item(), fired
