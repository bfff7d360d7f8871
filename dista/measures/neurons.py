"""What neurons do: time constants, firing rates, membrane traces and spike rasters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dista.measures.derived import completed
from dista.measures.lookup import (
    ACTIVITY,
    MeasureError,
    check_layer,
    find,
    layers,
    need,
    one_sample,
    within,
)
from dista.measures.tables import Columns, Result, cells

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class LayerActivity(Result):
    """One group of neurons over all samples and steps of a recording.

    ``tau`` is the mean time constant in steps, ``rate`` spikes per neuron and step, ``dead`` the
    fraction of neurons that never fire, ``saturated`` the fraction that fires at every step.
    """

    layer: str
    tau: float | None
    tau_min: float | None
    tau_max: float | None
    rate: float | None
    dead: float | None
    saturated: float | None

    UNITS = dict.fromkeys(("tau", "tau_min", "tau_max"), "steps") | {
        "rate": "spikes per neuron and step"
    }


@dataclass(frozen=True)
class MembraneTrace(Result):
    """One neuron over time: ``h`` before the reset, ``v`` after it, each (time,).

    ``v_reset`` is None for the soft reset, ``half_life`` the steps in which the leak forgets half, and
    ``half_life_with_resets`` those in which leak and hard reset do at the firing rate that the layer has in the
    sample; None where it has no hard reset, or its spikes are not known.
    """

    layer: str
    neuron: tuple[int, int, int]
    h: np.ndarray
    v: np.ndarray | None
    current: np.ndarray | None
    spikes: np.ndarray | None
    threshold: float
    v_reset: float | None
    tau: float | None
    half_life: float | None
    half_life_with_resets: float | None = None

    UNITS = dict.fromkeys(("tau", "half_life", "half_life_with_resets"), "steps")

    def columns(self) -> Columns:
        """A row for each step."""
        channel, row, column = self.neuron
        fired = np.isin(np.arange(len(self.h)), self.fired)
        return {
            "layer": self.layer, "channel": channel, "row": row, "column": column,
            "step": np.arange(len(self.h)), "h": self.h, "v": self.v, "current": self.current,
            "fired": fired, "threshold": self.threshold, "tau": self.tau, "half_life": self.half_life,
            "half_life_with_resets": self.half_life_with_resets,
        }  # fmt: skip

    @property
    def fired(self) -> np.ndarray:
        """The steps at which it fires."""
        return np.flatnonzero(self.h >= self.threshold if self.spikes is None else self.spikes)


@dataclass(frozen=True)
class TauSweep(Result):
    """The same current for neurons that differ in tau: ``taus``, ``spikes`` and ``silent_below``, each (tau,).

    ``silent_below`` is the smallest constant current with which a neuron reaches its ``threshold`` within ``steps``
    steps; all below leaves it silent.
    """

    taus: np.ndarray
    spikes: np.ndarray
    silent_below: np.ndarray
    threshold: float
    steps: int

    UNITS = {"tau": "steps"}

    def columns(self) -> Columns:
        """A row for each tau."""
        return {
            "tau": self.taus, "spikes": self.spikes, "silent_below": self.silent_below, "threshold": self.threshold,
            "steps": self.steps,
        }  # fmt: skip


@dataclass(frozen=True)
class Raster(Result):
    """Spikes (neuron, time) of some neurons of a layer that fire, the most active first.

    ``neurons`` (neuron, 3) holds channel, row and column. ``total`` neurons are in the layer, of which
    ``active`` fire at least once and ``shown`` are here.
    """

    layer: str
    neurons: np.ndarray
    spikes: np.ndarray
    total: int
    active: int
    shown: int

    def columns(self) -> Columns:
        """A row for each neuron that is shown and each step; ``rank`` is its place, the most active first."""
        neurons, steps = map(range, self.spikes.shape)
        columns = cells({"rank": neurons, "step": steps}, spike=self.spikes)
        place = self.neurons[columns["rank"]].T
        return {"layer": self.layer} | dict(zip(("channel", "row", "column"), place)) | columns


def neuron_table(recording: xr.DataTree) -> list[LayerActivity]:
    """Time constants and activity of each neuron group; each row is JSON after ``asdict``."""
    return [_layer_activity(recording, layer) for layer in layers(recording)]


def half_life(tau: float, rate: float = 0.0) -> float:
    """Steps in which a membrane without input forgets half: ln(1/2) / ln((1 - 1/tau) (1 - rate)); 0 for tau = 1.

    ``rate`` is how often, of 1, a hard reset takes away all that is left: the firing rate of a layer with one. Then
    it is the half-life of the mean over neurons that fire so, each step by itself [ours]; without, of the leak
    alone. MeasureError for a tau below 1 or a rate outside 0 .. 1.
    """
    if not tau >= 1:
        raise MeasureError(f"tau={tau}; expected a time constant of at least 1 step")
    if not 0 <= rate <= 1:
        raise MeasureError(f"rate={rate}; expected 0 to 1 spikes per neuron and step")
    if tau == 1 or rate == 1:
        return 0.0
    decay = math.log1p(-1 / tau) + math.log1p(-rate)
    return math.log(0.5) / decay if decay else math.inf


def membrane_trace(
    recording: xr.DataTree, layer: str, neuron: tuple[int, int, int], sample: int = 0
) -> MembraneTrace:
    """One neuron, as (channel, row, column), of a layer. Needs its membrane."""
    check_layer(recording, layer)
    membrane = need(recording, f"{layer}.membrane")
    place = dict(zip(("channel", "row", "column"), neuron, strict=True))
    for axis, index in place.items():
        within(axis, index, membrane.sizes[axis])
    taus = find(recording, f"{layer}.tau")
    parts = {name: find(recording, f"{layer}.{name}") for name in ACTIVITY}
    here: dict[str, Any] = {
        name: None if part is None else one_sample(part, sample).isel(place)
        for name, part in parts.items()
    }
    own = taus[[neuron[0]]] if taus is not None and taus.size > 1 else taus
    traces = {
        name: None if part is None else part.values for name, part in completed(here, own).items()
    }
    tau = None if own is None else float(own.values[0])
    v_reset = membrane.attrs.get("v_reset")
    hard = v_reset not in (None, "soft")
    fires = one_sample(membrane, sample) >= membrane.attrs["v_threshold"]
    with_resets = half_life(tau, float(fires.mean())) if hard and tau is not None else None
    return MembraneTrace(
        layer=layer,
        neuron=(int(neuron[0]), int(neuron[1]), int(neuron[2])),
        h=here["membrane"].values,
        v=traces["reset"],
        current=traces["current"],
        spikes=traces["spikes"],
        threshold=float(membrane.attrs["v_threshold"]),
        v_reset=None if v_reset in (None, "soft") else float(v_reset),
        tau=tau,
        half_life=None if tau is None else half_life(tau),
        half_life_with_resets=with_resets,
    )


def raster(recording: xr.DataTree, layer: str, sample: int = 0, limit: int = 96) -> Raster:
    """The spikes of at most ``limit`` neurons of a layer, as ``representatives`` picks and orders them."""
    check_layer(recording, layer)
    if limit < 1:
        raise MeasureError(f"limit={limit}; expected at least 1 neuron")
    array = one_sample(need(recording, f"{layer}.spikes"), sample)
    spikes = array.transpose("channel", "row", "column", "time").values
    *shape, steps = spikes.shape
    flat = spikes.reshape(-1, steps).astype(bool)
    counts = flat.sum(1)
    indices = representatives(counts, limit)
    return Raster(
        layer=layer,
        neurons=np.stack(np.unravel_index(indices, shape), axis=1),
        spikes=flat[indices],
        total=len(flat),
        active=int((counts > 0).sum()),
        shown=len(indices),
    )


def representatives(activity: np.ndarray, limit: int) -> np.ndarray:
    """Indices of at most ``limit`` neurons, the most active first: of those that are active, not of all.

    Where more were active they are spread evenly over the ranks, from the most to the least active;
    where fewer were, quiet ones fill up. Ties are in the order of their index.
    """
    order = np.argsort(-activity, kind="stable")
    active = int((activity > 0).sum())
    if active <= limit:
        return order[:limit]
    return order[np.linspace(0, active - 1, limit).round().astype(int)]


def _layer_activity(recording: xr.DataTree, layer: str) -> LayerActivity:
    tau, spikes = (find(recording, f"{layer}.{part}") for part in ("tau", "spikes"))
    taus: list[float | None] = [None] * 3
    if tau is not None:
        taus = [float(f(tau.values)) for f in (np.mean, np.min, np.max)]
    activity: list[float | None] = [None] * 3
    if spikes is not None:
        over = spikes.get_axis_num(("time", "batch"))
        fired = spikes.values.sum(over, dtype=np.int64)  # of each neuron; integers, so exact
        times = spikes.sizes["time"] * spikes.sizes["batch"]
        shares = fired.sum() / spikes.size, np.mean(fired == 0), np.mean(fired == times)
        activity = [float(share) for share in shares]
    return LayerActivity(layer, *taus, *activity)
