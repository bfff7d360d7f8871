"""The run folder: the boundary between training and looking. The only reader and writer of it.

    config.json         RunConfig: model, data, training
    environment.json    versions, command, commit, host facts, start time
    status.json         {"state": running | finished | stopped | crashed, "epoch", "step", "reason", ...}, and
                        "pid", "born" (its start time) and "host" of the process that writes the run
    steps.jsonl         a line for each optimiser step: step, epoch, loss, lr, gradient (norm before clipping)
    epochs.jsonl        a line for each epoch: epoch, train_loss, val_loss, val_accuracy, seconds
    neurons.jsonl       a line for each epoch and layer: epoch, layer, tau, tau_min, tau_max, rate, dead, saturated
    gradients.jsonl     a line for each epoch and layer: epoch, layer, weights, tau (mean norms of the epoch's steps)
    attention.jsonl     a line for each epoch and block: epoch, block, and what ``measures.map_statistics`` says
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
import errno
import json
import os
import shutil
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, get_args

from dista import processes, replacement
from dista.checkpoint import CheckpointError, write_whole
from dista.config import Config, ConfigError, ModelConfig, TrainingConfig

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from torch import Tensor

    from dista.model import DISTA

Table = Literal["steps", "epochs", "neurons", "gradients", "attention"]
State = Literal["running", "finished", "stopped", "crashed"]


class RunError(ValueError):
    """A run folder is missing, damaged or already taken."""


def place(path: str | os.PathLike) -> Path:
    """``path``, where a run may be started there: RunError for all but a new or an empty folder."""

    def objection(there: Path) -> str:
        if there.is_file():
            return "is a file"
        run = all((there / name).is_file() for name in ("config.json", "status.json"))
        return "is not empty" + ": it is a run, which --resume goes on with" * run

    replacement.place(path, replacement.Kind("a run", RunError, objection))
    return Path(path)


class RunConfig(Config):
    """What a run is: the model, the task it is trained on, and how.

    ``data_root`` is the folder given to ``dista.data.open``, None where none was.
    """

    preset: str
    data: str
    data_root: str | None = None
    model: ModelConfig
    training: TrainingConfig


class Run:
    """One run folder. Readers and the writer use the same class; only the trainer calls ``append``."""

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        if not (self.path / "config.json").is_file():
            raise RunError(f"{self.path} is not a run folder: it has no config.json")

    @classmethod
    def create(cls, path: str | os.PathLike, config: RunConfig, environment: dict[str, Any]) -> Run:
        """Start a run folder; RunError where there is one already, which is never overwritten."""
        path = place(path)
        (path / "snapshots").mkdir(parents=True)
        write_whole(path / "environment.json", json.dumps(environment, indent=2).encode())
        _write_status(path, "running", epoch=0, step=0)
        write_whole(path / "config.json", config.to_json().encode())
        return cls(path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config(self) -> RunConfig:
        try:
            return RunConfig.from_json((self.path / "config.json").read_text("utf-8"))
        except (ConfigError, UnicodeDecodeError) as error:
            raise RunError(f"{self.path / 'config.json'} is damaged: {error}") from error

    # Status ------------------------------------------------------------------------------------

    def set_status(self, state: State, **facts: Any) -> None:
        _write_status(self.path, state, **facts)

    def status(self) -> dict[str, Any]:
        """The written status; a run whose process is gone is reported as crashed, with the reason."""
        try:
            status = json.loads((self.path / "status.json").read_text("utf-8"))
        except (OSError, json.JSONDecodeError):
            return {"state": "crashed", "reason": "it ended before it wrote a status"}
        if status["state"] == "running" and not processes.alive(status):
            return status | {"state": "crashed", "reason": "its process is gone; it was killed"}
        return status

    def ask_to_stop(self) -> None:
        """Ask the process that writes the run to finish its step, save, and end.

        RunError where there is none, or it runs on another host.
        """
        status = self.status()
        if status["state"] != "running" or not processes.here(status):
            raise RunError(f"{self.path} is not being written by a process of this host")
        os.kill(status["pid"], signal.SIGTERM)

    # Tables ------------------------------------------------------------------------------------

    def append(self, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        """Add lines to a table, all of them with one write; OSError, and no line, where there is no room."""
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        with (self.path / f"{table}.jsonl").open("ab", buffering=0) as file:
            before = os.fstat(file.fileno()).st_size
            if file.write(lines) < len(lines):
                file.truncate(before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.name)

    def table(self, table: Table) -> pd.DataFrame:
        """All complete lines of a table so far; an empty frame where there are none yet."""
        return Tail(self, table).read()

    # Resuming ----------------------------------------------------------------------------------

    def save_state(self, tensors: Mapping[str, Tensor], position: Mapping[str, Any]) -> None:
        """Replace the state that a resumed run starts from, and remember how long the tables are."""
        from safetensors.torch import save

        facts = {"position": dict(position), "tables": self._table_sizes()}
        write_whole(self._state, save(dict(tensors), {"state": json.dumps(facts)}))

    def reopen(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Take over a run that has ended early: its state, None where there is none yet.

        Tables and snapshots are cut to what the state knows, whose position has the ``epoch`` that was
        complete, and leftovers of interrupted writes are removed. RunError
        for a run that is finished or running, or a damaged state.
        """
        state = self.status()["state"]
        if state in ("finished", "running"):
            further = "; train it further in a new run, with --init and this folder"
            raise RunError(
                f"{self.path} is {state}; there is nothing to resume{further * (state == 'finished')}"
            )
        tensors, facts = self._read_state() if self._state.is_file() else (None, {"tables": {}})
        for part in {*self.path.rglob(".*.part"), *self.path.rglob(".epoch-*")}:  # some in others
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
        for table in get_args(Table):
            self._cut(table, facts["tables"].get(table, 0))
        done = facts.get("position", {}).get("epoch", -1)
        for epoch in self.snapshots():
            if epoch > done:
                self._snapshot(epoch).unlink()
        return None if tensors is None else (tensors, facts["position"])

    def _read_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._state, "pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return tensors, json.loads(file.metadata()["state"])
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self._state} is damaged: {error}") from error

    @property
    def _state(self) -> Path:
        return self.path / "resume.safetensors"

    def _table_sizes(self) -> dict[str, int]:
        paths = {table: self.path / f"{table}.jsonl" for table in get_args(Table)}
        return {table: path.stat().st_size for table, path in paths.items() if path.is_file()}

    def _cut(self, table: Table, size: int) -> None:
        with (
            contextlib.suppress(FileNotFoundError),
            (self.path / f"{table}.jsonl").open("r+b") as file,
        ):
            known = file.read(size)
            file.truncate(known.rfind(b"\n") + 1)

    # Snapshots and checkpoints -----------------------------------------------------------------

    def snapshot_bytes(self) -> int:
        """What the snapshots take on disk."""
        return sum(p.stat().st_size for p in (self.path / "snapshots").glob("epoch-*.zarr.zip"))

    def save_snapshot(self, epoch: int, recording: xr.DataTree) -> None:
        from dista.recording import save

        save(recording, self._snapshot(epoch))

    def snapshots(self) -> list[int]:
        """Epochs of which there is a recording, in order."""
        return sorted(
            int(p.name[6:10]) for p in (self.path / "snapshots").glob("epoch-????.zarr.zip")
        )

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
        return load(self.checkpoint(which))


