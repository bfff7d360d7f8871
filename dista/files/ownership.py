"""Which files and folders are recordings of ours, and may be replaced by another one.

Asked before something is deleted, so it trusts names less than contents: the root says who wrote it,
and nothing may lie in it that zarr did not put there.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = {"written_by": "dista"}
"""An attribute of the root of every recording on disk; ``open_recording`` takes it off again."""

_BEFORE = {"model", "model_config"}  # attributes of recordings from before there was a mark
_ROOT = "zarr.json"
_ZARR = re.compile(r"(.+/)?(zarr\.json|c(/\d+)*)")  # metadata, and chunks


def objection(path: Path) -> str:
    """Why the file or folder at ``path`` is not a recording of ours, "" where it is one."""
    what = "folder" if path.is_dir() else "file"
    try:
        root, names = _folder(path) if path.is_dir() else _archive(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, MemoryError):
        return f"is a {what} with something else than a recording"
    attributes = root.get("attributes") if isinstance(root, dict) else None
    if not isinstance(attributes, dict) or not (
        MARK.items() <= attributes.items() or attributes.keys() >= _BEFORE
    ):
        return f"is a {what} that was not written by dista"
    other = next((name for name in names if not _ZARR.fullmatch(name)), None)
    return f"holds {other!r} beside the recording" if other else ""


def _archive(path: Path) -> tuple[Any, list[str]]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        return json.loads(archive.read(_ROOT)), names


def _folder(path: Path) -> tuple[Any, Iterator[str]]:
    return json.loads((path / _ROOT).read_text("utf-8")), _below(path)


def _below(folder: Path) -> Iterator[str]:
    """All files by their path in ``folder``, and links, also those to folders."""
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if Path(base, name).is_symlink()]
        for name in [*files, *links]:
            inside = Path(base, name).relative_to(folder).as_posix()
            yield f"{inside} (a link)" if name in links else inside
