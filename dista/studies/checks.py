"""Whether a grid can be trained, asked of every configuration before any of its runs begins."""

from __future__ import annotations

from dista import data
from dista.runs import RunConfig
from dista.studies.grid import Configuration, Grid, Impossible


def check(grid: Grid) -> None:
    """Impossible for the first configuration that could not be trained: the grid is refused whole.

    Its model is built, with the weights it starts from, and must fit the task, which is opened.
    """
    tasks: dict[str, data.Task] = {}
    seen: list[Configuration] = []
    for one in grid.configurations():
        what = one.config(grid.seeds[0])
        if same := next((o for o in seen if o.config(0) == one.config(0)), None):
            raise Impossible(one.name, one.levels, f"it is the same as {same.name}; leave one out")
        seen.append(one)
        try:
            key = f"{what.model.time_steps} {what.data_options}"
            tasks[key] = task = tasks[key] if key in tasks else what.open_task()
            _build(task, what)
        except (ValueError, KeyError, OSError) as error:
            raise Impossible(one.name, one.levels, str(error.args[0])) from error


def _build(task: data.Task, what: RunConfig) -> None:
    from dista.training.feed import check_fit
    from dista.training.session import starting_model

    check_fit(task, what.model, what.training)
    starting_model(what)
