"""Trainings started from the dashboard, by those who may: in the background, as those of a notebook are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.link import permission
from dista.runs import background

WITHOUT = (permission.TOKEN,)
"""What a training does not need to know: who may start others."""


def start(folder: Path, options: Mapping[str, Any]) -> Path:
    """Start ``dista train`` with these options and return the folder of its run, which it makes itself."""
    permission.check_training()
    run = background.new_run(folder, options["preset"])
    several = {n: v if isinstance(v, list) else [v] for n, v in options.items()}
    words = [f"--{n}={v}" for n, values in several.items() for v in values if v is not None]
    background.start(run, words, without=WITHOUT)
    return run


def go_on(run: Path) -> None:
    """Start a process that resumes the run, unless one has it already, or soon will."""
    permission.check_training()
    background.go_on(run, without=WITHOUT)


def spawn(place: Path, command: str, words: list[str]) -> None:
    """Start ``dista COMMAND WORDS``; what it says is the log of ``place``, which it makes."""
    permission.check_training()
    background.spawn(place, command, words, without=WITHOUT)
