"""The run folder: the boundary between training and looking. The only reader and writer of it.

    config.json         RunConfig: model, data, training
    environment.json    versions, command, commit, host facts, start time
    status.json         {"state": running | finished | stopped | crashed, "epoch", "step", "reason", ...}
    lock, holder.json   held by the process that writes the run, and who that is: see ``dista.runs.processes``
    stop                asks that process to finish its step, save, and end
    steps.jsonl         a line for each optimiser step: step, epoch, loss, lr, gradient (norm before clipping)
    epochs.jsonl        a line for each epoch: epoch, train_loss, val_loss, val_accuracy, seconds
    neurons.jsonl       a line for each epoch and layer: epoch, layer, tau, tau_min, tau_max, rate, dead, saturated
    gradients.jsonl     a line for each epoch and layer: epoch, layer, weights, tau (mean norms of the epoch's steps)
    attention.jsonl     a line for each epoch and block: epoch, block, and what ``measures.map_statistics`` says
    notes.jsonl         what a reader of the tables has to know: rows that a power loss took
    starting-taus.json  the time constants before training, by layer: one value, or one a channel
    annotation.json     a note and tags, by whoever looks at runs: see ``dista.runs.annotation``
    snapshots/          epoch-0000.zarr.zip, ...: the recording of the fixed probe samples
    checkpoints/        best/ and last/, each a checkpoint folder
    resume.safetensors  what a resumed run starts from: all tensors, and the position as JSON in the header
    tensorboard/        events, where that logger was asked for

Epoch 0 is the state before training. Whole files are replaced at once and lines are appended with one
write; a reader ignores a last line without its end. So either side can be killed at any time:
``pandas.read_json(path, lines=True)`` and ``xarray.open_datatree`` (of a ``zarr.storage.ZipStore``)
read everything here. The status comes before the configuration, by which a run is found, so no
reader meets a run without one. A resumed run first cuts its tables to their length at the time of the
state it starts from: what was done after it is done again, and no row is there twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dista.checkpoint import WEIGHTS, CheckpointError, write_whole
from dista.config import ConfigError
from dista.files import replacement
from dista.files.facts import Damaged, read_whole
from dista.files.failures import not_written
from dista.runs import begun, places, processes, resumable, tables
from dista.runs.facts import (
    TABLES,
    Environment,
    RunConfig,
    Saved,
    StartingTaus,
    State,
    Status,
    Table,
)
from dista.runs.tables import Tail

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from torch import Tensor

    from dista.model import DISTA

_SNAPSHOT = re.compile(r"epoch-([0-9]{4,9})\.zarr\.zip")


class RunError(ValueError):
    """A run folder is missing, damaged or already taken."""


def default_folder() -> Path:
    """Where runs are made and looked for if nobody says otherwise: DISTA_RUNS, or the folder ``runs``."""
    return Path(os.environ.get("DISTA_RUNS") or "runs")


def place(path: str | os.PathLike[str]) -> Path:
    """``path``, where a run may be started there: RunError for all but a new or an empty folder.

    One that was killed before it had a configuration is nothing yet, and started again.
    """

    def objection(there: Path) -> str:
        if there.is_file():
            return "is a file"
        if begun.only_begun(there):
            return ""
        run = all((there / name).is_file() for name in ("config.json", "status.json"))
        return "is not empty" + ": it is a run, which --resume goes on with" * run

    replacement.place(path, replacement.Kind("a run", RunError, objection))
    return Path(path)


class Run:
    """One run folder. Readers and the writer use the same class; only the writer holds the folder.

    It does from ``create`` or ``reopen`` on, or the first status "running", until a status that is the last.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._hold: processes.Hold | None = None
        if not (self.path / "config.json").is_file():
            if begun.only_begun(self.path):
                raise RunError(begun.sentence(self.path))
            raise RunError(f"{self.path} is not a run folder: it has no config.json")

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], config: RunConfig, environment: dict[str, Any]
    ) -> Run:
        """Start a run folder; RunError where there is one already, which is never overwritten."""
        path = place(path)
        hold = _take(path)
        try:
            place(path)  # again, now that nobody else can begin one
            begun.clear(path)
            (path / "snapshots").mkdir(exist_ok=True)
            write_whole(path / "environment.json", json.dumps(environment, indent=2).encode())
            _write_status(path, "running", epoch=0, step=0)
            write_whole(path / "config.json", config.to_json().encode())
            run = cls(path)
        except BaseException as error:
            hold.release()
            if isinstance(error, OSError):
                raise RunError(not_written(error, path)) from error
            raise
        run._hold = hold
        return run

    @property
    def name(self) -> str:
        return places.name_of(self.path)

    @property
    def config(self) -> RunConfig:
        path = self.path / "config.json"
        try:
            return RunConfig.from_json(read_whole(path).decode())
        except (ConfigError, UnicodeDecodeError) as error:
            raise RunError(f"{path} is damaged: {error}") from error
        except (Damaged, OSError) as error:
            raise RunError(f"{path} is damaged or gone: {error}") from error

    @property
    def environment(self) -> Environment:
        """Where the run comes from; RunError where that is damaged."""
        try:
            return Environment.read(self.path / "environment.json")
        except (Damaged, OSError) as error:
            raise RunError(f"{self.path}: {error}") from error

    # Status ------------------------------------------------------------------------------------

    def set_status(self, state: State, **facts: Any) -> None:
        """Write the status. One that is not "running" is the writer's last word: it lets go of the run.

        RunError where another process holds it.
        """
        if state == "running":
            self._take()
        self.check_there()
        _write_status(self.path, state, **facts)
        if state != "running":
            self.release()

    def status(self) -> Status:
        """What is written, and whether it still holds: a run that nobody writes has crashed, with the reason."""
        try:
            status = Status.read(self.path / "status.json")
        except FileNotFoundError:
            status = Status(state="crashed", reason="it ended before it wrote a status")
        except (Damaged, OSError) as error:
            status = Status(state="crashed", reason=f"its status cannot be read: {error}")
        if status.state != "finished" and processes.held(self.path):
            return status.model_copy(update={"state": "running", "reason": None})
        if status.state == "running":
            gone = {"state": "crashed", "reason": "its process is gone; it was killed"}
            return status.model_copy(update=gone)
        return status

    def release(self) -> None:
        """Let go of the run, where this object holds it; a wish that it stops is fulfilled then."""
        if self._hold:
            with contextlib.suppress(OSError):
                self._hold.check()
                self._stop.unlink(missing_ok=True)
            self._hold.release()
            self._hold = None

    def ask_to_stop(self) -> None:
        """Ask the process that writes the run, wherever it is, to finish its step, save, and end.

        RunError where there is none, or its folder cannot be written.
        """
        if self.status().state != "running":
            raise RunError(f"{self.path} is not running")
        try:
            self._stop.touch()
        except OSError as error:
            raise RunError(not_written(error, self.path)) from error

    def asked_to_stop(self) -> bool:
        return self._stop.exists()

    def _forget_earlier_wish(self) -> None:
        """One to stop from before this object held the run was for a process that was killed; a later one stands."""
        with contextlib.suppress(FileNotFoundError):
            since = (self.path / processes.HOLDER).stat().st_mtime_ns
            if self._stop.stat().st_mtime_ns < since:
                self._stop.unlink()

    @property
    def _stop(self) -> Path:
        return self.path / "stop"

    def _take(self) -> None:
        """Hold the run, unless this object does; RunError where another process does, with its name."""
        if self._hold is None:
            self._hold = _take(self.path)

    def check_there(self) -> None:
        """FileNotFoundError where the folder that this object holds was moved or removed."""
        if self._hold:
            self._hold.check()

    # Tables ------------------------------------------------------------------------------------

    def append(self, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        """Add lines to a table, all of them with one write; OSError, and no line, where there is no room."""
        self.check_there()
        tables.append(self._table(table), rows)

    def table(self, table: Table) -> pd.DataFrame:
        """All complete lines of a table so far; an empty frame where there are none yet."""
        return Tail(self, table).read()

    def note(self, text: str) -> None:
        """Something that those who read the tables have to know."""
        tables.append(self.path / "notes.jsonl", [{"note": text}])

    def notes(self) -> list[str]:
        return tables.notes(self.path / "notes.jsonl")

    def save_starting_taus(self, taus: Mapping[str, Sequence[float]]) -> None:
        """The time constants with which the training begins, in steps, by layer."""
        self.check_there()
        write_whole(self._starting_taus, json.dumps({"layers": taus}, indent=2).encode())

    def starting_taus(self) -> dict[str, list[float]] | None:
        """What ``save_starting_taus`` wrote; None where it was not kept. RunError where it is damaged."""
        try:
            return StartingTaus.read(self._starting_taus).layers
        except FileNotFoundError:
            return None
        except Damaged as error:
            raise RunError(f"{self.path}: {error}") from error

    @property
    def _starting_taus(self) -> Path:
        return self.path / "starting-taus.json"

    def _table(self, table: Table) -> Path:
        return self.path / f"{table}.jsonl"

    # Resuming ----------------------------------------------------------------------------------

    def save_state(self, tensors: Mapping[str, Tensor], position: Mapping[str, Any]) -> None:
        """Replace the state that a resumed run starts from, and remember how long the tables are.

        They are on the disk before it is: a state never knows of rows that a power loss can take.
        """
        self.check_there()
        paths = {table: self._table(table) for table in TABLES}
        sizes = {table: tables.keep(path) for table, path in paths.items() if path.is_file()}
        write_whole(self._state, resumable.packed(tensors, position, sizes))

    def check_resumable(self) -> None:
        """RunError for a run that is finished, or that another process writes: ``reopen`` would raise it."""
        if self._hold is None and processes.held(self.path):
            raise _taken(self.path)
        if self.status().state == "finished":
            raise RunError(
                f"{self.path} is finished; there is nothing to resume; train it further in a "
                "new run, with --init and this folder"
            )

    def reopen(self) -> tuple[dict[str, Tensor], Saved] | None:
        """Take over a run that has ended early: its state, None where there is none yet.

        Nothing is changed before ``rewind``. RunError for a run that is finished, or that another process
        writes, or a damaged state.
        """
        self._take()
        try:
            self.check_resumable()
            self._forget_earlier_wish()
            return resumable.read(self._state) if self._state.exists() else None
        except BaseException as error:
            self.release()
            if isinstance(error, Damaged):
                raise RunError(str(error)) from error
            raise

    def rewind(self, saved: Saved | None) -> None:
        """Cut tables and snapshots to what the state knows, and remove leftovers of interrupted writes.

        The state's position has the ``epoch`` that was complete. Rows that it knows and that are gone are
        a note.
        """
        self.check_there()
        for part in {*self.path.rglob(".*.part"), *self.path.rglob(".epoch-*")}:  # some in others
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
        for table in TABLES:
            path, size = self._table(table), saved.tables.get(table, 0) if saved else 0
            if lost := tables.cut(path, size):
                self.note(
                    f"{path.name} has lost the last {lost} of the {size} bytes that were written before step "
                    f"{saved.position.get('step', 0) if saved else 0}: rows are missing there, in the table only"
                )
        done = saved.position.get("epoch", -1) if saved else -1
        for epoch in self.snapshots():
            if epoch > done:
                self._snapshot(epoch).unlink()

    @property
    def _state(self) -> Path:
        return self.path / "resume.safetensors"

    # Snapshots and checkpoints -----------------------------------------------------------------

    def snapshot_bytes(self) -> int:
        """What the snapshots take on disk."""
        return sum(p.stat().st_size for p in (self.path / "snapshots").glob("epoch-*.zarr.zip"))

    def save_snapshot(self, epoch: int, recording: xr.DataTree) -> None:
        from dista.recording import save

        self.check_there()
        save(recording, self._snapshot(epoch))

    def snapshots(self) -> list[int]:
        """Epochs of which there is a recording, in order."""
        names = (p.name for p in (self.path / "snapshots").glob("epoch-*.zarr.zip"))
        return sorted(int(match[1]) for name in names if (match := _SNAPSHOT.fullmatch(name)))

    def snapshot(self, epoch: int) -> xr.DataTree:
        from dista.recording import open_recording

        return open_recording(self._snapshot(epoch))

    def _snapshot(self, epoch: int) -> Path:
        return self.path / "snapshots" / f"epoch-{epoch:04d}.zarr.zip"

    def checkpoint(self, which: Literal["best", "last"]) -> Path:
        return self.path / "checkpoints" / which

    def load(self, which: Literal["best", "last"] = "best") -> DISTA:
        from dista.checkpoint import load

        if not self.checkpoint(which).is_dir():
            raise CheckpointError(f"{self.path} has no checkpoint {which!r} yet")
        if not (self.checkpoint(which) / WEIGHTS).is_file():
            raise CheckpointError(f"{self.path} is here without its weights; train it to have them")
        return load(self.checkpoint(which))


def find(folder: str | os.PathLike[str]) -> list[Run]:
    """The runs directly below ``folder``, and those of studies there, newest first; none where it does not exist."""
    dated = []
    for path in places.below(Path(folder)):
        with contextlib.suppress(RunError, OSError):  # no run, or gone meanwhile
            dated.append((path.stat().st_mtime, Run(path)))
    return [run for _, run in sorted(dated, key=lambda pair: pair[0], reverse=True)]


def _take(path: Path) -> processes.Hold:
    try:
        path.mkdir(parents=True, exist_ok=True)
        hold = processes.take(path)
    except OSError as error:
        raise RunError(not_written(error, path)) from error
    if hold is None:
        raise _taken(path)
    return hold


def _taken(path: Path) -> RunError:
    return RunError(
        f"{path} is running: {processes.holder(path)} writes it; there is nothing to resume"
    )


def _write_status(path: Path, state: State, **facts: Any) -> None:
    status = {"state": state, "updated": time.time(), "pid": os.getpid(), **facts}
    write_whole(path / "status.json", json.dumps(status).encode())
