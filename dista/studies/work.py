"""One worker of a sweep: a process that trains one run after the other, until none is left or it is asked to stop.

It stops as every training does, after a step and with a saved state. Asked it is by a signal, by the process
that started it, or by that one's end, so that no worker is left where a sweep was killed; and by the clock.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dista import data
from dista.checkpoint import read_card
from dista.runs import Run, RunConfig, RunError, processes
from dista.studies import answers
from dista.studies.queue import Queue
from dista.studies.study import Planned

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

_LOOK = 0.5  # seconds between looks whether to stop, and whether a run is free
_WAIT = 5.0  # ... and whether a run of another worker, that was the last one, has ended early


class Stop:
    """Whether this worker should stop: it was set, or a signal came, or ``deadline``, a ``time.time()``, is past.

    ``event`` is shared with other workers. While it is entered the first signal is remembered, not obeyed.
    """

    def __init__(
        self, event: Event | threading.Event | None = None, deadline: float = float("inf")
    ) -> None:
        from dista.training.stopping import Requests

        self._event, self._deadline = event or threading.Event(), deadline
        self._signals = Requests()

    def __enter__(self) -> Stop:
        self._signals.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._signals.__exit__(*error)

    def set(self) -> None:
        self._event.set()

    @property
    def signal(self) -> int | None:
        return self._signals.received

    def asked(self) -> bool:
        parent = multiprocessing.parent_process()
        orphan = parent is not None and not parent.is_alive()
        late = time.time() >= self._deadline
        return orphan or late or self.signal is not None or self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, not longer than until it is asked; whether it is."""
        end = time.monotonic() + seconds
        while not self.asked() and time.monotonic() < end:
            time.sleep(min(_LOOK, seconds))
        return self.asked()


Say = Callable[[str], None]
"""Told what happens, a line each."""


def work(queue: Queue, stop: Stop, say: Say = lambda line: None) -> None:
    """Train what the queue hands out, and wait for what others train: that may be left to be done."""
    while not stop.asked():
        if queue.fill():
            queue.attempt(lambda run: _said(run, stop, say))
        elif queue.is_another_running():
            stop.wait(_WAIT)
        else:
            return


def _said(run: Planned, stop: Stop, say: Say) -> float:
    try:
        accuracy = finish(run, stop, say)
    except KeyboardInterrupt:
        # Whoever stops one run, on the Train page perhaps, would see another worker go on with it at once.
        stop.set()
        say(f"{run.name}: stopped; the next sweep goes on with it")
        raise
    except Exception as error:
        say(f"{run.name}: ended early: {error}")
        raise
    say(f"{run.name}: finished, {100 * accuracy:.1f} % on the validation split")
    return accuracy


def finish(run: Planned, stop: Stop, say: Say = lambda line: None) -> float:
    """Train the run, go on with it, or take it as it is, until it is finished and has its answers.

    Returns its accuracy on the validation split: nobody shall choose by the test split. KeyboardInterrupt
    where it was asked to stop.
    """
    from dista import training

    while processes.held(run.path) and not stop.wait(_LOOK):
        pass  # its trial was given away, while its machine slept perhaps, but its process is there
    if stop.asked():
        raise KeyboardInterrupt("before it began")
    what, trained = run.config, run.run()
    with _stopped_by(stop, run.path):
        if trained is None:
            say(f"{run.name}: begins")
            trained = training.train(
                task_of_run(what), what.model, what.training, folder=run.path, preset=what.preset,
                data_root=what.data_root, progress=False,
            )  # fmt: skip
        elif (status := trained.status()).state != "finished":
            say(f"{run.name}: goes on, after {status.epoch} of {what.training.epochs} epochs")
            trained = training.resume(run.path, task=task_of_run(trained.config), progress=False)
    if answers.read(run.path) is None:
        answers.keep(trained, task_of_run(trained.config))
    card = read_card(trained.checkpoint("best"))
    return float(card["metrics"]["validation"]["accuracy"])


_opened: dict[str, data.Task] = {}


def task_of_run(what: RunConfig) -> data.Task:
    """The task of a run; the last one is kept, as most grids have one only."""
    key = f"{what.data} {what.data_root} {what.model.time_steps} {what.data_options}"
    if key not in _opened:
        _opened.clear()
        _opened[key] = what.open_task()
    return _opened[key]


@contextlib.contextmanager
def _stopped_by(stop: Stop, path: Path) -> Iterator[None]:
    """Ask the run to stop, as others would, from the moment on when ``stop`` is asked until it has ended."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK):
            if stop.asked():
                with contextlib.suppress(RunError):  # it is not running yet, or not any more
                    Run(path).ask_to_stop()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
