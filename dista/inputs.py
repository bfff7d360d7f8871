"""What a network can be shown: finite numbers, and images in 0..1.

A spiking network answers anything with probabilities that look like any others: a current that is no number
never reaches a threshold, one that is 255 times too large always does.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

BRIGHTEST = 16.0
"""A pixel beyond this is not one of 0..1 with noise: ten standard deviations of the most that a page adds."""


class InputWarning(UserWarning):
    """An input that is probably not what its reader takes it for."""


def check(x: Tensor) -> None:
    """ValueError where ``x`` (..., channel, row, column) is not finite; InputWarning where it is no image in 0..1.

    Two channels are counts of events, which have no bound. Looking costs a pass over the input, and on
    other devices than the CPU a wait for it: while gradients are wanted there, it is left out.
    """
    away = x.device.type != "cpu" and torch.is_grad_enabled()
    if torch.compiler.is_compiling() or x.device.type == "meta" or away:
        return
    low, high = (end.item() for end in x.detach().aminmax())
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        bad = int((~x.isfinite()).sum())
        raise ValueError(
            f"input has {bad} of {x.numel()} values that are infinite or no number; "
            "a network would answer them like any others"
        )
    if high > BRIGHTEST and x.shape[-3] != 2:
        warnings.warn(
            f"input reaches {high:g}; images are expected in 0..1 (0..255 divided by 255)",
            InputWarning,
            stacklevel=2,
        )
