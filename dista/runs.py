"""The run folder: the boundary between training and looking. The only reader and writer of it.

    config.json        RunConfig: model, data, training
    environment.json   versions, command, commit, host facts, start time
    status.json        {"state": running | finished | stopped | crashed, "epoch", "step", "pid", "reason", ...}
    steps.jsonl        a line for each logged training step: step, epoch, loss, lr
    epochs.jsonl       a line for each epoch: epoch, train_loss, val_loss, val_accuracy, seconds
    neurons.jsonl      a line for each epoch and layer: epoch, layer, tau, tau_min, tau_max, rate, dead, saturated
    snapshots/         epoch-0000.zarr.zip, ...: the recording of the fixed probe sample
    checkpoints/       best/ and last/, each a checkpoint folder

Epoch 0 is the state before training. Whole files are replaced at once and lines are appended with one
write; a reader ignores a last line without its end. So either side can be killed at any time:
``pandas.read_json(path, lines=True)`` and ``xarray.open_datatree`` (of a ``zarr.storage.ZipStore``)
read everything here.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dista.checkpoint import CheckpointError, write_whole
from dista.config import Config, ConfigError, ModelConfig, TrainingConfig

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from dista.model import DISTA

State = Literal["running", "finished", "stopped", "crashed"]


class RunError(ValueError):
    """A run folder is missing, damaged or already taken."""


class RunConfig(Config):
    """What a run is: the model, the task it is trained on, and how."""

    preset: str
    data: str
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
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise RunError(f"{path} is a file; choose a folder for the run")
        if path.exists() and any(path.iterdir()):
            raise RunError(f"{path} is not empty; choose another folder for the run, or remove it")
        (path / "snapshots").mkdir(parents=True)
        write_whole(path / "environment.json", json.dumps(environment, indent=2).encode())
        write_whole(path / "config.json", config.to_json().encode())
        run = cls(path)
        run.set_status("running", epoch=0, step=0)
        return run

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
        status = {"state": state, "pid": os.getpid(), "updated": time.time(), **facts}
        write_whole(self.path / "status.json", json.dumps(status).encode())

    def status(self) -> dict[str, Any]:
        """The written status; a run whose process is gone is reported as crashed, with the reason."""
        try:
            status = json.loads((self.path / "status.json").read_text("utf-8"))
        except (OSError, json.JSONDecodeError):
            return {"state": "crashed", "reason": "it ended before it wrote a status"}
        if status["state"] == "running" and not _alive(status["pid"]):
            return status | {"state": "crashed", "reason": "its process is gone; it was killed"}
        return status

    # Tables ------------------------------------------------------------------------------------

    def append(
        self, table: Literal["steps", "epochs", "neurons"], rows: Iterable[dict[str, Any]]
    ) -> None:
        """Add lines to a table, all of them with one write."""
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        with (self.path / f"{table}.jsonl").open("ab", buffering=0) as file:
            file.write(lines.encode())

    def table(self, table: Literal["steps", "epochs", "neurons"]) -> pd.DataFrame:
        """All complete lines of a table so far; an empty frame where there are none yet."""
        import pandas as pd

        try:
            text = (self.path / f"{table}.jsonl").read_text("utf-8")
        except FileNotFoundError:
            text = ""
        complete = text[: text.rfind("\n") + 1].splitlines()
        return pd.DataFrame([json.loads(line) for line in complete])

    # Snapshots and checkpoints -----------------------------------------------------------------

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


def find(folder: str | os.PathLike) -> list[Run]:
    """The runs directly below ``folder``, newest first; none where it does not exist."""
    folder = Path(folder)
    paths = [p.parent for p in folder.glob("*/config.json")] if folder.is_dir() else []
    return [Run(p) for p in sorted(paths, key=lambda p: p.stat().st_mtime, reverse=True)]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
