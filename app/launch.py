"""Trainings started from the dashboard: processes of their own, which outlive the browser and the server."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOGS = ".logs"  # what the trainings say, beside the runs


def start(folder: Path, options: Mapping[str, Any]) -> Path:
    """Start ``dista train`` with these options and return the folder of its run, which it makes itself."""
    run = folder / f"{options['preset'].replace('_', '-')}-{time.strftime('%Y%m%d-%H%M%S')}"
    words = [f"--{name}={value}" for name, value in options.items() if value is not None]
    _spawn(folder, run.name, [*words, f"--out={run}"])
    return run


def go_on(run: Path) -> None:
    """Start a process that resumes the run."""
    _spawn(run.parent, run.name, [f"--resume={run}"])


def _spawn(folder: Path, name: str, words: list[str]) -> None:
    log = folder / LOGS / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        subprocess.Popen(
            [sys.executable, "-m", "dista", "train", *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # the server's Ctrl-C is not for it
        )


def complaint(folder: Path, name: str) -> str | None:
    """The error with which the process started last for this run ended; None where it has none."""
    log = folder / LOGS / f"{name}.log"
    if not log.is_file():
        return None
    said = re.findall(r"^(?:dista: |\w*Error: )(.+)$", log.read_text("utf-8", "replace"), re.M)
    return said[-1] if said else None
