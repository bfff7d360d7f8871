"""The state that a resumed run starts from: one safetensors file, with the position in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dista.files.facts import Damaged, explained
from dista.runs.facts import Saved

if TYPE_CHECKING:
    from torch import Tensor


def packed(
    tensors: Mapping[str, Tensor], position: Mapping[str, Any], tables: Mapping[Any, int]
) -> bytes:
    """The content of the file; ``tables`` are the sizes of the tables, in bytes."""
    from safetensors.torch import save

    facts = {"position": dict(position), "tables": dict(tables)}
    return save(dict(tensors), {"state": json.dumps(facts)})


def read(path: Path) -> tuple[dict[str, Tensor], Saved]:
    """The tensors by name and the header; Damaged where the file is not what ``packed`` made."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            saved = Saved.model_validate_json(file.metadata()["state"])
            return {name: file.get_tensor(name) for name in file.keys()}, saved  # noqa: SIM118
    except ValidationError as error:
        raise Damaged(f"{path} is damaged: {explained(error)}") from None
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{path} is damaged: {error}") from error
