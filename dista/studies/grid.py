"""A grid: what differs between the runs of a study, written down in YAML before any of them is trained.

    preset: match_map              # what all runs have in common, as of ``dista train``
    data: match
    options: {epochs: 20, init: digits}
    seeds: [0, 1, 2, 3, 4]
    crossed:                       # every combination; a level is named, or stands for itself in a list
      memory:
        none: {model.memory.form: none, model.memory.window: 1}
        map: {model.memory.form: map, model.memory.window: 8}
      model.denoiser.u: [1, 2]
    listed:                        # besides, or instead: single configurations
      frozen: {freeze: synapses}
    baseline: memory=none,denoiser.u=1

Names of options are those of ``--set``: fields of TrainingConfig, of ModelConfig after ``model.``, and options of
the data after ``data.``. What is wrong is said with its line, before anything begins; see ``dista.studies.checks``
for what a grid cannot say.
"""

from __future__ import annotations

import difflib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dista.config import ConfigError
from dista.files.facts import Damaged, read_whole
from dista.presets import preset
from dista.recipes import recipe
from dista.runs import RunConfig

SHIPPED = Path(__file__).parent / "grids"
LONGEST = 200
"""Characters that the name of a run may have; file systems take 255."""

_NAME = re.compile(r"[\w.+-]+")
_ELSEWHERE = {
    "seed": "seeds has them",
    "minutes": "how far a run comes in a time is no property of its configuration; choose epochs",
}

Options = dict[str, Any]
"""Values by the names that ``--set`` takes."""


class GridError(ValueError):
    """A grid does not say what it should; the message says where, and what was expected."""


