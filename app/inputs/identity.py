"""What tells data, weights and files apart: the keys of whatever is computed from them and kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from dista.config import ModelConfig


class Data(NamedTuple):
    """A task, the folder of its files where a run says which one it was trained on, and its steps.

    ``steps`` are those of the model that sees the data, where they can be chosen; None: as many as the
    task has by itself. ``classes`` are the names of the model's answers, where its card has them: labels are
    their places. ``files`` is the version of what is in the folder (``data_files``). ``options`` are those of
    the task that the model was trained with, as pairs of a name and a value.
    """

    name: str
    root: str | None = None
    steps: int | None = None
    classes: tuple[str, ...] | None = None
    files: str = ""
    options: tuple[tuple[str, Any], ...] = ()


class Weights(NamedTuple):
    """Which weights: the key of whatever is computed with them and kept.

    ``version`` is the digest of what is in the folder ``path`` (``dista.files.weights``), together with its
    configuration; ``data`` is what they are shown.
    """

    path: str
    version: str
    data: Data


def version(digest: str, config: ModelConfig) -> str:
    """What two networks have in common that are the same: their weights, and what is done with them."""
    described = hashlib.sha256(config.to_json().encode()).hexdigest()
    return f"{digest[:32]}-{described[:16]}"


def stamp(path: Path) -> tuple[tuple[int, int, int], ...]:
    """What changes when a file is written or replaced, or any file in a folder."""
    files = [one for one in sorted(path.rglob("*")) if one.is_file()] if path.is_dir() else [path]
    facts = (file.stat() for file in files)
    return tuple((fact.st_mtime_ns, fact.st_size, fact.st_ino) for fact in facts)
