"""Measure a model on a split of a task: its accuracy, or each of its answers, with parts taken away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from dista.engine.modules import device_of, need_evaluation
from dista.experiments.ablations import ablated, takes_others
from dista.experiments.corruption import Noise, corrupt
from dista.experiments.forgetting import another
from dista.measures import Answers

if TYPE_CHECKING:
    from dista.data import Split
    from dista.model import DISTA

BATCH = 25
"""Samples that are answered together: as fast as larger batches on a CPU, and progress is seen sooner."""


def evaluate(
    model: DISTA, split: Split, *, limit: int | None = None, batch_size: int = 100
) -> dict[str, float]:
    """Accuracy (a fraction), mean cross-entropy, number of samples and seconds.

    ``limit`` takes the first so many samples of the split, which come in a fixed order. Training mode
    is restored afterwards. The samples go to the device that the model is on.
    """
    samples = len(split) if limit is None else min(limit, len(split))
    if samples < 1:
        raise ValueError(f"limit={limit} leaves no samples; expected 1 to {len(split)}")
    began, training = time.perf_counter(), model.training
    device = device_of(model)
    correct = loss = 0.0
    model.eval()
    try:
        with torch.inference_mode():
            for low in range(0, samples, batch_size):
                indices = range(low, min(low + batch_size, samples))
                x, y = (part.to(device) for part in split.batch(indices))
                logits = model(x)
                correct += (logits.argmax(-1) == y).sum().item()
                loss += cross_entropy(logits, y, reduction="sum").item()
    finally:
        model.train(training)
    seconds = time.perf_counter() - began
    return {
        "accuracy": correct / samples,
        "loss": loss / samples,
        "samples": samples,
        "seconds": round(seconds, 3),
    }


# Answer by answer -----------------------------------------------------------------------------------


def noisy(
    split: Split, samples: Sequence[int], noise: Noise | float, *, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """``split.batch(samples)`` with noise in the input [ours]; see ``dista.experiments.corruption``.

    A number is the standard deviation of Gaussian noise: 1 is white for images and one event for
    counts. A sample's noise follows from ``seed`` and its number alone, so that results with the same
    noise can be paired.
    """
    x, y = split.batch(samples)
    wanted = noise if isinstance(noise, Noise) else Noise("gaussian", noise)
    return corrupt(x, wanted, samples, counts=split.unit == 1, seed=seed), y


def others(
    split: Split, samples: Sequence[int], switches: Sequence[str], noise: Noise | float = 0.0
) -> Tensor | None:
    """Another sample's input for each, with noise of the same kind, where ``switches`` put in what is remembered of it.

    None where none does. Whose it is ``forgetting.another`` names; ValueError where the split has one sample.
    """
    if not takes_others(switches):
        return None
    elsewhere = another(len(split))
    return noisy(split, [elsewhere[sample] for sample in samples], noise)[0]


def answer(
    model: DISTA,
    split: Split,
    samples: Sequence[int],
    switches: Sequence[str] = (),
    *,
    noise: Noise | float = 0.0,
) -> Answers:
    """What ``model`` with ``switches`` answers to these samples, run as one batch on its own device.

    A switch that puts in the memory of another sample takes it from ``others``.
    """
    (x, y), device = noisy(split, samples, noise), device_of(model)
    lent = others(split, samples, switches, noise)
    lent = None if lent is None else lent.to(device)
    with torch.inference_mode(), ablated(model, switches, lent):
        logits = model(x.to(device)).cpu()
        confidence = logits.softmax(-1).amax(-1)
        return Answers(logits.argmax(-1).numpy(), y.numpy(), confidence.numpy())


def answers(
    model: DISTA,
    split: Split,
    switches: Sequence[str] = (),
    *,
    noise: Noise | float = 0.0,
    limit: int | None = None,
) -> Answers:
    """What ``model`` with ``switches`` answers to the first ``limit`` samples of ``split``; None is all."""
    need_evaluation(model, "ablations")
    parts = [answer(model, split, part, switches, noise=noise) for part in batches(split, limit)]
    return join(parts)


def batches(split: Split, limit: int | None = None) -> list[range]:
    """The first ``limit`` samples in the batches in which they are run."""
    samples = len(split) if limit is None else min(limit, len(split))
    if samples < 1:
        raise ValueError(f"limit={limit} leaves no samples; expected 1 to {len(split)}")
    return [range(low, min(low + BATCH, samples)) for low in range(0, samples, BATCH)]


def join(parts: Sequence[Answers]) -> Answers:
    """Answers to one batch after another, as one."""
    has_confidence = all(part.confidence is not None for part in parts)
    return Answers(
        np.concatenate([part.answer for part in parts]),
        np.concatenate([part.label for part in parts]),
        np.concatenate([part.confidence for part in parts]) if has_confidence else None,
    )
