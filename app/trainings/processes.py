"""Trainings started from the dashboard: processes of their own, which outlive the browser and the server."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.link import permission

DASHBOARD = Path(__file__).parent.parent  # app/ in a clone, dista/_app/app/ where it is installed
LOGS = ".logs"  # what the trainings say, beside the runs


def start(folder: Path, options: Mapping[str, Any]) -> Path:
    """Start ``dista train`` with these options and return the folder of its run, which it makes itself."""
    permission.check_training()
    run = folder / _free(folder, options["preset"].replace("_", "-"))
    words = [f"--{name}={value}" for name, value in options.items() if value is not None]
    _spawn(folder, run.name, [*words, f"--out={run}"])
    return run


def _free(folder: Path, preset: str) -> str:  # type: ignore[return]  # count() has no end
    """A name that no run has, kept by its log: two readers may start one in the same second."""
    name = begin = f"{preset}-{time.strftime('%Y%m%d-%H%M%S')}"
    (folder / LOGS).mkdir(parents=True, exist_ok=True)
    for number in itertools.count(2):
        with contextlib.suppress(FileExistsError):
            if not (folder / name).exists():
                (folder / LOGS / f"{name}.log").touch(exist_ok=False)
                return name
        name = f"{begin}-{number}"


def go_on(run: Path) -> None:
    """Start a process that resumes the run."""
    permission.check_training()
    _spawn(run.parent, run.name, [f"--resume={run}"])


def spawn(folder: Path, name: str, command: str, words: list[str]) -> None:
    """Start ``dista COMMAND WORDS``; what it says goes into the log of that name."""
    permission.check_training()
    _spawn(folder, name, words, command)


def _spawn(folder: Path, name: str, words: list[str], command: str = "train") -> None:
    log = folder / LOGS / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        subprocess.Popen(
            [sys.executable, "-P", "-m", "dista", command, *words],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # the server's Ctrl-C is not for it
        )


def _environment() -> dict[str, str]:
    """Of a clone, which need not be installed, python is told where it is; the user's folder is no module."""
    clone = str(DASHBOARD.parent) if DASHBOARD.parent.name != "_app" else None
    paths = filter(None, (clone, os.environ.get("PYTHONPATH")))
    inherited = {name: value for name, value in os.environ.items() if name != permission.TOKEN}
    return inherited | {"PYTHONPATH": os.pathsep.join(paths)}


def said(folder: Path, name: str) -> str:
    """All that the process started last for this name has said."""
    log = folder / LOGS / f"{name}.log"
    return log.read_text("utf-8", "replace") if log.is_file() else ""


def complaint(folder: Path, name: str) -> str | None:
    """The error with which the process started last for this run ended; None where it has none."""
    complaints = re.findall(r"^(?:dista: |\w*Error: )(.+)$", said(folder, name), re.M)
    return complaints[-1] if complaints else None
