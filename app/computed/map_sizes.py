"""How much of a network's attention a page can hold: its maps grow with patches squared, and with steps squared."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from torch import Tensor

    from dista.config import ModelConfig
    from dista.model import DISTA

MOST = 128 << 20
"""Bytes of maps that a page records: the probe sends them to the browser whole, Streamlit at most 200 MB."""

MAPS = "scores", "denoise"


def map_bytes(config: ModelConfig, x: Tensor) -> int:
    """Bytes of one map of one block, for an input (batch, ...) or (time, batch, ...), as it is recorded."""
    steps = len(x) if x.ndim == 5 else config.time_steps
    window = config.memory.window if config.memory.form == "map" else 1
    pairs = sum(min(step + 1, window) for step in range(steps))
    tokens = config.grid[0] * config.grid[1]
    count = 1 if config.head_dim < 256 else 2
    return pairs * x.shape[-4] * config.heads * tokens**2 * count


def fitting(model: DISTA, x: Tensor, patterns: str | Sequence[str]) -> tuple[list[str], str]:
    """The names that match and fit, and a sentence about the maps that do not, or "".

    The first blocks come first, with both of their maps. ValueError where the patterns name maps one by
    one, as a page does that shows nothing without them.
    """
    from dista.recording import matching, observables

    each = map_bytes(model.config, x)
    names = matching(patterns, list(observables(model)))
    maps = [
        name for name in names if fnmatchcase(name, "blocks.*.attention.*") and _kind(name) in MAPS
    ]
    wanted = len(maps) * each
    if wanted <= MOST:
        return names, ""
    per_block = each * len({_kind(name) for name in maps})
    fit = MOST // per_block
    said = (
        f"The attention maps of this network would take {_size(wanted)} here; "
        f"up to {_size(MOST)} are recorded"
    )
    if patterns != "*":
        raise ValueError(f"{said}, and this needs all of them: dista.record has no such limit")
    left = {name for name in maps if int(name.split(".")[1]) >= fit}
    extent = f"those of the first {fit} of {model.config.depth} blocks" if fit else "none of them"
    return [name for name in names if name not in left], f"{said}: {extent}."


def of_maps(recording: xr.DataTree) -> int:
    """Bytes of all maps of one sample of a recording."""
    arrays = (recording[node.path].data_vars.items() for node in recording.subtree)
    maps = (array for variables in arrays for name, array in variables if name in MAPS)
    return sum(one.nbytes // max(1, one.sizes.get("batch", 1)) for one in maps)


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GB" if count >= 1 << 30 else f"{count / (1 << 20):.0f} MB"
