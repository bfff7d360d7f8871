"""Where runs lie: directly in a folder, or in that of a study, which keeps them in a folder of its own.

runs/digits-20260101-120000            a run
runs/match-ablation/grid.yml           what makes a folder a study: see ``dista.studies``
runs/match-ablation/runs/memory=...    one of its runs
"""

from __future__ import annotations

from pathlib import Path

GRID, RUNS = "grid.yml", "runs"


def below(folder: Path) -> list[Path]:
    """The folders directly below ``folder``, but for hidden ones, and those of the studies there.

    None where it cannot be read.
    """
    folders: list[Path] = []
    for path in _folders(folder):
        folders += _folders(path / RUNS) if (path / GRID).is_file() else [path]
    return folders


def name_of(run: Path) -> str:
    """The name of the run in this folder; that of a study comes before those of its runs."""
    study = run.parent.parent
    if run.parent.name == RUNS and (study / GRID).is_file():
        return f"{study.resolve().name}/{run.name}"
    return run.name


def _folders(folder: Path) -> list[Path]:
    try:
        return [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    except OSError:
        return []
