"""Whose turn it is: an Optuna study hands each run to one worker at a time, wherever the workers are.

A trial is one attempt at one run, put into the queue with ``enqueue_trial``. Not with a GridSampler: that one
may hand out a point twice where several processes ask ("target_grids" in its source), knows no order, and its
grid cannot grow; a queued trial becomes "running" in one transaction of the database, for one of those who ask.

A worker that finds nothing waiting adds the next run: one that was left half done before one that has not
begun, so that an interrupted study has few halves, and those of the first seed before the second's. An attempt
ends as COMPLETE; PRUNED where it was asked to stop, or found the same run with another worker; FAIL with a
reason where it raised; and FAIL without one where its process is gone: its heartbeat has stopped for GRACE
seconds or, on the same machine, no such process is there. All but COMPLETE are attempted again, with a limit on
attempts in a row that came no step further than the one before. (Optuna's RetryHeartbeatStaleTrialCallback
would see only those whose heartbeat stopped, and put them behind all that wait.)

Two workers that share a storage but no folder, and so no lock, may add the same run at the same moment: the
later of two trials of a run gives way.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dista.extras import need
from dista.studies.study import Planned, Study, StudyError

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.study import Study as OptunaStudy
    from optuna.trial import FrozenTrial

HEARTBEAT, GRACE = 15, 60  # seconds between signs of life, and after which there are none any more
ERRORS, KILLS = 3, 10  # attempts in a row that came no further, after which a run is given up


class Queue:
    """The queue of a study, in its own database or in ``storage``, an URL as SQLAlchemy has them."""

    def __init__(
        self, study: Study, storage: str | None = None, *, heartbeat: int = HEARTBEAT, grace: int = GRACE
    ) -> None:  # fmt: skip
        need("optuna", "a sweep", "train")
        self.study, self._own = study, storage is None
        self._grace = grace
        self._lock = study.path / "lock"
        with self._alone():
            self.optuna = _open(study, storage, heartbeat, grace)

    # What there is ---------------------------------------------------------------------------------

    def trials(self) -> dict[str, list[FrozenTrial]]:
        """All attempts by the name of their run, in their order."""
        trials = defaultdict(list)
        for trial in self.optuna.get_trials(deepcopy=False):
            if "run" in trial.user_attrs:
                trials[trial.user_attrs["run"]].append(trial)
        return trials

    def is_done(self, run: Planned, trials: list[FrozenTrial]) -> bool:
        """Whether it is finished: here, or by one who shares the storage but not the folder."""
        return run.finished or (not self._own and any(_is(t, "COMPLETE") for t in trials))

    def given_up(self) -> dict[str, str]:
        """Runs that were attempted often enough, and why the last attempt ended."""
        trials = self.trials()
        return {
            run.name: _reason(trials[run.name][-1])
            for run in self.study.planned()
            if self._is_hopeless(trials[run.name]) and not self.is_done(run, trials[run.name])
        }

    def is_another_running(self) -> bool:
        return any(_is(trial, "RUNNING") for trial in self.optuna.get_trials(deepcopy=False))

    # What comes next -------------------------------------------------------------------------------

    def fill(self) -> bool:
        """Whether something waits, after the next run was added where nothing did."""
        with self._alone():
            self._bury()
            if any(_is(trial, "WAITING") for trial in self.optuna.get_trials(deepcopy=False)):
                return True
            if (run := self._next()) is None:
                return False
            self.optuna.enqueue_trial({}, user_attrs={"run": run.name})
            return True

    def _next(self) -> Planned | None:
        trials = self.trials()
        open_ = [
            run
            for run in self.study.planned()
            if not any(_is(trial, "WAITING", "RUNNING") for trial in trials[run.name])
            and not self._is_hopeless(trials[run.name])
            and not self.is_done(run, trials[run.name])
        ]
        return next((run for run in open_ if run.path.exists()), open_[0] if open_ else None)

    def _is_hopeless(self, trials: list[FrozenTrial]) -> bool:
        """Whether the last attempts in a row all began at the same step, and were too many."""
        first = self.optuna.user_attrs.get("since", 0)
        ends = [one for one in trials if one.number >= first and not _is(one, "PRUNED")]
        counts = {"error": 0, "killed": 0}
        for trial in reversed(ends):
            if not _is(trial, "FAIL") or trial.user_attrs.get("from") != ends[-1].user_attrs.get(
                "from"
            ):
                break
            counts["error" if "error" in trial.user_attrs else "killed"] += 1
        return counts["error"] >= ERRORS or counts["killed"] >= KILLS

    def forgive(self) -> None:
        """Attempt what was given up once more: the attempts until now do not count."""
        self.optuna.set_user_attr("since", len(self.optuna.get_trials(deepcopy=False)))

    def _bury(self) -> None:
        """Fail the trials whose process is gone."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # experimental, since version 2.9
            from optuna.storages import fail_stale_trials

            fail_stale_trials(self.optuna)
        for trial in self.optuna.get_trials(deepcopy=False):
            if _is(trial, "RUNNING") and self._is_gone(trial):
                self._tell(trial, "FAIL")

    def _is_gone(self, trial: FrozenTrial) -> bool:
        """Whether it was of a process of this machine that is not there, or of one that never said its name."""
        holder = trial.user_attrs.get("holder")
        if holder is None:  # its heartbeat may never have begun, and those are not looked for
            begun = trial.datetime_start or datetime.datetime.now()
            return datetime.datetime.now() - begun > datetime.timedelta(seconds=self._grace)
        return holder[0] == socket.gethostname() and not _is_alive(*holder[1:])

    def _tell(self, trial: FrozenTrial, state: str) -> None:
        from optuna.trial import TrialState

        with contextlib.suppress(ValueError):  # somebody else said so meanwhile
            self.optuna.tell(trial.number, state=TrialState[state])

    # One attempt -----------------------------------------------------------------------------------

    def attempt(self, work: Callable[[Planned], float]) -> None:
        """Take what waits, if it is not taken meanwhile, and do ``work`` with it, which returns its accuracy.

        What it raises is written down as the reason, and is no error here, but for a KeyboardInterrupt.
        """
        from optuna import TrialPruned

        runs = {run.name: run for run in self.study.planned()}

        def objective(trial: Trial) -> float:
            run = runs.get(trial.user_attrs.get("run", ""))
            if run is None or self._is_taken(trial):
                raise TrialPruned("taken by another worker, or no run of this grid any more")
            trial.set_user_attr("holder", [socket.gethostname(), os.getpid(), _born(os.getpid())])
            try:
                status = run.status()
                trial.set_user_attr("from", status.step if status else 0)
                return work(run)
            except KeyboardInterrupt as stop:
                raise TrialPruned(f"stopped: {stop}") from stop
            except Exception as error:
                trial.set_user_attr("error", f"{type(error).__name__}: {error}")
                raise

        with contextlib.suppress(ValueError):  # that this trial was buried while its machine slept
            self.optuna.optimize(objective, n_trials=1, catch=(Exception,))

    def _is_taken(self, trial: Trial) -> bool:
        """Whether an earlier trial is at the same run, or has finished it where this one cannot see it."""
        live = ("RUNNING",) if self._own else ("RUNNING", "COMPLETE")
        earlier = self.trials()[trial.user_attrs["run"]]
        return any(_is(one, *live) and one.number < trial.number for one in earlier)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        from filelock import FileLock

        with FileLock(self._lock, timeout=-1):
            yield


