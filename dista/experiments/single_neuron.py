"""One neuron alone, under a current of one's own: what it does, and from which current on it speaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import torch

from dista import neurons
from dista.measures import MembraneTrace, TauSweep, half_life

Reset = Literal["hard", "soft"]
RESETS: tuple[Reset, ...] = ("hard", "soft")


def driven(
    current: Sequence[float] | np.ndarray,
    tau: float = 2.0,
    *,
    threshold: float = 1.0,
    reset: Reset = "hard",
) -> MembraneTrace:
    """The trace of one LIF neuron [reviews: PLIF] from rest under ``current`` (time,), by ``dista.neurons``.

    A hard reset puts the membrane to 0, a soft one takes the threshold off. Raises ValueError for a tau below 1, a
    threshold that is not positive, another reset, or a current without a step.
    """
    if not tau >= 1:
        raise ValueError(
            f"tau={tau}; expected 1 or more steps: below 1 a neuron overshoots its input"
        )
    if not threshold > 0:
        raise ValueError(f"threshold={threshold}; expected a positive number")
    if reset not in RESETS:
        raise ValueError(f"reset={reset!r}; expected one of {', '.join(RESETS)}")
    x = torch.as_tensor(current, dtype=torch.float64).reshape(-1)
    if not len(x):
        raise ValueError("the current has no step; give one number a step")
    v_reset = 0.0 if reset == "hard" else None
    h = neurons.membrane(x, torch.tensor(float(tau), dtype=x.dtype), threshold, v_reset)
    spikes = neurons.fired(h, threshold)
    v = neurons.reset(h, spikes, threshold, v_reset)
    return MembraneTrace(
        "", (0, 0, 0), h.numpy(), v.numpy(), x.numpy(), spikes.numpy() > 0, threshold, v_reset, float(tau),
        half_life(tau) if tau > 1 else 0.0,
    )  # fmt: skip


def tau_sweep(
    current: Sequence[float] | np.ndarray, taus: Iterable[float], *, threshold: float = 1.0
) -> TauSweep:
    """Spikes under the same ``current`` for each tau, and the constant current below which a neuron stays silent.

    That one is computed for as many steps as ``current`` has: from rest, n steps of x lift the potential to
    x (1 - (1 - 1/tau)^n), which has to reach the threshold [ours]. With more steps it comes down to the threshold.
    Errors as for ``driven``; hard reset.
    """
    values = np.array([float(tau) for tau in taus])
    counts = [len(driven(current, tau, threshold=threshold).fired) for tau in values]
    steps = len(np.asarray(current).reshape(-1))
    silent_below = threshold / (1 - (1 - 1 / values) ** steps)
    return TauSweep(values, np.array(counts), silent_below, threshold, steps)
