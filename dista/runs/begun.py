"""Runs that were killed before they were any: all that is there came before their configuration."""

from __future__ import annotations

import os
from pathlib import Path

from dista.runs import places, processes

_BEGUN = {processes.LOCK, processes.HOLDER, "snapshots", "environment.json", "status.json"}


def only_begun(path: Path) -> bool:
    """Whether there is nothing but what a run has before its configuration, its lock first of all."""
    try:
        names = {p.name for p in path.iterdir() if not p.name.endswith(".part")}
        return processes.LOCK in names and names <= _BEGUN and not any(path.glob("snapshots/*"))
    except OSError:
        return False


def clear(path: Path) -> None:
    """Remove halves of files; the rest is written anew."""
    for part in path.glob(".*.part"):
        part.unlink()


def sentence(path: Path) -> str:
    return (
        f"{path} was killed before its configuration was written, so there is nothing to go on from; "
        f"start it again with the command that it was started with and --out {path}, or remove it"
    )


def unfinished(folder: str | os.PathLike[str]) -> dict[str, str]:
    """What is left below ``folder`` of runs that were killed so early: names, and what to do with them."""
    begun = [path for path in places.below(Path(folder)) if only_begun(path)]
    return {places.name_of(path): sentence(path) for path in begun if not processes.held(path)}
