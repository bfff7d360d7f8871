"""Where a result comes from: command, versions, commit and machine; and the card of a checkpoint."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from dista.data import Task
from dista.model import DISTA
from dista.runs import Run


def environment() -> dict[str, Any]:
    """What a result depends on besides the configuration: command, versions, commit, machine."""
    packages = ("torch", "lightning", "spikingjelly", "numpy", "numba")
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {
        "command": command(),
        "python": platform.python_version(),
        "versions": versions,
        "commit": _commit(),
        "machine": {"system": platform.platform(), "threads": torch.get_num_threads()},
        "started": time.time(),
    }


def command() -> str:
    """The command line as a user would type it."""
    return shlex.join(["dista", *sys.argv[1:]]) if "dista" in sys.argv[0] else "python"


def _commit() -> str | None:
    """The commit of the source tree, if it is one."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def card(run: Run, task: Task, model: DISTA, epoch: int, metrics: dict) -> dict[str, Any]:
    """The card of the run's model as it is after ``epoch``."""
    facts = environment()
    return {
        "name": run.name,
        "task": task.name,
        "data": task.description,
        "preset": run.config.preset,
        "metrics": {
            "validation": {
                "accuracy": metrics["val_accuracy"],
                "loss": metrics["val_loss"],
                "samples": len(task.validation),
            }
        },
        "epoch": epoch,
        "parameters": sum(p.numel() for p in model.parameters()),
        "training": run.config.training.model_dump(),
        "command": facts["command"],
        "versions": facts["versions"],
        "date": time.strftime("%Y-%m-%d"),
    }
