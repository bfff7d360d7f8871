"""Finding things in a recording, with an error that says what to record where they are missing."""

from __future__ import annotations

import difflib
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

Patch = int | tuple[int, int]
"""A token index, or its (row, column)."""

ACTIVITY = ("membrane", "reset", "spikes", "current")
"""What is recorded of each neuron: over time, batch, channel, row and column."""

_NETWORK_ORDER = (
    "stem", "blocks", "stages", "position", "attention", "mlp",
    "query", "key", "value", "neuron", "hidden", "output",
)  # fmt: skip


class MeasureError(ValueError):
    """A recording lacks what a measure needs, or is asked for something that it does not have."""


def layers(recording: xr.DataTree) -> list[str]:
    """Dotted names of the recorded neuron groups, in the order in which the network computes them."""
    names = [
        node.path.strip("/").replace("/", ".")
        for node in recording.subtree
        if node.name == "neuron" and node.data_vars
    ]
    return sorted(names, key=_network_order)


def _network_order(name: str) -> list[tuple[int, int, str]]:
    ranks = {word: rank for rank, word in enumerate(_NETWORK_ORDER)}
    return [
        (-1, int(part), "") if part.isdigit() else (ranks.get(part, len(ranks)), 0, part)
        for part in name.split(".")
    ]


def check_layer(recording: xr.DataTree, layer: str) -> None:
    names = layers(recording)
    if layer not in names:
        near = difflib.get_close_matches(layer, names, 3, cutoff=0.3) or names[:3]
        raise MeasureError(
            f"no layer {layer!r} in the recording; the nearest are {', '.join(near) or 'none'}"
        )


def node(recording: xr.DataTree, name: str) -> xr.DataTree | None:
    node = recording
    for part in name.split(".") if name else ():
        if part not in node.children:
            return None
        node = node.children[part]
    return node


def find(recording: xr.DataTree, name: str) -> xr.DataArray | None:
    """What the dotted name leads to, or None."""
    group, _, variable = name.rpartition(".")
    at = node(recording, group)
    if at is None:
        return None
    data = at.to_dataset()  # once: a look into the node makes one each time
    return data[variable] if variable in data.data_vars else None


def need(recording: xr.DataTree, name: str) -> xr.DataArray:
    array = find(recording, name)
    if array is None:
        raise MeasureError(
            f"the recording has no {name!r}; record it as well: dista.record(model, x, [{name!r}, ...])"
        )
    return array


def one_sample(array: xr.DataArray, sample: int) -> xr.DataArray:
    within("sample", sample, array.sizes["batch"])
    return array.isel(batch=sample)


def within(what: str, index: int, size: int) -> None:
    if not 0 <= index < size:
        raise MeasureError(f"{what}={index}; the recording has 0 to {size - 1}")


def patch(query: Patch, rows: int, columns: int) -> tuple[int, int]:
    row, column = query if isinstance(query, tuple) else divmod(int(query), columns)
    if not (0 <= row < rows and 0 <= column < columns):
        raise MeasureError(
            f"query={query}; the patches are 0 to {rows * columns - 1}, or (row, column) of a grid of "
            f"{rows} x {columns}"
        )
    return int(row), int(column)


def grid(recording: xr.DataTree, block: int, tokens: int) -> tuple[int, int]:
    """Rows and columns of patches: those of the block's neurons, of the configuration, or a square."""
    for layer in layers(recording):
        if layer.startswith(f"blocks.{block}."):
            for part in (find(recording, f"{layer}.{name}") for name in ACTIVITY):
                if part is not None:
                    return part.sizes["row"], part.sizes["column"]
    config = model_config(recording)
    if "input_shape" in config:
        from dista.config import ModelConfig

        return ModelConfig(**config).grid
    side = math.isqrt(tokens)
    if side * side != tokens:
        raise MeasureError(
            f"{tokens} patches are not a square; record the spikes of a neuron group in "
            f"'blocks.{block}' as well, which have rows and columns"
        )
    return side, side


def model_config(recording: xr.DataTree) -> dict[str, Any]:
    return json.loads(recording.attrs.get("model_config", "{}"))
