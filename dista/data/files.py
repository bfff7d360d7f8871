"""What tasks that need files share: where these are, and how they are split."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dista.data.errors import DataError
from dista.data.task import frozen_random

_SPLIT_SEED = 2311


def data_folder(name: str, root: str | Path | None) -> Path:
    """`root`, or the folder `name` in it or in $DISTA_DATA; DataError where there is none."""
    base = os.environ.get("DISTA_DATA")
    if root is None and not base:
        raise DataError(
            f"{name!r} needs its files: dista.data.open({name!r}, root=FOLDER), --data-dir FOLDER, or "
            f"the variable DISTA_DATA naming the folder above {name}"
        )
    folder = Path(os.path.expanduser(Path(base, name) if root is None else root))
    if not folder.is_dir():
        raise DataError(f"{name!r} is looked for in {folder}, which is not a folder")
    return folder / name if (folder / name).is_dir() else folder


def stratified(labels: np.ndarray, shares: Sequence[float]) -> list[np.ndarray]:
    """Indices of disjoint parts with these shares of every class, each part in random order.

    The same labels and shares give the same parts, always. Of a class with few samples each part
    gets at least one, as far as they go.
    """
    random = frozen_random(_SPLIT_SEED)
    parts: list[list[np.ndarray]] = [[] for _ in shares]
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        bounds = np.round(np.cumsum(shares)[:-1] * len(members)).astype(int)
        least = np.arange(1, len(shares))
        bounds = np.clip(bounds, least, np.maximum(len(members) - least[::-1], least))
        for part, indices in zip(parts, np.split(members, bounds)):
            part.append(indices)
    return [random.permutation(np.concatenate(part)) for part in parts]
