"""Trainings in processes of their own, which outlive whoever started them: a page, a notebook, a terminal.

A process is ``dista train`` with the words that a terminal would take, and says what it has to say into
``.logs/NAME.log`` beside the runs. Nothing but the run folder and that log lies between it and those who
watch: they can be several, come later, and be on another host as long as they only look, stop, or wait.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from dista.config import TrainingConfig
from dista.presets import preset, presets
from dista.runs.facts import RunConfig, State
from dista.runs.folder import Run, RunError

LOGS = ".logs"
PROGRAM = ("-P", "-m", "dista", "train")
ROOT = Path(__file__).parents[2]
"""What ``dista`` lies in: a clone, or the folder of installed packages."""

_STARTING = threading.Lock()
_PROCESS = re.compile("process ([0-9]+)")
_LOOK = 0.2  # seconds between looks at a run that is waited for


# The processes ------------------------------------------------------------------------------------


def new_run(folder: Path, preset: str) -> Path:  # type: ignore[return]  # count() has no end
    """A place for a run that no other has, reserved by its log: two readers may start one in the same second."""
    name = begin = f"{preset.replace('_', '-')}-{time.strftime('%Y%m%d-%H%M%S')}"
    (folder / LOGS).mkdir(parents=True, exist_ok=True)
    for number in itertools.count(2):
        with contextlib.suppress(FileExistsError):
            if not (folder / name).exists():
                (folder / LOGS / f"{name}.log").touch(exist_ok=False)
                return folder / name
        name = f"{begin}-{number}"


def start(run: Path, words: Iterable[str], *, without: Iterable[str] = ()) -> None:
    """Start ``dista train`` with these words, which makes the folder ``run``; its log begins anew.

    ``without`` are variables of the environment that are not for it. RunError where the log cannot be written.
    """
    _spawn(run, [*words, f"--out={run.resolve()}"], without)


def spawn(place: Path, command: str, words: Iterable[str], *, without: Iterable[str] = ()) -> None:
    """Start ``dista COMMAND`` with these words, as ``dista sweep`` for the folder of a study; ``log`` has what it says."""
    _spawn(place, list(words), without, command)


def go_on(run: Path, *, without: Iterable[str] = ()) -> bool:
    """Start a process that resumes the run; False where one has it already, or soon will.

    Loading takes ten seconds, in which nobody holds the run yet: a second click, or another reader's.
    """
    with _STARTING:
        if starting(run) or Run(run).status().state == "running":
            return False
        _spawn(run, [f"--resume={run.resolve()}"], without)
    return True


def starting(run: Path) -> bool:
    """Whether the process that was started last for the run is at it, and has not written its status yet."""
    starter = _starter(run)
    return starter not in (None, _writer(run)) and _is_at(starter, run)


def complaint(run: Path) -> str | None:
    """The error with which the process started last for this run ended; None where it has none."""
    # That it was stopped is what somebody asked for, and no error.
    pattern = r"^(?:dista: (?!stopped after |interrupted)|[\w.]*Error: )(.+)$"
    said = re.findall(pattern, log(run), re.M)
    return said[-1] if said else None


def refusal(run: Path) -> str | None:
    """Why the process started last for the run ended before it wrote any of it; None where it did not."""
    starter, writer = _starter(run), _writer(run)
    if starter in (None, writer) or _is_at(starter, run):
        return None
    if writer is not None:
        # else it was resumed from elsewhere since
        return complaint(run) if _is_newer(_log(run), run / "status.json") else None
    if said := complaint(run):
        return said
    last = log(run).strip().rpartition("\n")[2]
    return f"{run} is not there: it was removed, or its process ended before it made it" + (
        f", and said last: {last}" if last else ""
    )


def log(run: Path) -> str:
    """All that the process started last for this run has said; nothing where none was started."""
    return _lines(run)[1]


def _lines(run: Path) -> tuple[int | None, str]:
    """The number of the process, which is the log's first line, and the rest."""
    try:
        text = _log(run).read_text("utf-8", "replace")
    except OSError:
        return None, ""
    first, _, rest = text.partition("\n")
    named = _PROCESS.fullmatch(first)
    return (int(named[1]), rest) if named else (None, text)


def _log(run: Path) -> Path:
    return run.parent / LOGS / f"{run.name}.log"


def _starter(run: Path) -> int | None:
    """The process that was started last for the run, on this or another host."""
    return _lines(run)[0]


def _writer(run: Path) -> int | None:
    """The process that wrote the status of the run."""
    with contextlib.suppress(RunError):
        return Run(run).status().pid
    return None


def _is_at(process: int, run: Path) -> bool:
    """Whether a process of this number is there, and has to do with the run."""
    import psutil

    words = {f"--{word}={run.resolve()}" for word in ("resume", "out")}
    with contextlib.suppress(psutil.Error):
        return bool(words & set(psutil.Process(process).cmdline()))
    return False


