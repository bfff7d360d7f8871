"""Runs that come with the package: those of shipped studies, without most of their weights."""

from __future__ import annotations

from pathlib import Path

from dista.checkpoint import assets
from dista.runs.folder import Run, default_folder, find


def folder() -> Path:
    """Where shipped studies lie: a folder each, as ``dista ship`` makes them."""
    return assets() / "studies"


def everywhere() -> dict[str, Run]:
    """All runs by their names: those of the folder of runs, newest first, then shipped ones.

    Of two with the same name it is the one in the folder of runs: a study that is trained again.
    """
    ours = {run.name: run for run in find(default_folder())}
    return ours | {run.name: run for run in in_order() if run.name not in ours}


def in_order() -> list[Run]:
    """The shipped runs, those with recordings first, as these have most to see.

    They go by name: when their files were written says nothing of when they were trained.
    """
    return sorted(find(folder()), key=lambda run: (not run.snapshots(), run.name))
