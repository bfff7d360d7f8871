"""The file of weights, read with care, and the digest that says which weights something came from.

A digest is that of names, shapes and values, not of bytes in a file: weights that are kept in half precision
have the same one before and after they are loaded. Neither it nor the shapes in a file need torch.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

_TYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip


class CheckpointError(ValueError):
    """A checkpoint is missing or malformed; the message says which file and what is wrong with it."""


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """The boundary around a file of weights: whatever it can cause becomes a CheckpointError."""
    try:
        yield
    except FileNotFoundError:
        raise CheckpointError(f"{path.parent} has no {path.name}; a checkpoint needs it") from None
    except CheckpointError:
        raise
    except Exception as error:  # what the library raises for a damaged file is not one class
        raise CheckpointError(f"{path} is not a readable safetensors file: {error}") from error


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in the file, from its header alone, which is checked against its size."""
    from safetensors import safe_open

    with _readable(path), safe_open(path, framework="np") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def read(path: Path) -> dict[str, Tensor]:
    """The tensors by name; CheckpointError where there is no readable file, or a value is no number."""
    from safetensors.torch import load_file

    with _readable(path):
        tensors = load_file(path)
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            bad = int((~value.isfinite()).sum())
            raise CheckpointError(
                f"{path}: {name} has {bad} of {value.numel()} values that are infinite or no number; "
                "a network cannot run with them. Its training may have diverged: take an earlier checkpoint"
            )
    return tensors


# Digests ----------------------------------------------------------------------------------------


def digest(model: nn.Module) -> str:
    """Which weights, buffers included, ``model`` has now: 64 hexadecimal digits.

    Equal for the model and the file that it was saved to or loaded from; see ``digest_of_file``. Other
    precisions are compared in float32.
    """
    from dista.engine.modules import plain

    return digest_of({plain(name): value for name, value in model.state_dict().items()})


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """``digest`` of the model with these weights, by name."""
    return _digest((name, _values(value)) for name, value in tensors.items())


def digest_of_file(path: Path) -> str:
    """``digest`` of the model that is in this file."""
    shapes(path)  # the header is whole, and no tensor reaches beyond the file
    with _readable(path), path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        header.pop("__metadata__", None)
        start = file.tell()
        return _digest((name, _stored(path, start, entry)) for name, entry in header.items())


def _digest(arrays: Iterable[tuple[str, np.ndarray]]) -> str:
    sha = hashlib.sha256()
    for name, values in sorted(arrays, key=lambda entry: entry[0]):
        plain = values.astype("<f4" if values.dtype.kind == "f" else "<i8", copy=False)
        sha.update(json.dumps([name, plain.dtype.str, plain.shape]).encode())
        sha.update(np.ascontiguousarray(plain).data)
    return sha.hexdigest()


def _values(tensor: Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def _stored(path: Path, start: int, entry: dict[str, Any]) -> np.ndarray:
    if entry["dtype"] not in _TYPES:
        raise CheckpointError(f"{path} holds values of type {entry['dtype']}, which no model has")
    low, high = entry["data_offsets"]
    kind = np.dtype(_TYPES[entry["dtype"]])
    values = np.fromfile(path, kind, (high - low) // kind.itemsize, offset=start + low)
    if entry["dtype"] == "BF16":  # the upper half of a float32
        values = (values.astype("<u4") << 16).view("<f4")
    return values.reshape(entry["shape"])
