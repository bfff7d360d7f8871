"""Where a result comes from: command, versions, commit and machine; and the card of a checkpoint."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
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

_PACKAGE = Path(__file__).parent.parent  # all of dista: what computes is not in this folder


def environment() -> dict[str, Any]:
    """What a result depends on besides the configuration: command, versions, commit, machine."""
    return {
        "command": command(),
        "python": platform.python_version(),
        "versions": _versions(),
        **_own_commit(),
        "machine": {"system": platform.platform(), "threads": torch.get_num_threads()},
        "started": time.time(),
    }


def command() -> str:
    """The command line as a user would type it."""
    return shlex.join(["dista", *sys.argv[1:]]) if "dista" in sys.argv[0] else "python"


def _versions() -> dict[str, str]:
    """Those of this package, which is not installed where it runs from a folder, and of what computes."""
    versions = {}
    for name in ("dista-explorer", "torch", "lightning", "spikingjelly", "numpy", "numba"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


@functools.cache
def _own_commit() -> dict[str, Any]:
    """As it was when first asked: what is edited while a training runs is not what it runs with."""
    return commit_of(_PACKAGE)


def commit_of(package: Path) -> dict[str, Any]:
    """The ``commit`` of the files in the folder ``package``, and whether they are ``dirty``: not as in it.

    Both are None where the folder is not under version control. That it lies in somebody's repository
    is not enough: a virtual environment does, too, and that commit says nothing about this code.
    """
    tracked = _git(package, "ls-files", "--error-unmatch", "__init__.py")
    commit = _git(package, "rev-parse", "--short", "HEAD") if tracked else None
    changes = _git(package, "status", "--porcelain", "--", ".") if commit else None
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _git(folder: Path, *words: str) -> str | None:
    """What git answers in ``folder``, None where it fails; it writes nothing into the repository."""
    # a hook that starts a training sets variables that would lead to its own repository
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        answer = subprocess.run(
            ["git", "--no-optional-locks", *words],
            cwd=folder,
            env=surroundings,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def card(
    run: Run, task: Task, model: DISTA, epoch: int, metrics: dict[str, float]
) -> dict[str, Any]:
    """The card of the run's model as it is after ``epoch``."""
    facts = environment()
    return {
        "name": run.name,
        "task": task.name,
        "data_options": run.config.data_options,
        "data": task.description,
        "classes": list(task.classes),
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
        "starting_taus": run.starting_taus(),
        "command": facts["command"],
        "versions": facts["versions"],
        "commit": facts["commit"],
        "dirty": facts["dirty"],
        "date": time.strftime("%Y-%m-%d"),
    }
