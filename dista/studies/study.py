"""A study: the folder of a grid and of its runs, each of which is an ordinary one.

    grid.yml        the grid, as it was given: what makes a folder a study
    study.db        whose turn it is, by Optuna (``dista.studies.queue``), where no other storage is named
    lock            held while one of several processes looks what comes next
    runs/           CONFIGURATION,seed=SEED/, run folders with one file more: answers.json (``dista.studies.answers``)

What has become of a run is read from its own folder, so that a study can be moved, copied and joined with
another's runs, and be read where there is no database.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from dista.files import replacement
from dista.runs import Run, RunConfig, RunError, Status
from dista.runs.places import GRID, RUNS
from dista.studies import grid as grids
from dista.studies.grid import Configuration, Grid


class StudyError(ValueError):
    """A folder is no study, or is another one than it should be."""


class Planned(NamedTuple):
    """A run that the grid asks for, whether it has begun or not."""

    configuration: Configuration
    seed: int
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config(self) -> RunConfig:
        return self.configuration.config(self.seed)

    def run(self) -> Run | None:
        """The run; None where it has not begun. RunError where its folder holds something else."""
        if not (self.path / "config.json").is_file():
            return None
        run = Run(self.path)
        if not alike(run.config, self.config):
            raise RunError(
                f"{self.path} was trained with other options than the grid has now; move it away, or "
                "begin the grid in another folder with --out"
            )
        return run

    def status(self) -> Status | None:
        """How far it is; None where it has not begun."""
        run = self.run()
        return run.status() if run else None

    @property
    def finished(self) -> bool:
        status = self.status()
        return status is not None and status.state == "finished"


class Study:
    """A study by its folder; StudyError where it is none."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not (self.path / GRID).is_file():
            raise StudyError(f"{self.path} is no study: it has no {GRID}; dista sweep makes one")
        self.grid: Grid = grids.read(self.path / GRID)

    @property
    def name(self) -> str:
        return self.path.resolve().name

    def configurations(self) -> list[Configuration]:
        return self.grid.configurations()

    def planned(self) -> list[Planned]:
        """All its runs, seed by seed: where time runs out, whole seeds can be compared."""
        return planned(self.path, self.grid)


def planned(folder: Path, grid: Grid) -> list[Planned]:
    """The runs of ``grid`` in the study ``folder``, all configurations of the first seed before those of the next."""
    configurations = grid.configurations()
    return [
        Planned(one, seed, folder / RUNS / one.run_name(seed))
        for seed in grid.seeds
        for one in configurations
    ]


def begin(file: Path, folder: Path) -> Study:
    """The study of the grid in ``file``, which is kept in ``folder``.

    A grid that is there already may have got more seeds and configurations, or lost some. StudyError where
    the folder is another thing, or where a run of the same name would be another one now.
    """
    grid, copy = grids.read(file), folder / GRID
    check_place(folder, grid)
    content = file.read_bytes()
    if not copy.is_file() or copy.read_bytes() != content:
        folder.mkdir(parents=True, exist_ok=True)
        with replacement.replacing(copy) as new:
            new.write(content)
    return Study(folder)


def check_place(folder: Path, grid: Grid) -> None:
    """StudyError where the grid's study cannot be in this folder."""
    if longest := next((p for p in planned(folder, grid) if len(p.name) > grids.LONGEST), None):
        raise StudyError(
            f"{longest.name} is {len(longest.name)} characters long, and folders have names of up to "
            f"{grids.LONGEST}; give axes and levels shorter names"
        )
    if (folder / GRID).is_file():
        before = {one.name: one for one in Study(folder).configurations()}
        for one in grid.configurations():
            if one.name in before and not alike(before[one.name].config(0), one.config(0)):
                raise StudyError(
                    f"{folder} was begun with another grid, in which {one.name} has other options; "
                    "begin this one in another folder with --out"
                )
        return
    replacement.place(folder, replacement.Kind("a study", StudyError, _objection))
    if (folder / GRID).is_file():  # another process has begun it since
        check_place(folder, grid)


def _objection(folder: Path) -> str:
    """Why a folder is not a study, "" where it is, or where another process is just writing its grid."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {""}
    begun = GRID in names or all(name.startswith(f".{GRID}.") for name in names)
    return "" if begun else "is no study"


def alike(one: RunConfig, other: RunConfig) -> bool:
    """Whether two configurations are of the same run; where its data lie is each machine's own."""
    return one.replace(data_root=None) == other.replace(data_root=None)
