"""What the files of a run folder say, as types: see ``dista.runs`` for the files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from dista.config import Config, ModelConfig, TrainingConfig
from dista.files.facts import Count, Damaged, Facts, explained

if TYPE_CHECKING:
    from dista.data import Task

Table = Literal["steps", "epochs", "neurons", "gradients", "attention"]
"""The tables of a run folder, by what a row is of."""

State = Literal["running", "finished", "stopped", "crashed"]
"""What became of a run, or that it still trains."""

TABLES: tuple[Table, ...] = get_args(Table)


class RunConfig(Config):
    """What a run is: the model, the task it is trained on, and how.

    ``data_root`` is the folder given to ``dista.data.open``, None where none was; ``data_options`` are the
    task's own options, where it was not opened as it is by itself.
    """

    preset: str
    data: str
    data_root: str | None = None
    data_options: dict[str, Any] = {}
    model: ModelConfig
    training: TrainingConfig

    @property
    def data_title(self) -> str:
        return data_title(self.data, self.data_options)

    def open_task(self) -> Task:
        """The task with the options, from the folder and with the steps that the run has it."""
        from dista import data

        return data.open_for(self.model, self.data, root=self.data_root, options=self.data_options)


def data_title(name: str, options: Mapping[str, Any]) -> str:
    """How a task with options of its own is called: ``match, noise 0.3``."""
    return ", ".join([name, *(f"{option} {value}" for option, value in sorted(options.items()))])


class Status(Facts):
    """How far a run is: complete epochs, steps of how many, seconds, and why it ended if it did early.

    ``pid`` is the process that says so.
    """

    state: State
    epoch: Count = 0
    step: Count = 0
    steps: Count | None = None
    seconds: float | None = None
    reason: str | None = None
    pid: Count | None = None


class Environment(Facts):
    """What a run depends on besides its configuration; see ``dista.runs.provenance``."""

    command: str | None = None
    python: str | None = None
    versions: dict[str, str] = {}
    commit: str | None = None
    machine: dict[str, Any] = {}
    started: float | None = None


class StartingTaus(Facts):
    """The time constants before training, in steps, by layer: one value, or one a channel."""

    layers: dict[str, list[Annotated[float, Field(ge=1)]]]


class Note(Facts):
    """Something that those who read the tables have to know."""

    note: str


class Saved(Facts):
    """The header of the resumable state: where the run was, and how long its tables were, in bytes."""

    position: dict[str, int | float]
    tables: dict[Table, Count]


# A line of each table. Numbers that were not measured are null; what diverged is nan.

_LINE = ConfigDict(extra="allow", strict=True)


class _Line(TypedDict):
    epoch: Count


@with_config(_LINE)
class Step(TypedDict, total=False):
    step: Count
    epoch: Count
    loss: float | None
    lr: float | None
    gradient: float | None


@with_config(_LINE)
class Epoch(_Line, total=False):
    train_loss: float | None
    val_loss: float | None
    val_accuracy: float | None
    seconds: float | None


@with_config(_LINE)
class Neurons(_Line, total=False):
    layer: str
    tau: float | None
    tau_min: float | None
    tau_max: float | None
    rate: float | None
    dead: float | None
    saturated: float | None


@with_config(_LINE)
class Gradients(_Line, total=False):
    layer: str
    weights: float | None
    tau: float | None


@with_config(_LINE)
class Attention(_Line, total=False):
    block: Count
    count: float | None
    silent: float | None
    removed: float | None
    reach: float | None


_LINES: dict[str, type] = {
    "steps": Step, "epochs": Epoch, "neurons": Neurons, "gradients": Gradients, "attention": Attention,
}  # fmt: skip
_KEYS = {"steps": "step", "neurons": "layer", "gradients": "layer", "attention": "block"}
_READERS: dict[str, TypeAdapter[Any]] = {table: TypeAdapter(line) for table, line in _LINES.items()}


def columns(table: Table) -> list[str]:
    """What each line of a table says, as training writes it."""
    return list(_LINES[table].__annotations__)


def parsed(table: Table, line: bytes) -> dict[str, Any]:
    """A line of a table as a dictionary; Damaged where it is none."""
    try:
        row = _READERS[table].validate_json(line)
    except ValidationError as error:
        raise Damaged(explained(error)) from None
    if (key := _KEYS.get(table)) and key not in row:
        raise Damaged(f"{key}: Field required")
    return row
