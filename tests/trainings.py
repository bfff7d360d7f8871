"""What the tests of training share: a task of 60 digits, and a model that learns it in milliseconds."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys

import torch

from dista import data
from dista.config import TrainingConfig
from dista.presets import preset

TINY = preset("tiny").replace(dim=8, heads=2, time_steps=2, memory={"form": "map", "window": 2})
ONE = TrainingConfig(epochs=1, batch_size=30, threads=1, tau_lr=0.05)


def few(name: str) -> data.Task:
    """A task, cut to 60 training, 40 validation and 40 test samples."""
    whole = data.open(name)

    def cut(split, n):
        return dataclasses.replace(split, inputs=split.inputs[:n], labels=split.labels[:n])

    parts = {
        n: cut(getattr(whole, n), k) for n, k in (("train", 60), ("validation", 40), ("test", 40))
    }
    return dataclasses.replace(whole, **parts)


def few_digits() -> data.Task:
    return few("digits")


def same_weights(one, other) -> bool:
    """Whether the last checkpoints of two runs are equal, bit for bit."""
    a, b = (run.load("last").state_dict() for run in (one, other))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def python(script: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run a script in a process of its own, which can be killed; it may import this module."""
    folder = os.path.dirname(os.path.abspath(__file__))
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([folder, *sys.path]),
    }
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def python_command(words: str) -> subprocess.CompletedProcess:
    """``python`` with these words, as in a shell."""
    return subprocess.run(
        [sys.executable, *words.split()], capture_output=True, text=True, check=True, timeout=300
    )


def kill_this_process() -> None:
    """What ``kill -9`` does: nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)
