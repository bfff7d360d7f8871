"""What if one step had been different? An input and its changed copies, run as one batch.

    batch = changed_steps(x, model.config.time_steps)
    recording = dista.record(model, batch, ["head", "*.denoise", "*.membrane"])
    measures.causal_memory(recording)

    after = dista.record(model, changed_cue(x, model.config.time_steps, [0, 1], other), "head")
    measures.cue_effect(dista.record(model, x, "head"), after)    # what the read-out knows of the cue

A map shows what attention meets, in those forms of memory in which it meets the past at all. A change
of the input at one step m shows what every later step t still depends on, whatever the form [ours].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float


def changed_steps(
    x: Tensor, steps: int, other: Tensor | None = None
) -> Float[Tensor, "time copy channel row column"]:
    """One input as it is, then once for each step m with the input of step m alone changed.

    ``x`` is a batch of one: an image (1, channel, row, column), shown for ``steps`` steps, or frames
    (time, 1, channel, row, column). The changed step is blank, or that of ``other``, an input of the
    same shape. Returns frames (time, 1 + time, channel, row, column); ValueError for another shape.
    """
    own = _frames(x, steps)
    new = torch.zeros_like(own) if other is None else _frames(other, steps)
    if own.shape[1] != 1 or new.shape != own.shape:
        raise ValueError(
            f"x and other have shapes {tuple(x.shape)} and {tuple(new.shape)}; expected one sample each, "
            "of the same shape"
        )
    batch = own.repeat_interleave(1 + len(own), dim=1)
    step = torch.arange(len(own))
    batch[step, 1 + step] = new[:, 0]
    return batch


def cue_steps(labels: Sequence[str] | None) -> list[int]:
    """The steps of a task that show what has to be remembered: those that it labels so, else the first."""
    return [step for step, label in enumerate(labels or ()) if label == "cue"] or [0]


def changed_cue(
    x: Tensor, steps: int, cue: Sequence[int], other: Tensor | None = None
) -> Float[Tensor, "time batch channel row column"]:
    """A batch as frames with the steps ``cue`` changed, all of them together: blank, or those of ``other``.

    ``x`` and ``other`` are images or frames as in ``changed_steps``, of any number of samples; ``other`` has one
    for each. ValueError for another shape.
    """
    own = _frames(x, steps)
    new = torch.zeros_like(own)
    if other is not None:
        new = _frames(other, steps)
        if new.shape != own.shape:
            raise ValueError(
                f"x and other have shapes {tuple(x.shape)} and {tuple(other.shape)}; expected the same"
            )
    changed = own.clone()
    changed[list(cue)] = new[list(cue)]
    return changed


def _frames(x: Tensor, steps: int) -> Float[Tensor, "time batch channel row column"]:
    return x if x.ndim == 5 else x.expand(steps, *x.shape)
