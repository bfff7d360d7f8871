"""What each lag of an explicit memory contributes, and what each step remembers, whatever the form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dista.measures.lookup import (
    MeasureError,
    check_layer,
    model_config,
    need,
    node,
    one_sample,
    within,
)
from dista.measures.tables import Columns, Result, cells, rows_where

if TYPE_CHECKING:
    import xarray as xr

SEEN = 1e-4
"""An effect below this part of the largest is rounding in the arithmetic, not memory."""


@dataclass(frozen=True)
class LagContributions(Result):
    """``share[p, t, l]``: part of the mean absolute current that lag l adds to Q, K, V (p) at step t.

    Sums to 1 over the lags, or is 0 where there is no current.
    """

    block: int
    share: np.ndarray

    UNITS = {"lag": "steps"}

    def columns(self) -> Columns:
        """A row for each lag that a step reaches back to, for Q, K and V."""
        _, steps, lags = self.share.shape
        axes = {"part": ("query", "key", "value"), "step": range(steps), "lag": range(lags)}
        columns = cells(axes, share=self.share)
        return {"block": self.block} | rows_where(columns["lag"] <= columns["step"], columns)


def lag_contributions(
    recording: xr.DataTree, block: int, sample: int = 0
) -> LagContributions | None:
    """What each lag of a projection memory adds to the currents of Q, K and V.

    None where there is nothing to compare: lags were not recorded, or the window is a single step.
    """
    sizes = []
    for part in ("query", "key", "value"):
        base = f"blocks.{block}.attention.{part}.lags"
        group = node(recording, base)
        currents = (
            {}
            if group is None
            else {int(str(lag)): group.data_vars[lag] for lag in group.data_vars}
        )
        if len(currents) < 2:
            return None
        arrays = [abs(one_sample(currents[lag], sample)) for lag in sorted(currents)]
        sizes.append([array.mean(("channel", "row", "column")).values for array in arrays])
    mean = np.moveaxis(np.asarray(sizes, float), 1, 2)
    total = mean.sum(2, keepdims=True)
    return LagContributions(block, mean / np.where(total == 0, 1, total))


@dataclass(frozen=True)
class CausalMemory(Result):
    """``effect[t, m]``: how different step t is where the input of step m alone was another.

    NaN for t < m, which no change can reach. ``of`` is the dotted name of what is compared; the unit
    follows from it. Logits: the root mean square of their changes. Attention maps, of all heads
    together: the part of the counts that the two do not share, 0 if they are the same and 1 if they
    have nothing in common. Membranes: the mean change before the reset, in thresholds.
    """

    of: str
    effect: np.ndarray

    def columns(self) -> Columns:
        """A row for each step at which a change can be seen, and each changed step."""
        steps = range(len(self.effect))
        columns = cells({"seen_step": steps, "changed_step": steps}, effect=self.effect)
        columns = rows_where(~np.isnan(self.effect), columns)
        return {"observable": self.of} | columns | {"unit": self.unit}

    @property
    def unit(self) -> str:
        """What the effects are counted in."""
        if self.of.endswith(".membrane"):
            return "thresholds"
        return "logits" if self.of == "head" else "of the counts"

    @property
    def reach(self) -> np.ndarray:
        """For how many steps each change is seen after its own (key step,); -1 where it never is."""
        steps = len(self.effect)
        seen = np.nan_to_num(self.effect) > SEEN * self.largest
        last = steps - 1 - seen[::-1].argmax(0)
        return np.where(seen.any(0), last - np.arange(steps), -1)

    @property
    def largest(self) -> float:
        return float(np.nanmax(self.effect))

    @property
    def later(self) -> float:
        """The largest effect that comes after the changed step itself; 0 where none does.

        No share: what a cut does to the effect at the changed step says nothing of memory.
        """
        return float(np.nanmax(np.tril(self.effect, -1), initial=0.0))


def causal_memory(recording: xr.DataTree, of: str = "head") -> CausalMemory:
    """What every step remembers of every other, from a recording of ``counterfactuals.changed_steps``.

    ``of`` is ``head``, an attention map (``blocks.0.attention.denoise`` or ``.scores``) or a membrane
    (``....neuron.membrane``). MeasureError where the batch is not an input and a copy for each step.
    """
    array = need(recording, of)
    steps = (
        int(array.coords["query_time"].max()) + 1 if "pair" in array.dims else array.sizes["time"]
    )
    if array.sizes["batch"] != 1 + steps:
        raise MeasureError(
            f"the recording has {array.sizes['batch']} samples for {steps} steps; expected an input and a "
            f"copy for each step, {1 + steps}, as counterfactuals.changed_steps makes them"
        )
    intact, changed = (
        array.isel(batch=0).astype(float),
        array.isel(batch=slice(1, None)).astype(float),
    )
    effect = _difference(array, intact, changed).transpose("time", "batch").values
    return CausalMemory(of, np.where(np.tri(steps, dtype=bool), effect, np.nan))


def _difference(array: xr.DataArray, intact: xr.DataArray, changed: xr.DataArray) -> xr.DataArray:
    """How far ``changed`` is from ``intact`` at each step, as ``CausalMemory`` says."""
    if "class" in array.dims:
        return ((changed - intact) ** 2).mean("class") ** 0.5
    if "pair" in array.dims:
        places = ["head", "query", "key"]
        apart, both = (
            part.sum(places).groupby("query_time").sum().rename(query_time="time")
            for part in (abs(changed - intact), changed + intact)
        )
        return apart / both.where(both > 0, 1)
    return abs(changed - intact).mean(("channel", "row", "column")) / array.attrs["v_threshold"]


@dataclass(frozen=True)
class CueEffect(Result):
    """What a change of the cue does to the answer, sample by sample: ``effect`` (sample,), in logits.

    Of each sample it is the root mean square over the classes of how far the logits that are read out move. The
    ``mean`` over the samples lies in ``low`` .. ``high`` (95 %, bootstrap over samples).
    """

    effect: np.ndarray
    mean: float
    low: float
    high: float

    UNITS = dict.fromkeys(("effect", "mean", "low", "high"), "logits")

    def columns(self) -> Columns:
        """A row for each sample, by position."""
        return {"sample": np.arange(len(self.effect))} | super().columns()


def cue_effect(before: xr.DataTree, after: xr.DataTree) -> CueEffect:
    """What the answers still know of a cue, from recordings of ``head`` with it and with another one.

    Both are of the same samples in the same order, and of the same network: that of a cut is compared with itself,
    so that only what is remembered of the cue counts, not what the cut does to all answers.
    """
    logits = [
        need(recording, "head").transpose("time", "batch", "class") for recording in (before, after)
    ]
    if logits[0].shape != logits[1].shape:
        raise MeasureError(
            f"the recordings have logits of shapes {logits[0].shape} and {logits[1].shape}; record the same samples"
        )
    window = model_config(before).get("readout_steps") or logits[0].sizes["time"]
    read = [array.values[-window:].mean(0, dtype=float) for array in logits]
    return mean_effect(np.sqrt(((read[1] - read[0]) ** 2).mean(-1)))


def mean_effect(effect: np.ndarray) -> CueEffect:
    """``effect`` (sample,) with its mean and the interval of that: bias-corrected bootstrap, 2,000 resamples."""
    mean = float(effect.mean())
    if len(effect) < 2 or np.ptp(effect) == 0:
        return CueEffect(effect, mean, mean, mean)
    from scipy.stats import bootstrap  # here, as it takes a second to import

    drawn = bootstrap(
        (effect,), np.mean, n_resamples=2000, rng=np.random.default_rng(0), method="BCa"
    ).confidence_interval
    return CueEffect(effect, mean, float(drawn.low), float(drawn.high))


def most_changed(recording: xr.DataTree, layer: str, step: int) -> tuple[int, int, int]:
    """The neuron of ``layer``, as (channel, row, column), that a change at ``step`` moves most later on.

    Later is after the step itself; at the step where it is the last, or where nothing changes later.
    """
    check_layer(recording, layer)
    h = need(recording, f"{layer}.membrane").transpose("batch", "time", "channel", "row", "column")
    within("step", step, h.sizes["time"])
    change = np.abs(h.values[1 + step] - h.values[0])
    later = change[step + 1 :].sum(0)
    moved = later if later.any() else change[step]
    channel, row, column = np.unravel_index(moved.argmax(), moved.shape)
    return int(channel), int(row), int(column)
