"""Where studies are looked for: at a path, in the folder of runs, and among those that are shipped."""

from __future__ import annotations

import os
from pathlib import Path

from dista.runs import default_folder, shipped
from dista.runs.places import GRID
from dista.studies.study import StudyError


def everywhere() -> dict[str, Path]:
    """The folders of all studies by name: those in the folder of runs, then shipped ones of other names."""
    ours = _within(default_folder())
    return ours | {
        name: path for name, path in _within(shipped.folder()).items() if name not in ours
    }


def find(name_or_path: str | os.PathLike[str]) -> Path:
    """The folder of a study: a path, or the name of one of ``everywhere``; StudyError where there is none."""
    path = Path(name_or_path)
    if (path / GRID).is_file():
        return path
    studies = everywhere()
    if str(name_or_path) in studies:
        return studies[str(name_or_path)]
    if path.is_dir():
        raise StudyError(f"{path} is no study: it has no {GRID}; dista sweep makes one")
    raise StudyError(
        f"no study {str(name_or_path)!r}: neither a folder with {GRID}, nor one in {default_folder()}, nor a "
        f"shipped one ({', '.join(_within(shipped.folder())) or 'none'})"
    )


def is_shipped(path: Path) -> bool:
    return path.resolve().parent == shipped.folder().resolve()


def _within(folder: Path) -> dict[str, Path]:
    return {file.parent.name: file.parent for file in sorted(folder.glob(f"*/{GRID}"))}
