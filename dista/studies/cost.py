"""What is left to be trained of a grid, and how long that takes: ``dista sweep --dry-run``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dista.runs import RunConfig
from dista.studies.study import Planned

_SAMPLES = 100  # of the validation split, on which an evaluation is timed


@dataclass(frozen=True)
class Cost:
    """A run, its state, and the minutes of one worker that it still needs.

    ``measured`` says on what: ``runs``, finished ones of the same configuration on whatever machine they ran,
    or ``steps``, a few here and now.
    """

    run: str
    state: str
    minutes: float
    measured: Literal["runs", "steps", ""]


def costs(runs: Sequence[Planned]) -> list[Cost]:
    """What each run still needs; every configuration of which none is finished is timed once."""
    whole: dict[str, tuple[float, Literal["runs", "steps"]]] = {}
    each = []
    for run in runs:
        status, name = run.status(), run.configuration.name
        if status is not None and status.state == "finished":
            each.append(Cost(run.name, "finished", 0.0, ""))
            continue
        if name not in whole:
            whole[name] = _from_runs(name, runs) or (_from_steps(run.config), "steps")
        minutes, measured = whole[name]
        left = 1.0
        if status is not None and status.steps:
            left -= status.step / status.steps
        state = "not begun" if status is None else f"{status.state}, {100 * (1 - left):.0f} % done"
        each.append(Cost(run.name, state, left * minutes, measured))
    return each


def _from_runs(name: str, runs: Sequence[Planned]) -> tuple[float, Literal["runs"]] | None:
    """The mean minutes of the finished runs of a configuration, None where there are none."""
    done = [r.status() for r in runs if r.configuration.name == name and r.finished]
    seconds = [status.seconds for status in done if status and status.seconds]
    return (sum(seconds) / len(seconds) / 60, "runs") if seconds else None


def _from_steps(what: RunConfig) -> float:
    """Minutes of all steps, by a few of them, and of an evaluation after each epoch, by some samples."""
    from dista.experiments.evaluation import evaluate
    from dista.training import plan
    from dista.training.session import starting_model

    task = what.open_task()
    steps = plan(task, what.model, what.training).minutes
    model = starting_model(what)
    evaluate(model, task.validation, limit=8)  # compiles
    timed = evaluate(model, task.validation, limit=_SAMPLES)
    share = len(task.validation) / timed["samples"]
    return steps + what.training.epochs * share * timed["seconds"] / 60
