"""A trained model on disk: a folder with weights, configuration and card, none of which can run code.

    model.safetensors   the weights
    config.json         the ModelConfig
    card.json           what it was trained on, with which command, and what was measured

A name without a path separator is looked up among the checkpoints that come with the package, and a
run's folder stands for its best checkpoint.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dista.config import ConfigError, ModelConfig
from dista.files import replacement
from dista.files.card import Card
from dista.files.facts import Damaged, read_whole
from dista.files.weights import CheckpointError as CheckpointError  # what is raised here
from dista.files.weights import digest_of, digest_of_file, read, shapes
from dista.memories import FORMS

if TYPE_CHECKING:
    from torch import Tensor

    from dista.model import DISTA

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "card.json"

LARGEST_CONFIG = 4 << 20
"""Bytes that a configuration may have; ours have a few hundred."""

MOST_LAGS = 1024
"""Steps that a memory of projections may reach back over. Attenuated ones have no weights to count them by."""

MOST_STEPS, MOST_PIXELS = 4096, 1 << 24
"""Time steps, and pixels of an input: no weight tells how many there are, and a network of more never ends."""


def assets() -> Path:
    """The folder of what is shipped: checkpoints and a recording. DISTA_ASSETS names another one."""
    if other := os.environ.get("DISTA_ASSETS"):
        return Path(other)
    here = Path(__file__).resolve().parent
    return next(
        (p for p in (here / "_assets", here.parent / "assets") if p.is_dir()),
        here.parent / "assets",
    )


def shipped() -> dict[str, Path]:
    """Shipped checkpoints by name."""
    return {p.parent.name: p.parent for p in sorted(assets().glob(f"*/{CONFIG}"))}


def find(name_or_path: str | os.PathLike[str]) -> Path:
    """The folder of a checkpoint: a path to one or to a run's folder, or the name of a shipped one."""
    path = Path(name_or_path)
    if (path / "checkpoints" / "best" / CONFIG).is_file():
        return path / "checkpoints" / "best"
    if (path / CONFIG).is_file():
        if (path / "status.json").is_file():  # of a run, whose config.json is another one
            raise CheckpointError(
                f"{path} is a run without a checkpoint: its training has not come to the end of an epoch yet, or "
                "its weights were not given on with it; choose another run, or train it"
            )
        return path
    folders = shipped()
    name = str(name_or_path)
    for candidate in (name, name.replace("_", "-"), name.replace("-", "_")):
        if candidate in folders:
            return folders[candidate]
    raise CheckpointError(
        f"no checkpoint {name!r}: neither a folder with {CONFIG}, nor one of the shipped ones "
        f"({', '.join(folders) or 'none'})"
    )


def read_card(name_or_path: str | os.PathLike[str]) -> dict[str, Any]:
    """The card alone, without loading weights; empty where there is none, CheckpointError where damaged."""
    path = find(name_or_path) / CARD
    try:
        return Card.read(path).model_dump(exclude_unset=True)
    except FileNotFoundError:
        return {}
    except Damaged as error:
        raise CheckpointError(f"{path.parent}: {error}") from error


def read_config(name_or_path: str | os.PathLike[str]) -> ModelConfig:
    """The configuration alone, without loading weights or torch."""
    path = find(name_or_path) / CONFIG
    try:
        return ModelConfig.from_json(read_whole(path, LARGEST_CONFIG).decode())
    except (ConfigError, UnicodeDecodeError, Damaged) as error:
        raise CheckpointError(f"{path} is not a valid model configuration: {error}") from error


def digest(name_or_path: str | os.PathLike[str]) -> str:
    """Which weights are in a checkpoint, without loading it: ``dista.files.weights.digest`` of its model."""
    return digest_of_file(find(name_or_path) / WEIGHTS)


def place(path: str | os.PathLike[str], config: ModelConfig) -> Path:
    """Where a checkpoint of a model with ``config`` is written for ``path``, before anything is done.

    CheckpointError where something else is there, which is never touched: anything but a folder that
    holds a checkpoint and nothing else. Beside one of a model of the same form other files may lie;
    they stay, as its files are then replaced one by one.
    """

    def objection(folder: Path) -> str:
        if folder.is_file():
            return "is a file"
        others = sorted(p.name for p in folder.iterdir() if not _is_ours(p))
        try:
            current = read_config(folder)
        except CheckpointError:
            return "is a folder with something else than a checkpoint"
        if others and current != config:
            return f"holds {others[0]!r} beside the checkpoint of another model"
        return ""

    return replacement.place(path, replacement.Kind("a checkpoint", CheckpointError, objection))


def _is_ours(path: Path) -> bool:
    """Whether it is a file that ``save`` writes, or what is left of one where it was killed."""
    names = (WEIGHTS, CONFIG, CARD)
    part = path.name.startswith(tuple(f".{n}." for n in names)) and path.name.endswith(
        replacement.PART
    )
    return path.is_file() and (path.name in names or part)


