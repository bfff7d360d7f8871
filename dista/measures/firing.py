"""How much each layer fires, step by step, and where its membranes lie around the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.lookup import MeasureError, check_layer, need
from dista.measures.neurons import neuron_table
from dista.measures.tables import Columns, Result, cells

if TYPE_CHECKING:
    import xarray as xr

BINS = 60  # of a membrane histogram, at most
_TAIL = 0.5  # per cent of the membranes that a histogram may leave out at either end


@dataclass(frozen=True)
class FiringMap(Result):
    """Activity of every layer, in the order of the network.

    ``rate`` (layer, time) is spikes per neuron, averaged over ``samples``. ``dead`` (layer,) is the
    share of neurons that fire at no step of no sample, ``saturated`` that of neurons that fire at
    every step of every sample; ``neurons`` (layer,) is how many there are.
    """

    layers: tuple[str, ...]
    rate: np.ndarray
    dead: np.ndarray
    saturated: np.ndarray
    neurons: np.ndarray
    samples: int

    UNITS = {"rate": "spikes per neuron and step"}

    def columns(self) -> Columns:
        """A row for each layer and step; ``dead``, ``saturated`` and ``neurons`` are those of the layer."""
        steps = range(self.rate.shape[1])
        columns = cells({"layer": self.layers, "step": steps}, rate=self.rate)
        for name in ("dead", "saturated", "neurons"):
            columns[name] = getattr(self, name).repeat(len(steps))
        return columns | {"samples": self.samples}

    @property
    def dead_overall(self) -> float:
        """Share of all neurons of the network that never fire."""
        return float(self.dead @ self.neurons / self.neurons.sum())

    @property
    def saturated_overall(self) -> float:
        """Share of all neurons of the network that always fire."""
        return float(self.saturated @ self.neurons / self.neurons.sum())


@dataclass(frozen=True)
class MembraneHistogram(Result):
    """Membrane potentials of a layer before the reset, all neurons, steps and samples.

    ``edges`` (bin + 1,) are spaced evenly and the threshold is one of them; ``counts`` (bin,) are the
    potentials in between. ``total`` potentials there are, a share ``fired`` of them at the threshold
    or above, a share ``outside`` beyond the outermost edges.
    """

    layer: str
    edges: np.ndarray
    counts: np.ndarray
    threshold: float
    total: int
    fired: float
    outside: float

    def columns(self) -> Columns:
        """A row for each bin; ``share`` is that of all potentials, those outside of the bins included."""
        return {
            "layer": self.layer,
            "low": self.edges[:-1],
            "high": self.edges[1:],
            "count": self.counts,
            "share": self.counts / self.total,
            "threshold": self.threshold,
        }


def firing_map(recording: xr.DataTree) -> FiringMap:
    """Firing rates by layer and step over all samples. Needs the spikes of the layers."""
    rows = [row for row in neuron_table(recording) if row.rate is not None]
    if not rows:
        raise MeasureError("the recording has no spikes; record '*.spikes' as well")
    spikes = [need(recording, f"{row.layer}.spikes") for row in rows]
    per_step = ("batch", "channel", "row", "column")
    return FiringMap(
        layers=tuple(row.layer for row in rows),
        rate=np.stack([layer.values.mean(layer.get_axis_num(per_step)) for layer in spikes]),
        dead=np.array([row.dead for row in rows]),
        saturated=np.array([row.saturated for row in rows]),
        neurons=np.array(
            [layer.size // layer.sizes["time"] // layer.sizes["batch"] for layer in spikes]
        ),
        samples=spikes[0].sizes["batch"],
    )


def membrane_histogram(recording: xr.DataTree, layer: str) -> MembraneHistogram:
    """Where the membranes of a layer lie. Needs its membrane.

    The edges reach over all but the outermost half per cent at either end, and over the threshold.
    """
    check_layer(recording, layer)
    membrane = need(recording, f"{layer}.membrane")
    threshold, h = float(membrane.attrs["v_threshold"]), membrane.values.ravel()
    edges = _edges(np.percentile(h, [_TAIL, 100 - _TAIL]), threshold)
    at = np.floor((h - threshold) / (edges[1] - edges[0])).astype(int)  # bins from the threshold up
    first = round((edges[0] - threshold) / (edges[1] - edges[0]))
    inside = (at >= first) & (at < first + len(edges) - 1)
    return MembraneHistogram(
        layer=layer,
        edges=edges,
        counts=np.bincount(at[inside] - first, minlength=len(edges) - 1),
        threshold=threshold,
        total=h.size,
        fired=float((h >= threshold).mean()),
        outside=float((~inside).mean()),
    )


def _edges(reach: np.ndarray, threshold: float) -> np.ndarray:
    """Even edges from at most ``reach[0]`` to above ``reach[1]``; the threshold is one of them."""
    low, high = min(reach[0], threshold), max(reach[1], threshold)
    width = max((high - low) / (BINS - 2), 1e-6)
    first, last = np.floor((low - threshold) / width), np.floor((high - threshold) / width) + 1
    return threshold + width * np.arange(first, last + 1)
