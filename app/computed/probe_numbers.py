"""What the probe shows, in numbers: the map, its shares, the raster and the membrane, as tables to take home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from dista.measures import Patch


def numbers(
    recording: xr.DataTree, place: Mapping[str, Any], position: int = 0
) -> dict[str, pd.DataFrame]:
    """Tables by what they are of: layers, logits, and what of the probe was recorded, where ``place`` says it is.

    ``position`` is the sample's in the recording. Until its reader has moved it, the probe chooses in the
    browser, and by the same rule as here: the last block, and the head and patch that attend most.
    """
    from dista.measures import MeasureError, blocks, layers, neuron_table, stacked

    tables = {"layers": stacked(neuron_table(recording))} if layers(recording) else {}
    if "head" in recording:
        tables["logits"] = recording["head"].to_dataframe("logit").reset_index()
    for what, needed in ((_attention, blocks(recording)), (_neurons, layers(recording))):
        if needed:
            try:
                tables |= what(recording, place, position)
            except MeasureError:  # a part of it was not recorded, as the probe says in its place
                continue
    return tables


def _attention(
    recording: xr.DataTree, place: Mapping[str, Any], position: int
) -> dict[str, pd.DataFrame]:
    from dista.measures import attention_over_time, blocks, key_maps

    block = _within(place.get("block"), blocks(recording), blocks(recording)[-1])
    head, query, step = _question(recording, block, place, position)
    shares = attention_over_time(recording, block, head, position)
    maps = key_maps(recording, block, head, query, step, position)
    return {"map": maps.table(), "shares": shares.table()}


def _question(
    recording: xr.DataTree, block: int, place: Mapping[str, Any], position: int
) -> tuple[int, Patch, int]:
    """Head, query patch and step: those of ``place``, or the busiest of what it leaves open."""
    from dista.measures.lookup import grid

    some = recording[f"blocks/{block}/attention/denoise"]
    rows, columns = grid(recording, block, some.sizes["query"])
    steps = int(some.coords["query_time"].max()) + 1
    step = _within(place.get("step"), range(steps), steps - 1)
    pairs = np.flatnonzero(some.coords["query_time"].values == step)
    here = some.isel(pair=pairs, batch=position).sum(["pair", "key"], dtype=float)
    sums = here.transpose("head", "query").values.reshape(-1, rows, columns)
    wanted = [_within(place.get(n), range(size), None) for n, size in zip(_AXES, sums.shape)]
    if None in wanted[1:]:
        wanted[1:] = None, None  # half a patch is none
    places = np.indices(sums.shape)
    said = [place == index for place, index in zip(places, wanted) if index is not None]
    allowed = np.logical_and.reduce([np.ones(sums.shape, bool), *said])
    head, row, column = np.unravel_index(np.where(allowed, sums, -1).argmax(), sums.shape)
    return int(head), (int(row), int(column)), step


_AXES = ("head", "row", "column")


def _neurons(
    recording: xr.DataTree, place: Mapping[str, Any], position: int
) -> dict[str, pd.DataFrame]:
    from dista.measures import layers, membrane_trace, raster

    names = layers(recording)
    layer = _within(place.get("layer"), names, _read_out(place, names))
    spikes = raster(recording, layer, position)
    sizes = [recording[f"{layer.replace('.', '/')}/spikes"].sizes[a] for a in _NEURON]
    neuron = place.get("neuron", -1)
    if not 0 <= neuron < int(np.prod(sizes)):
        middle = spikes.neurons[min(spikes.active, len(spikes.neurons)) // 2]
        neuron = int(np.ravel_multi_index(tuple(middle), sizes))
    channel, row, column = (int(n) for n in np.unravel_index(neuron, sizes))
    trace = membrane_trace(recording, layer, (channel, row, column), position)
    return {"raster": spikes.table(), "membrane": trace.table()}


_NEURON = ("channel", "row", "column")


def _read_out(place: Mapping[str, Any], names: list[str]) -> str:
    name = f"blocks.{place.get('block', 0)}.attention.neuron"
    read_outs = [one for one in names if one.endswith(".attention.neuron")]
    return name if name in names else (read_outs or names)[-1]


def _within(value: Any, there: Any, otherwise: Any) -> Any:
    return value if value in there else otherwise