class Impossible(GridError):
    """A configuration, of this name and with these levels, cannot be."""

    def __init__(self, name: str, levels: Mapping[str, str], reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.levels = name, levels


class Grid(BaseModel):
    """The content of a grid file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str
    data: str
    data_dir: str | None = None
    recipe: str = "default"
    options: Options = {}
    seeds: list[Annotated[int, Field(ge=0, strict=True)]] = Field(min_length=1)
    crossed: dict[str, dict[str, Options] | list[Any]] = {}
    listed: dict[str, Options] = {}
    baseline: str

    @model_validator(mode="after")
    def _names_are_names(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds={self.seeds} names one twice; expected different numbers")
        names = [name for name, _, _ in self._named()]
        if not names:
            raise ValueError(
                "crossed and listed are empty; expected a configuration in one of them"
            )
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two configurations are called {min(twice)}; give one another name")
        if self.baseline not in names:
            near = difflib.get_close_matches(self.baseline, names, 3, 0.0)
            raise ValueError(
                f"baseline={self.baseline!r} is no configuration; did you mean {' or '.join(near)}?"
            )
        return self

    def _named(self) -> Iterator[tuple[str, dict[str, str], Options]]:
        """Name, level by axis, and changes of every configuration, as the file has them in order."""
        axes = [_levels(axis, levels) for axis, levels in self.crossed.items()]
        for crossing in itertools.product(*axes) if axes else ():
            levels = {axis: level for axis, level, _ in crossing}
            name = ",".join(f"{axis}={level}" for axis, level in levels.items())
            yield name, levels, _merged(name, [changes for _, _, changes in crossing])
        for name, changes in self.listed.items():
            yield _checked_name(name, "=,"), {}, changes

    def configurations(self) -> list[Configuration]:
        """Every configuration; Impossible for one that is so in itself."""
        configurations = []
        for name, levels, changes in self._named():
            try:
                configurations.append(Configuration(name, levels, self._config(changes)))
            except (ConfigError, KeyError) as error:
                raise Impossible(name, levels, error.args[0]) from None
        return configurations

    def _config(self, changes: Options) -> RunConfig:
        """ConfigError or KeyError where there is no such configuration."""
        options = {"threads": 1} | self.options | changes
        if others := _ELSEWHERE.keys() & options.keys():
            raise ConfigError(f"{min(others)} cannot be an option here; {_ELSEWHERE[min(others)]}")
        inner = {n.removeprefix("model."): v for n, v in options.items() if n[:6] == "model."}
        of_data = {n.removeprefix("data."): v for n, v in options.items() if n[:5] == "data."}
        mine = {n: v for n, v in options.items() if n[:6] != "model." and n[:5] != "data."}
        if of_data:
            _check_data(self.data, of_data)
        return RunConfig(
            preset=self.preset,
            data=self.data,
            data_root=None if self.data_dir is None else str(Path(self.data_dir).resolve()),
            data_options=of_data,
            model=preset(self.preset).changed(inner),
            training=recipe(self.recipe).replace(**mine),
        )


def _check_data(name: str, options: Options) -> None:
    """ConfigError for options of the data that they do not have."""
    from dista.data import check_options  # loads torch, which only these grids need

    try:
        check_options(name, options)
    except ValueError as error:
        raise ConfigError(str(error)) from None


class Configuration:
    """What the runs of a configuration have in common: all but their seed.

    ``levels`` has its level on each crossed axis, by name; a listed one has none.
    """

    def __init__(self, name: str, levels: Mapping[str, str], config: RunConfig) -> None:
        self.name, self.levels, self._config = name, dict(levels), config

    def config(self, seed: int) -> RunConfig:
        return self._config.replace(training=self._config.training.replace(seed=seed))

    def run_name(self, seed: int) -> str:
        """The name of the folder of a run."""
        return f"{self.name},seed={seed}"


def _levels(axis: str, levels: dict[str, Options] | list[Any]) -> list[tuple[str, str, Options]]:
    """Axis, level and changes for each level; one of a list stands for itself, its axis is its option."""
    if not levels:
        raise ValueError(f"crossed.{axis} is empty; expected at least one level")
    if isinstance(levels, dict):
        _checked_name(axis)
        return [(axis, _checked_name(level), changes) for level, changes in levels.items()]
    short = _checked_name(axis).removeprefix("model.").removeprefix("data.")
    return [(short, _checked_name(_said(value)), {axis: value}) for value in levels]


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _checked_name(name: str, also: str = "") -> str:
    """``name``, which is a part of a folder's; ValueError where it has what no folder of that name may have."""
    if not _NAME.fullmatch(re.sub(f"[{also}]", "", name) if also else name):
        raise ValueError(
            f"{name!r} is no name: expected letters, digits and any of _.+-{also}; "
            "a value that is none gets a name as NAME: {OPTION: VALUE}"
        )
    return name


def _merged(name: str, parts: list[Options]) -> Options:
    merged: Options = {}
    for part in parts:
        if twice := merged.keys() & part.keys():
            raise ValueError(f"{name} sets {min(twice)} twice, on two axes; choose one")
        merged |= part
    return merged


# Reading --------------------------------------------------------------------------------------------


def find(name_or_path: str | Path) -> Path:
    """The file of a grid: a path, or the name of a shipped one; GridError where there is neither."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = {file.stem: file for file in sorted(SHIPPED.glob("*.yml"))}
    if str(name_or_path) in shipped:
        return shipped[str(name_or_path)]
    raise GridError(f"no file {path}, and no grid of that name is shipped: {', '.join(shipped)}")


def read(path: Path) -> Grid:
    """The grid in a file; GridError with line and key where it is none."""
    try:
        return parse(read_whole(path).decode(), path)
    except (Damaged, UnicodeDecodeError, FileNotFoundError) as error:
        raise GridError(f"{path}: {error}") from None


def parse(text: str, path: Path | str) -> Grid:
    """The grid that a text says; GridError with line and key where it says none. ``path`` is where it stands."""
    import yaml  # here, as results are read without

    try:
        lines = _lines(yaml.compose(text, yaml.SafeLoader))
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        raise GridError(f"{path}{at}: {getattr(error, 'problem', None) or error}") from None
    except _Twice as error:
        raise GridError(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise GridError(f"{path}: expected keys and values: {', '.join(Grid.model_fields)}")
    try:
        grid = Grid.model_validate(content)
        grid.configurations()
    except ValidationError as error:
        raise GridError(f"{path}: {_explained(error, lines)}") from None
    except Impossible as error:
        raise GridError(f"{path}{_line_of(error, grid, lines)}: {error}") from None
    return grid


class _Twice(ValueError):
    """A key stands twice in one mapping, of which YAML's readers silently take the last."""


def _lines(node: Any, place: tuple[str, ...] = ()) -> dict[tuple[str, ...], int]:
    """The line of every key and entry, by its place."""
    lines: dict[tuple[str, ...], int] = {}
    if type(node).__name__ == "MappingNode":
        for key, value in node.value:
            inside, line = (*place, str(key.value)), key.start_mark.line + 1
            if inside in lines:
                raise _Twice(f"line {line}: {key.value} is said twice; choose one")
            lines |= {inside: line} | _lines(value, inside)
    elif type(node).__name__ == "SequenceNode":
        for number, value in enumerate(node.value):
            inside = (*place, str(number))
            lines |= {inside: value.start_mark.line + 1} | _lines(value, inside)
    return lines


def _explained(error: ValidationError, lines: Mapping[tuple[str, ...], int]) -> str:
    """What is wrong, place by place, the first three; the ways in which a level may be written are one."""
    said = []
    for problem in error.errors(include_url=False, include_context=False):
        place = tuple(map(str, problem["loc"]))
        while place and place not in lines:  # the names of types, and what is missing
            place = place[:-1]
        expected = problem["msg"].removeprefix("Value error, ")
        place = place or (expected.partition("=")[0],)  # of the grid's own checks
        line = f"line {lines[place]}, " if place in lines else ""
        if problem["type"] == "extra_forbidden":
            expected = f"unknown; expected one of {', '.join(Grid.model_fields)}"
        where = ".".join(place if place in lines else map(str, problem["loc"]))
        input_ = "" if problem["type"] in ("value_error", "missing") else _quoted(problem["input"])
        said.append(f"{line}{where}: {expected}{input_}" if where else expected)
    return "; ".join(dict.fromkeys(said[:3]))


def _quoted(value: Any) -> str:
    said = repr(value)
    return f" (given {said[:80]}{'...' * (len(said) > 80)})"


def _line_of(error: Impossible, grid: Grid, lines: Mapping[tuple[str, ...], int]) -> str:
    """Where the option stands that an error names; nothing where it names none of the grid's."""
    said = str(error).removeprefix(error.name)
    for place in _places(grid, error):
        option = place[-1].removeprefix("model.").removeprefix("data.")
        words = rf"{re.escape(option)}|{re.escape(option.rpartition('.')[2])}"
        if place in lines and re.search(rf"(?<![\w.])({words})(?![\w.])", said):
            return f", line {lines[place]}"
    return ""


def _places(grid: Grid, error: Impossible) -> Iterator[tuple[str, ...]]:
    """Where the options of a configuration stand, its own before those of all."""
    for option in grid.listed.get(error.name, ()):
        yield "listed", error.name, option
    for axis, levels in grid.crossed.items():
        level = error.levels.get(axis, "")
        if isinstance(levels, dict):
            for option in levels.get(level, ()):
                yield "crossed", axis, level, option
        elif error.levels:
            yield "crossed", axis
    yield from (("options", option) for option in grid.options)
    yield from (("preset",), ("recipe",))
