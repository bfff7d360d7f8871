"""Sweeps started from the dashboard: processes that outlive the page and the server, asked to stop and gone on with.

What has become of a study is in its folder alone; the process is only looked for to know whether one is at it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from app.link import permission
from app.trainings import processes
from dista.checkpoint import write_whole
from dista.runs import RunError, background, default_folder
from dista.runs.places import GRID
from dista.studies.study import Study

GRIDS = ".grids"  # the texts from which studies were started here, beside the runs


class Cost(NamedTuple):
    """What a grid costs: runs, those that are left, hours of one worker, and of all together."""

    runs: int
    left: int
    worker_hours: float
    hours: float


def grid_file(text: str) -> Path:
    """The file of a grid's text, by its content: the same text is the same file."""
    folder = default_folder() / GRIDS
    return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.yml"


def measure(name: str, text: str, workers: int) -> None:
    """Start to measure what the grid costs; ``cost`` has the answer when it is there."""
    permission.check_training()
    file = _written(text)
    words = [str(file), f"--out={default_folder() / name}", f"--workers={workers}"]
    processes.spawn(_log(name, text, workers), "sweep", [*words, "--dry-run", "--json"])


def cost(name: str, text: str, workers: int) -> Cost | str | None:
    """The measured cost, or why there is none; None while it is being measured, or where nobody asked."""
    log = _log(name, text, workers)
    for line in background.log(log).splitlines():
        if line.startswith("{"):
            with contextlib.suppress(ValueError, KeyError):
                said = json.loads(line)
                left = sum(run["state"] != "finished" for run in said["runs"])
                return Cost(len(said["runs"]), left, said["worker_hours"], said["hours"])
    return background.complaint(log)


def _log(name: str, text: str, workers: int) -> Path:
    return default_folder() / f"{name}-{grid_file(text).stem}-{workers}-cost"


def start(name: str, text: str, workers: int) -> Path:
    """Start ``dista sweep`` on the grid, and return the folder of the study, which it makes itself."""
    permission.check_training()
    folder = default_folder() / name
    words = [str(_written(text)), f"--out={folder}", f"--workers={workers}"]
    processes.spawn(folder, "sweep", words)
    return folder


def go_on(study: Path, workers: int) -> None:
    """Start a process that trains what is left of a study, unless one is at it."""
    permission.check_training()
    if not working(study):
        words = [str(study / GRID), f"--out={study}", f"--workers={workers}"]
        processes.spawn(study, "sweep", words)


def stop(study: Path) -> int:
    """Ask the sweeps of a study to stop, here and, by their running runs, on other machines; how many were asked.

    Each training finishes its step and saves, as after Ctrl-C.
    """
    permission.check_training()
    asked = working(study)
    for process in asked:
        with contextlib.suppress(Exception):  # it has ended meanwhile
            process.terminate()
    stopped = 0
    if not asked:
        for run in Study(study).planned():
            with contextlib.suppress(RunError):
                if (trained := run.run()) is not None and trained.status().state == "running":
                    trained.ask_to_stop()
                    stopped += 1
    return len(asked) + stopped


def working(study: Path) -> list:
    """The processes of this machine that sweep the study: those that were started first, not their workers."""
    import psutil

    sweeping = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            words = process.cmdline()
            if "sweep" in words and "--dry-run" not in words:
                out = _study_of(words)
                if out and Path(process.cwd(), out).resolve() == study.resolve():
                    sweeping.append(process)
    return sweeping


def _study_of(words: list[str]) -> str | None:
    """The folder that a command line names with --out."""
    for place, word in enumerate(words):
        if word.startswith("--out="):
            return word.removeprefix("--out=")
        if word == "--out":
            return next(iter(words[place + 1 :]), None)
    return None


def _written(text: str) -> Path:
    file = grid_file(text)
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text.encode())
    return file