class Tail:
    """A table of a run that is looked at again and again: each time only what was added is read."""

    def __init__(self, run: Run, table: Table) -> None:
        self._path = run.path / f"{table}.jsonl"
        self._forget()

    def _forget(self) -> None:
        import pandas as pd

        self._frame, self._size, self._end = pd.DataFrame(), 0, b""

    def read(self) -> pd.DataFrame:
        """All complete lines so far, as ``Run.table``; the frame belongs to the tail, do not change it."""
        try:
            with self._path.open("rb") as file:
                added = self._added(file)
        except FileNotFoundError:
            self._forget()
        else:
            self._append(added[: added.rfind(b"\n") + 1])
        return self._frame

    def _added(self, file: BinaryIO) -> bytes:
        """What comes after the known part; all of it where a resumed run has cut what was known."""
        file.seek(self._size - len(self._end))
        if file.read(len(self._end)) != self._end:
            self._forget()
        file.seek(self._size)
        return file.read()

    def _append(self, lines: bytes) -> None:
        import pandas as pd

        if lines:
            new = pd.DataFrame([json.loads(line) for line in lines.splitlines()])
            self._frame = pd.concat([self._frame, new], ignore_index=True) if self._size else new
            self._size, self._end = self._size + len(lines), (self._end + lines)[-256:]


def find(folder: str | os.PathLike) -> list[Run]:
    """The runs directly below ``folder``, newest first; none where it does not exist."""
    folder = Path(folder)
    paths = [p.parent for p in folder.glob("*/config.json")] if folder.is_dir() else []
    return [Run(p) for p in sorted(paths, key=lambda p: p.stat().st_mtime, reverse=True)]


def _write_status(path: Path, state: State, **facts: Any) -> None:
    status = {"state": state, **processes.identity(), "updated": time.time(), **facts}
    write_whole(path / "status.json", json.dumps(status).encode())
