"""What a training would cost: ``dista train --dry-run``."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from dista import data
from dista.config import ModelConfig, TrainingConfig
from dista.runs import Run, RunConfig
from dista.training import machine
from dista.training.feed import check_fit
from dista.training.session import Session, starting_model

_MEASURED = 3  # steps, after one that is not counted


@dataclass(frozen=True)
class Plan:
    """``steps`` of the whole training, ``parameters``, and what a few measured steps let expect.

    ``memory_mb`` is the largest amount used: of the process, or of the GPU where there is one.
    ``minutes`` leaves validation out.
    """

    steps: int
    parameters: int
    step_seconds: float
    minutes: float
    memory_mb: float


def plan(task: data.Task, config: ModelConfig, training: TrainingConfig) -> Plan:
    """Take a few steps in a temporary folder; ValueError where model, task and training do not fit."""
    check_fit(task, config, training)
    fabric = machine.launch(training)
    with tempfile.TemporaryDirectory(prefix="dista-plan-") as folder:
        what = RunConfig(preset="", data=task.name, model=config, training=training)
        run = Run.create(Path(folder) / "run", what, {})
        session = Session(fabric, run, task, starting_model(what), progress=False)
        seconds = _measure(session)
        run.release()  # Windows removes no folder in which a file is open
    expected = seconds * session.steps / 60
    return Plan(
        steps=session.steps,
        parameters=sum(p.numel() for p in session.model.parameters()),
        step_seconds=seconds,
        minutes=min(expected, training.minutes or expected),
        memory_mb=_memory(),
    )


def _measure(session: Session) -> float:
    """Seconds of a step, the batch included; the first one, which compiles, is not counted."""
    session.learner.train()
    taken = []
    began = time.perf_counter()
    for batches in session.groups():
        session.step(batches)
        taken.append(time.perf_counter() - began)
        if len(taken) > _MEASURED:
            break
        began = time.perf_counter()
    counted = taken[1:] or taken
    return sum(counted) / len(counted)


def _memory() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    try:
        import resource
    except ImportError:  # Windows, of which psutil knows it; elsewhere it does not
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