def _is_newer(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return one.stat().st_mtime_ns > other.stat().st_mtime_ns
    return False


def _spawn(run: Path, words: list[str], without: Iterable[str] = (), command: str = "") -> None:
    program = (*PROGRAM[:-1], command) if command else PROGRAM
    path = _log(run)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb")
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from error
    with file:
        process = subprocess.Popen(
            [sys.executable, *program, *words],
            env=_environment(without),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C here is not for it
        )
        file.write(f"process {process.pid}\n".encode())  # which has nothing to say yet
    # Whoever started it takes note of its end; else it stayed a zombie as long as a page or a notebook is open.
    threading.Thread(target=process.wait, daemon=True).start()


def _environment(without: Iterable[str]) -> dict[str, str]:
    """Of a clone, which need not be installed, python is told where it is; the user's folder is no module."""
    clone = str(ROOT) if (ROOT / "pyproject.toml").is_file() else None
    paths = filter(None, (clone, os.environ.get("PYTHONPATH")))
    inherited = {name: value for name, value in os.environ.items() if name not in set(without)}
    return inherited | {"PYTHONPATH": os.pathsep.join(paths)}


# What a terminal would take -----------------------------------------------------------------------


def words(config: RunConfig) -> list[str]:
    """The options of ``dista train`` for a new run of this configuration, without its folder."""
    name, model = _nearest(config)
    changed = {f"model.{path}": value for path, value in model.items()}
    changed |= dict(_differences(config.training.model_dump(), TrainingConfig().model_dump()))
    changed |= {f"data.{option}": value for option, value in config.data_options.items()}
    root = [f"--data-dir={config.data_root}"] if config.data_root else []
    settings = [f"--set={path}={json.dumps(value)}" for path, value in changed.items()]
    return [f"--preset={name}", f"--data={config.data}", *root, *settings]


def _nearest(config: RunConfig) -> tuple[str, dict[str, Any]]:
    """The preset that the run names, else the one that is most like its model; and what is other than in it."""
    fields = config.model.model_dump()
    names = [config.preset] if config.preset else list(presets())
    each = {name: dict(_differences(fields, preset(name).model_dump())) for name in names}
    return min(each.items(), key=lambda pair: len(pair[1]))


def _differences(one: dict[str, Any], other: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Fields of ``one`` that differ from those of ``other``, by path; groups of fields are gone into."""
    for name, value in one.items():
        if isinstance(value, dict) and isinstance(other.get(name), dict):
            yield from ((f"{name}.{path}", v) for path, v in _differences(value, other[name]))
        elif value != other.get(name):
            yield name, value


# Whoever looks ------------------------------------------------------------------------------------


class Training:
    """A run, and the process that writes it, whoever started that: to watch, to stop, to resume, to wait for.

    It remembers nothing but the folder: several of one run, in one notebook or in several processes, say the
    same. Letting go of it, or ending Python, leaves the training going. RunError where there is neither a run
    nor a process that makes one.
    """

    def __init__(self, run: Run | Training | str | os.PathLike[str]) -> None:
        self.path: Path = run.path if isinstance(run, (Run, Training)) else Path(run)
        if not (self.path / "config.json").is_file() and not _log(self.path).is_file():
            Run(self.path)  # says what is there instead

    def __repr__(self) -> str:
        return f"Training({str(self.path)!r}): {self.sentence}"

    @property
    def run(self) -> Run:
        """The run folder; RunError until its process has made it, some ten seconds after it was started."""
        return Run(self.path)

    @property
    def state(self) -> State | Literal["starting"]:
        """Where it is: starting, running, finished, stopped, or crashed, which ``problem`` explains."""
        state: State = "crashed"
        with contextlib.suppress(RunError):
            state = self.run.status().state
        if state in ("running", "finished"):
            return state
        if starting(self.path):
            return "starting"
        return "crashed" if refusal(self.path) else state

    @property
    def problem(self) -> str | None:
        """Why it crashed, or never began, in a sentence; None while there is nothing to say. ``log`` has it all."""
        return self._problem() if self.state == "crashed" else None

    def _problem(self) -> str:
        if said := refusal(self.path):
            return said
        try:
            return self.run.status().reason or complaint(self.path) or "it did not say why"
        except RunError as error:
            return str(error)

    @property
    def log(self) -> str:
        """What its process has said since it was started last."""
        return log(self.path)

    @property
    def sentence(self) -> str:
        """The state in words, with the reason where there is one."""
        state = self.state
        if state == "crashed":
            return f"crashed: {self._problem()}"
        if state == "starting":
            return "starting; loading libraries and data takes some ten seconds"
        status = self.run.status()
        return f"{state}, after {status.epoch} of {self.run.config.training.epochs} epochs"

    def stop(self) -> None:
        """Ask it to finish its step, save, and end; RunError where it is not running.

        One that is still starting ends with its first step.
        """
        if self.state == "starting":
            self._wait_until(lambda: self.state != "starting", None)
        self.run.ask_to_stop()

    def resume(self) -> None:
        """Go on from the last saved state, in a new process; RunError where it is finished or running already."""
        self.run.check_resumable()
        if not go_on(self.path):
            raise RunError(f"{self.path} is starting already; there is nothing to resume")

    def wait(self, timeout: float | None = None) -> Run:
        """Return its run when it is finished or stopped; RunError with the reason where it crashed.

        TimeoutError after ``timeout`` seconds. Interrupting the wait leaves the training going.
        """
        self._wait_until(lambda: self.state not in ("starting", "running"), timeout)
        if problem := self.problem:
            raise RunError(problem)
        return self.run

    def _wait_until(self, reached: Any, timeout: float | None) -> None:
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while not reached():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.path} is still {self.state} after {timeout:g} seconds")
            time.sleep(_LOOK)
