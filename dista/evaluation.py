"""Measure a model on a split of a task."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

if TYPE_CHECKING:
    from dista.data import Split
    from dista.model import DISTA


def evaluate(
    model: DISTA, split: Split, *, limit: int | None = None, batch_size: int = 100
) -> dict:
    """Accuracy (a fraction), mean cross-entropy, number of samples and seconds.

    ``limit`` takes the first so many samples of the split, which come in a fixed order. Training mode
    is restored afterwards.
    """
    samples = len(split) if limit is None else min(limit, len(split))
    if samples < 1:
        raise ValueError(f"limit={limit} leaves no samples; expected 1 to {len(split)}")
    began, training = time.perf_counter(), model.training
    correct = loss = 0.0
    model.eval()
    try:
        with torch.inference_mode():
            for low in range(0, samples, batch_size):
                x, y = split.batch(range(low, min(low + batch_size, samples)))
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
