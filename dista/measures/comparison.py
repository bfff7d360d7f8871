"""Two runs of a network side by side: where their spikes part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dista.measures.lookup import MeasureError, layers, need, one_sample
from dista.measures.neurons import LayerActivity
from dista.measures.tables import Columns, Result, cells

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class SpikeDistance(Result):
    """``distance[l, t]``: the part of the spikes of layer l at step t that the two runs do not share.

    0 where they are the same (also where neither has any), 1 where no neuron fires in both. The layers
    come in the order of the network.
    """

    layers: tuple[str, ...]
    distance: np.ndarray

    @property
    def furthest(self) -> tuple[str, int] | None:
        """The layer and the step at which the two share least; None where they are the same throughout."""
        if not self.distance.any():
            return None
        layer, step = np.unravel_index(self.distance.argmax(), self.distance.shape)
        return self.layers[layer], int(step)

    def columns(self) -> Columns:
        """A row for each layer and step."""
        steps = range(self.distance.shape[1])
        return cells({"layer": self.layers, "step": steps}, distance=self.distance)


def spike_distance(recording: xr.DataTree, other: xr.DataTree, sample: int = 0) -> SpikeDistance:
    """How far two runs of the same network have come apart, layer by layer and step by step.

    Needs the spikes; MeasureError where the two have other layers or shapes.
    """
    names = layers(recording)
    if names != layers(other):
        raise MeasureError("the recordings have other layers; compare runs of the same network")
    rows = [
        _apart(*(_spikes(tree, f"{name}.spikes", sample) for tree in (recording, other)))
        for name in names
    ]
    return SpikeDistance(tuple(names), np.array(rows))


def _spikes(recording: xr.DataTree, name: str, sample: int) -> np.ndarray:
    """Spikes (time, neuron) of a layer."""
    array = one_sample(need(recording, name), sample)
    spikes = array.transpose("time", "channel", "row", "column").values
    return spikes.reshape(len(spikes), -1).astype(bool)


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.shape != b.shape:
        raise MeasureError(
            f"the recordings have {a.shape} and {b.shape} steps and neurons; compare runs of the same "
            "network over as many steps"
        )
    both = a.sum(1) + b.sum(1)
    return (a ^ b).sum(1) / np.where(both == 0, 1, both)


class LayerPair(NamedTuple):
    """A layer that two networks have, and what was measured of it in each."""

    layer: str
    left: float
    right: float

    @property
    def apart(self) -> float:
        return abs(self.right - self.left)


def layer_pairs(
    left: Sequence[LayerActivity], right: Sequence[LayerActivity], of: Literal["tau", "rate"]
) -> list[LayerPair]:
    """The time constants or the firing rates of the layers that both networks have, in the order of the left one.

    Without layers of which one of them does not say it.
    """
    values = {row.layer: getattr(row, of) for row in right}
    return [
        LayerPair(row.layer, getattr(row, of), values[row.layer])
        for row in left
        if getattr(row, of) is not None and values.get(row.layer) is not None
    ]
