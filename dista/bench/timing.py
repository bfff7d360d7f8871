"""Interleaved timing: every round runs each action once, so that a slow minute is slow for all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dista.bench.cases import CASES, IMPLEMENTATIONS, logits, reset

Action = Callable[[], None]


def interleaved(actions: Mapping[str, Action], rounds: int) -> dict[str, float]:
    """Median seconds of each action over ``rounds``, after one run of each that does not count.

    The order turns by one each round, so that no action always follows the same one.
    """
    names, seconds = list(actions), {name: [] for name in actions}
    for name in names:
        actions[name]()
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            began = time.perf_counter()
            actions[name]()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def autocast(x: Tensor, dtype: torch.dtype | None) -> torch.autocast:
    return torch.autocast(x.device.type, dtype, enabled=dtype is not None)


def finish(x: Tensor) -> None:
    """Wait for what was launched where ``x`` is."""
    if x.is_cuda:
        torch.cuda.synchronize()


def forward(model: nn.Module, x: Tensor, dtype: torch.dtype | None = None) -> Action:
    """Inference on a batch, under autocast to ``dtype`` where one is given."""

    def act() -> None:
        model.eval()
        with torch.inference_mode(), autocast(x, dtype):
            logits(model, x)
        reset(model)
        finish(x)

    return act


def training_step(
    model: nn.Module, x: Tensor, y: Tensor, dtype: torch.dtype | None = None
) -> Action:
    """Forward, backward and an AdamW step on a batch."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def act() -> None:
        model.train()
        with autocast(x, dtype):
            answer = logits(model, x)
        cross_entropy(answer.float(), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        reset(model)
        finish(x)

    return act


def case_step(case: str, implementation: str) -> Action:
    """The training step of an implementation on a case, by their names."""
    workload = CASES[case]
    return training_step(IMPLEMENTATIONS[implementation](workload), *workload.input())
