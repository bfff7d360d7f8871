"""Many runs in one table: in what they differ, how far they are, what they reached.

    overview.table([overview.summary(run) for run in dista.runs.find("runs")])

Only options in which these runs differ are columns, by their names in ``--set``: of a form of memory, or a kind of
denoiser, that brings fields of its own along, the form or kind alone (``dista.runs.differences``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dista.checkpoint import CARD
from dista.config import Config
from dista.files.card import Card
from dista.files.facts import Damaged
from dista.runs import annotation
from dista.runs.differences import differences
from dista.runs.facts import RunConfig, Status
from dista.runs.folder import Run

if TYPE_CHECKING:
    import pandas as pd

_WHOLE = {"memory": "memory.form", "denoiser": "denoiser.kind"}


@dataclass(frozen=True)
class Summary:
    """A run in short. ``accuracy`` is that on the test samples of the best checkpoint, ``curve`` that on the validation
    samples after each epoch; ``largest_tau`` that of the layer with the largest mean, in steps, after the last epoch.
    """

    name: str
    config: RunConfig
    accuracy: float | None
    curve: tuple[float, ...]
    largest_tau: float | None
    note: str
    tags: tuple[str, ...]

    @property
    def study(self) -> str:
        """The study that it belongs to, "" for a run of its own."""
        return self.name.rpartition("/")[0]


def summary(run: Run) -> Summary:
    """What is in the folder of a run; RunError where its configuration is damaged."""
    config, written = run.config, annotation.read(run)
    epochs, neurons = run.table("epochs"), run.table("neurons")
    curve: tuple[float, ...] = ()
    if "val_accuracy" in epochs:
        curve = tuple(epochs["val_accuracy"].dropna().astype(float))
    largest = None
    if {"tau", "epoch"} <= set(neurons):
        last = neurons.loc[neurons["epoch"] == neurons["epoch"].max(), "tau"].dropna()
        largest = float(last.max()) if len(last) else None
    accuracy = None
    with contextlib.suppress(FileNotFoundError, Damaged):
        accuracy = Card.read(run.checkpoint("best") / CARD).test.accuracy
    return Summary(run.name, config, accuracy, curve, largest, written.note, tuple(written.tags))


def table(summaries: Sequence[Summary], statuses: Sequence[Status]) -> pd.DataFrame:
    """A row for each run: its name, the options in which these runs differ, what it reached, its state and notes."""
    import pandas as pd

    options = differing_options([one.config for one in summaries])
    rows = [
        {"run": one.name, **{name: values[place] for name, values in options.items()}}
        | {
            "accuracy": one.accuracy,
            "validation": max(one.curve, default=None),
            "curve": list(one.curve),
            "largest_tau": one.largest_tau,
            "epochs": status.epoch,
            "minutes": None if status.seconds is None else status.seconds / 60,
            "state": status.state,
            "tags": list(one.tags),
            "note": one.note,
        }
        for place, (one, status) in enumerate(zip(summaries, statuses, strict=True))
    ]
    made = pd.DataFrame(rows)
    made.attrs["options"] = list(options)
    return made


def differing_options(configs: Sequence[RunConfig]) -> dict[str, list[Any]]:
    """The values of every option in which some of the configurations differ, by its name.

    Those of the model come first, then those of training, the seed at the end.
    """
    names: dict[str, None] = {}
    for other in configs[1:]:
        names |= dict.fromkeys(differences(configs[0], other))
    ordered = sorted(names, key=lambda name: name.startswith("training."))
    options = {name: [_value(config, name) for config in configs] for name in ordered}
    options |= {name: [getattr(c, name) for c in configs] for name in ("preset", "data")}
    differing = {n: v for n, v in options.items() if any(value != v[0] for value in v)}
    seeds = {name: differing.pop(name) for name in ("training.seed",) if name in differing}
    return {name.removeprefix("training."): values for name, values in (differing | seeds).items()}


def _value(config: RunConfig, name: str) -> Any:
    """The value of an option by its dotted name, of ``memory`` and ``denoiser`` what they are called."""
    parts = _WHOLE.get(name, name).split(".")
    value: Any = config.training if parts[0] == "training" else config.model
    for part in parts[parts[0] == "training" :]:
        value = getattr(value, part)
    return str(value) if isinstance(value, (Config, tuple)) or value is None else value