def _open(study: Study, storage: str | None, heartbeat: int, grace: int) -> OptunaStudy:
    """Optuna's study of the same name; StudyError where the storage cannot be reached."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # reasons are reported by us
    url = storage or f"sqlite:///{study.path.resolve() / 'study.db'}"
    patient = (
        {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # experimental, since version 2.9
            place = optuna.storages.RDBStorage(
                url, patient, heartbeat_interval=heartbeat, grace_period=grace
            )
        return optuna.create_study(
            storage=place,
            study_name=study.name,
            direction="maximize",
            load_if_exists=True,
            sampler=optuna.samplers.RandomSampler(),  # never asked: each trial has what it needs
        )
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise StudyError(
            f"the storage {_without_password(url)} cannot be used: {reason}; expected an URL such as "
            "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE of a database that runs, with its driver installed "
            "(pip install 'psycopg[binary]')"
        ) from None


def _without_password(url: str) -> str:
    before, at, after = url.rpartition("@")
    return f"{before.rpartition(':')[0]}:***@{after}" if at else url


def _is(trial: FrozenTrial, *states: str) -> bool:
    return trial.state.name in states


def _reason(trial: FrozenTrial) -> str:
    return trial.user_attrs.get("error", "its process was killed")


def _is_alive(pid: int, born: float) -> bool:
    return abs(_born(pid) - born) < 1.0


def _born(pid: int) -> float:
    """When the process began, in seconds since 1970; 0 where there is none."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0
