"""Start a training, go on with one, and write down how it ended."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from torch import Tensor

from dista import data
from dista.config import ModelConfig, TrainingConfig
from dista.files.failures import is_of, not_written
from dista.runs import Run, RunConfig, RunError
from dista.runs.facts import Saved, State
from dista.runs.provenance import environment
from dista.training import machine
from dista.training.feed import check_fit
from dista.training.session import Session, go_on, starting_model
from dista.training.state import Position

Logger = Literal["tensorboard"]


def train(
    task: data.Task,
    config: ModelConfig,
    training: TrainingConfig = TrainingConfig(),
    *,
    folder: str | Path,
    preset: str = "",
    data_root: str | Path | None = None,
    progress: bool | None = None,
    logger: Logger | None = None,
) -> Run:
    """``dista.train`` in this process, into ``folder``."""
    root = None if data_root is None else str(Path(data_root).resolve())
    what = RunConfig(
        preset=preset, data=task.name, data_root=root, data_options=dict(task.options),
        model=config, training=training,
    )  # fmt: skip
    fabric = machine.launch(training, _events(folder, logger))
    model = starting_model(what)
    folder = fabric.broadcast(str(folder))
    run = Run.create(folder, what, environment()) if fabric.is_global_zero else None
    fabric.barrier()
    run = run or Run(folder)
    try:
        return _run_to_the_end(Session(fabric, run, task, model, progress))
    finally:
        run.release()


def resume(
    folder: str | Path,
    *,
    task: data.Task | None = None,
    progress: bool | None = None,
    logger: Logger | None = None,
) -> Run:
    """Go on with a run that was stopped, killed or crashed, from its last saved state.

    Where it ended before it saved one, it starts anew, in the same folder. ``task`` replaces the one
    that the run's configuration names. Raises RunError for a run that is finished or still running.
    """
    run = Run(folder)
    run.check_resumable()  # what follows takes a while
    config = run.config
    task = task or config.open_task()
    check_fit(task, config.model, config.training)
    fabric = machine.launch(config.training, _events(folder, logger))
    try:
        state = fabric.broadcast(run.reopen() if fabric.is_global_zero else None)
        model = starting_model(config, adopting=state is None)
        session = Session(fabric, run, task, model, progress)
        if state is not None:
            _restore(session, *state)
        if fabric.is_global_zero:
            _rewind(run, None if state is None else state[1])
        return _run_to_the_end(session)
    finally:
        run.release()


def _restore(session: Session, tensors: Mapping[str, Tensor], saved: Saved) -> None:
    """Put the saved state into the session; RunError where it is that of another model."""
    try:
        session.parts.restore(tensors)
        session.position = Position.of(saved.position)
    except (RuntimeError, KeyError, IndexError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise RunError(
            f"the saved state of {session.run.path} does not fit its config.json: {reason}"
        ) from error


def _rewind(run: Run, saved: Saved | None) -> None:
    """Cut the run back to the state, and say which rows are missing."""
    before = len(run.notes())
    try:
        run.rewind(saved)
    except OSError as error:
        raise RunError(not_written(error, run.path)) from error
    for note in run.notes()[before:]:
        print(f"dista: {note}", file=sys.stderr)


def _run_to_the_end(session: Session) -> Run:
    """Fit, and write down how it ended, whatever happens."""
    run = session.run
    try:
        with session.requests:
            session.fit()
    except KeyboardInterrupt as stop:
        _end(session, "stopped", str(stop) or f"interrupted; {go_on(run)}")
        raise
    except OSError as error:
        if not is_of(error, run.path):  # of the data, say
            _end(session, "crashed", f"{error.filename}: {error.strerror or error}")
            raise
        reason = f"{not_written(error, run.path)} The state before is intact; {go_on(run)}"
        _end(session, "crashed", reason)
        raise RunError(reason) from error
    except Exception as error:
        _end(session, "crashed", f"{type(error).__name__}: {error}")
        raise
    return run


def _end(session: Session, state: State, reason: str) -> None:
    """The last status, as far as the folder can still be written."""
    with contextlib.suppress(OSError):
        if session.writer:
            session.writer.status(session.position, state, reason=reason)


def _events(folder: str | Path, logger: Logger | None) -> str | None:
    return str(Path(folder) / "tensorboard") if logger == "tensorboard" else None
