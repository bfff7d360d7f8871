"""Train a grid: workers, each a process, that go through the queue until nothing is left or time is up."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dista.studies import checks, study
from dista.studies import grid as grids
from dista.studies.queue import Queue
from dista.studies.study import Study
from dista.studies.work import Say, Stop, work

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess
    from multiprocessing.synchronize import Event

_REPLACED = 3  # workers that were killed, for want of memory perhaps, and start again


@dataclass(frozen=True)
class Outcome:
    """How far a study is: runs that are ``finished`` of how many (``runs``), and how many are half done.

    ``given_up`` are those that failed too often, with the last reason; ``signal`` is what ended the sweep, if
    one did.
    """

    finished: int
    half_done: int
    runs: int
    given_up: dict[str, str]
    signal: int | None = None


def sweep(
    grid: str | Path,
    folder: str | Path,
    *,
    workers: int = 1,
    hours: float | None = None,
    storage: str | None = None,
    retry: bool = False,
    say: Say = lambda line: None,
) -> Outcome:
    """Train what is left of the grid in a file, in the study ``folder``, with so many processes.

    Killed at any moment and started again it repeats no run that was finished, and goes on with those that
    were half done. After ``hours`` running trainings stop after a step, with a saved state. ``storage`` is the
    URL of a database of Optuna's, which several machines share; ``retry`` tries again what was given up.
    GridError or StudyError, before anything is written, where not all of the grid can be trained.
    """
    if workers < 1:
        raise ValueError(f"workers={workers}; expected at least 1")
    if hours is not None and hours <= 0:
        raise ValueError(f"hours={hours}; expected more than 0")
    deadline = time.time() + 3600 * (hours or float("inf"))
    file = grids.find(grid)
    content = grids.read(file)
    study.check_place(Path(folder), content)
    checks.check(content)
    begun = study.begin(file, Path(folder))
    for run in begun.planned():
        run.run()  # an error where another one lies in its place
    queue = Queue(begun, storage)
    if retry:
        queue.forgive()
    if workers == 1:
        with Stop(deadline=deadline) as stop:
            work(queue, stop, say)
    else:
        stop = _side_by_side(begun, storage, workers, deadline, say)
    return outcome(begun, queue, stop.signal)


def outcome(begun: Study, queue: Queue, signal: int | None = None) -> Outcome:
    runs, trials = begun.planned(), queue.trials()
    finished = [run for run in runs if queue.is_done(run, trials[run.name])]
    half_done = [run for run in runs if run.run() is not None and run not in finished]
    return Outcome(len(finished), len(half_done), len(runs), queue.given_up(), signal)


def _side_by_side(
    begun: Study, storage: str | None, workers: int, deadline: float, say: Say
) -> Stop:
    """Start the workers, and wait for their end; those that were killed are replaced, a few times."""
    context = multiprocessing.get_context("spawn")  # torch and its threads do not survive a fork
    event = context.Event()

    def start() -> SpawnProcess:
        process = context.Process(target=_worker, args=(begun.path, storage, event, deadline))
        process.start()
        return process

    replaced = 0
    with Stop(event, deadline) as stop:
        processes = [start() for _ in range(workers)]
        while processes:
            if stop.asked():
                stop.set()
            for process in [p for p in processes if not p.is_alive()]:
                processes.remove(process)
                signal = -(process.exitcode or 0)
                if signal > 0 and not stop.asked() and replaced < _REPLACED:
                    say(f"a worker was killed by signal {signal}; another one starts")
                    processes.append(start())
                    replaced += 1
            time.sleep(0.2)
    return stop


def _worker(folder: Path, storage: str | None, event: Event, deadline: float) -> None:
    """What each of the processes does."""
    try:
        with Stop(event, deadline) as stop:
            work(Queue(Study(folder), storage), stop, tell)
    except (ValueError, OSError) as error:
        tell(f"{error}")
        sys.exit(1)


def tell(line: str) -> None:
    """A line for whoever looks on: when, and by which process."""
    print(f"{time.strftime('%H:%M:%S')} [{os.getpid()}] {line}", file=sys.stderr, flush=True)
