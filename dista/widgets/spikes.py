"""Every spike of the layers that the probe opens as stages, a bit each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from dista import measures

if TYPE_CHECKING:
    from dista.widgets.packing import Packer
    from dista.widgets.sample import Sample

_IN_ATTENTION = re.compile(r"blocks\.\d+\.attention\.((query|key|value)\.)?neuron")
_STEM_STAGE = "stem.stages."


def pack_spikes(
    packer: Packer, source: Sample, grid: list[int] | None, config: dict[str, Any]
) -> dict[str, list[int]]:
    """Spikes of what leaves the stem, of Q, K and V, and of the read-out: [steps, channels] by name.

    The array ``spikes.{name}`` holds them as bits (time, channel, patch), the first in the lowest bit.
    Layers that were not recorded are left out, and those that a change has made other than 0 and 1.
    """
    packed = {}
    for name in _opened(measures.layers(source.recording), config):
        array = source.get(f"{name}.spikes")
        if array is None or [array.sizes["row"], array.sizes["column"]] != grid:
            continue
        spikes = array.transpose("time", "channel", "row", "column").values
        if spikes.dtype == bool:
            packer.add(f"spikes.{name}", np.packbits(spikes, bitorder="little"), "uint8")
            packed[name] = list(spikes.shape[:2])
    return packed


def _opened(layers: list[str], config: dict[str, Any]) -> list[str]:
    """The two layers whose sum leaves the stem, and those of attention up to the read-out."""
    stages = [name for name in layers if name.startswith(_STEM_STAGE)]
    last = f"{_STEM_STAGE}{len(config.get('stem_pools', stages)) - 1}.neuron"
    return [
        name
        for name in layers
        if name in (last, "stem.position.neuron") or _IN_ATTENTION.fullmatch(name)
    ]