def save(model: DISTA, path: str | os.PathLike[str], *, half: bool = False) -> Path:
    """Write ``model`` to the folder ``path``, whole or not at all.

    A checkpoint that is there is replaced, see ``place`` for what is not. With ``half`` floats take two
    bytes instead of four, rounded to float16; a model computes in the precision that it is loaded into
    all the same. ValueError where a value is too large for that.

    The card names the weights that its numbers are of: these, unless it names others already, as that of a
    model that was loaded and changed.
    """
    import torch
    from safetensors.torch import save as to_bytes

    from dista.engine.modules import plain

    folder = place(path, model.config)
    weights = {
        plain(name): value.detach().to(memory_format=torch.contiguous_format).cpu()
        for name, value in model.state_dict().items()
    }
    if half:
        weights = {name: _halved(name, value) for name, value in weights.items()}
    card = {"weights": digest_of(weights)} | model.card
    _write(
        folder,
        {
            WEIGHTS: to_bytes(weights),
            CARD: json.dumps(card, indent=2, ensure_ascii=False).encode(),
            CONFIG: model.config.to_json().encode(),
        },
        again=(folder / CONFIG).is_file() and read_config(folder) == model.config,
    )
    return Path(path)


def _write(folder: Path, contents: dict[str, bytes], *, again: bool) -> None:
    """The files of a checkpoint, all of them before the first is seen; ``again`` of the same form.

    Then any mixture of old and new ones is a model, and who looks at a run that is being trained finds
    one at any moment: the files are replaced, not the folder.
    """
    with contextlib.ExitStack() as stack:
        new = folder if again else stack.enter_context(replacement.whole(folder))
        new.mkdir(exist_ok=True)
        for name, content in contents.items():
            stack.enter_context(replacement.replacing(new / name)).write(content)


def _halved(name: str, value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    half = value.half()
    if not bool(half.isfinite().all()):
        largest = float(value.abs().max())
        raise ValueError(
            f"{name} reaches {largest:g}, more than half precision holds; save it whole"
        )
    return half


def load(name_or_path: str | os.PathLike[str]) -> DISTA:
    """A shipped model by name, or one from a folder that ``save`` wrote; in evaluation mode.

    Raises CheckpointError where a file is missing, cannot be parsed, or does not fit the others, and where
    a weight is no finite number. What does not fit is seen before memory is taken for it.
    """
    from dista.model import DISTA

    folder = find(name_or_path)
    config = read_config(folder)
    _check_sizes(folder, config)
    model, weights = DISTA(config), read(folder / WEIGHTS)
    own = model.state_dict()
    model.load_state_dict({name: value.to(own[name].dtype) for name, value in weights.items()})
    model.card = read_card(folder)
    model.name = model.card.get("name", folder.name)
    return model.eval()


def adopt(model: DISTA, name_or_path: str | os.PathLike[str]) -> list[str]:
    """Start ``model`` from another checkpoint: take its weights where name and shape are the same.

    A model of another task, window or memory form shares the stem and most of the blocks. Time
    constants that ``model`` does not learn stay as its configuration says. Returns the names taken;
    raises CheckpointError where there are none, or where the file is missing or unreadable.
    """
    folder, own = find(name_or_path), model.state_dict()
    learned = {name for name, _ in model.named_parameters()}
    taken = {
        name: value.to(own[name].dtype)
        for name, value in read(folder / WEIGHTS).items()
        if name in own
        and own[name].shape == value.shape
        and (name in learned or not name.endswith("tau.w"))
    }
    if not taken.keys() & learned:
        raise CheckpointError(
            f"no weight of {folder} has the name and shape of one of the model; "
            "start from a checkpoint with the same dim, heads and stem"
        )
    model.load_state_dict(taken, strict=False)
    return list(taken)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file at once: a reader sees the old content or the new, never half of it."""
    with replacement.replacing(path) as file:
        file.write(content)


def _check_sizes(folder: Path, config: ModelConfig) -> None:
    """That the header of the weights has what ``config`` asks for, name by name and shape by shape.

    A model on torch's meta device has shapes and no memory. Its modules are made one by one even so:
    more of them than the file has tensors are refused before.
    """
    import torch

    from dista.model import DISTA

    header = shapes(folder / WEIGHTS)
    before_map = FORMS[config.memory.form].is_before_map  # a module for each lag
    lags = config.memory.window if before_map else 1
    asked = {"depth": config.depth, "stem_pools": len(config.stem_pools)}
    wrong = [f"{name} asks for {n} parts" for name, n in asked.items() if n > len(header)]
    if lags > MOST_LAGS:
        wrong.append(f"memory.window is {lags}, of at most {MOST_LAGS}")
    if config.time_steps > MOST_STEPS:
        wrong.append(f"time_steps is {config.time_steps}, of at most {MOST_STEPS}")
    if math.prod(config.input_shape) > MOST_PIXELS:
        wrong.append(f"input_shape is {config.input_shape}, of at most {MOST_PIXELS} pixels")
    if not wrong:
        try:
            with torch.device("meta"):
                expected = DISTA(config).state_dict()
            wrong = _differences({name: tuple(v.shape) for name, v in expected.items()}, header)
        except (RuntimeError, OverflowError, TypeError) as error:  # a size beyond all integers
            wrong = [str(error)]
    if wrong:
        raise CheckpointError(f"{folder / WEIGHTS} does not fit {CONFIG}: {'; '.join(wrong[:3])}")


def _differences(
    expected: dict[str, tuple[int, ...]], header: dict[str, tuple[int, ...]]
) -> list[str]:
    missing = [f"{name} is missing" for name in expected if name not in header]
    extra = [f"{name} is not part of the model" for name in header if name not in expected]
    sizes = [
        f"{name} has shape {header[name]}, expected {shape}"
        for name, shape in expected.items()
        if name in header and header[name] != shape
    ]
    return missing + extra + sizes
