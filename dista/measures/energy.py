"""What an answer costs in energy, and what is lost by stopping early."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dista.measures.lookup import MeasureError
from dista.measures.noise import wilson
from dista.measures.tables import Columns, Result, cells

if TYPE_CHECKING:
    import xarray as xr

MULTIPLY_PJ, ACCUMULATE_PJ = 4.6, 0.9
"""Picojoules of a 32-bit multiply-accumulate and of an accumulate in 45 nm [convention of the field]."""

Convention = Literal["accumulates", "neurobench", "rate"]
"""How operations behind counts are counted: a key of ``CONVENTIONS``."""

CONVENTIONS: dict[Convention, str] = {
    "accumulates": "a count of n is n accumulates [ours]",
    "neurobench": "a layer with a count above 1 among its inputs multiplies [related: NeuroBench]",
    "rate": "firing rate x steps x operations without spikes, as accumulates [related: Spikformer]",
}
"""How the operations of a layer are counted whose input are spikes or, behind residual connections, counts."""

LEFT_OUT = (
    "the denoiser's comparisons, residual sums, pooling, neuron updates, memory access and leakage"
)
"""What none of them counts."""


@dataclass(frozen=True)
class Energy(Result):
    """Mean cost of a sample by (layer, time): arriving spikes, operations, and picojoules.

    ``picojoules`` = 4.6 multiplies + 0.9 accumulates, counted by the ``convention``. ``dense`` are the multiplications of a network of
    the same shape without spikes. ``static`` says that the input was a still image: such a network
    would look at it once, not at every step.
    """

    layers: tuple[str, ...]
    spikes: np.ndarray
    accumulates: np.ndarray
    multiplies: np.ndarray
    dense: np.ndarray
    picojoules: np.ndarray
    static: bool
    samples: int
    convention: Convention = "accumulates"

    UNITS = {"picojoules": "pJ", "dense_picojoules": "pJ"}

    def columns(self) -> Columns:
        """A row for each layer and step."""
        steps = range(self.picojoules.shape[1])
        columns = cells(
            {"layer": self.layers, "step": steps},
            spikes=self.spikes,
            accumulates=self.accumulates,
            multiplies=self.multiplies,
            operations=self.accumulates + self.multiplies,
            picojoules=self.picojoules,
            dense_multiplies=self.dense,
            dense_picojoules=self.dense_picojoules,
        )
        return columns | {"samples": self.samples, "convention": self.convention}

    @property
    def dense_picojoules(self) -> np.ndarray:
        """Energy (layer, time) of the same shape without spikes."""
        return MULTIPLY_PJ * self.dense

    @property
    def ann(self) -> np.ndarray:
        """Energy (layer,) of a same-shape ANN for one answer: one look at an image, all frames else."""
        return self.dense_picojoules[:, :1].sum(1) if self.static else self.dense_picojoules.sum(1)

    @property
    def total(self) -> float:
        """Picojoules of one answer."""
        return float(self.picojoules.sum())

    @property
    def by_layer(self) -> AnswerEnergy:
        """The cost of one answer, of all its steps together."""
        return AnswerEnergy(self.layers, self.picojoules.sum(1), self.ann, self.samples)


@dataclass(frozen=True)
class AnswerEnergy(Result):
    """Mean picojoules of one answer (layer,), and those of a same-shape ANN, as ``Energy.ann`` says."""

    layers: tuple[str, ...]
    picojoules: np.ndarray
    ann: np.ndarray
    samples: int

    UNITS = {"picojoules": "pJ", "ann_picojoules": "pJ"}

    def columns(self) -> Columns:
        """A row for each layer."""
        return {
            "layer": np.array(self.layers),
            "picojoules": self.picojoules,
            "ann_picojoules": self.ann,
            "samples": self.samples,
        }


@dataclass(frozen=True)
class Anytime(Result):
    """Answers read out after 1, 2, ... steps (time,), over ``samples`` samples.

    ``accuracy`` lies within ``low`` .. ``high`` (95 %). ``confidence`` is the mean probability of the
    answer, ``agreement`` the share of samples whose answer is already the final one, ``picojoules``
    the mean energy spent so far.
    """

    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    confidence: np.ndarray
    agreement: np.ndarray
    picojoules: np.ndarray
    samples: int

    UNITS = {"picojoules": "pJ"}

    def columns(self) -> Columns:
        """A row for each number of steps that is used, from 1."""
        return {"steps_used": np.arange(1, len(self.accuracy) + 1)} | super().columns()


def energy(counts: xr.Dataset, convention: Convention = "accumulates") -> Energy:
    """The energy of what ``dista.operations.count`` counted, averaged over its samples, by a ``convention``.

    MeasureError for one that is not in ``CONVENTIONS``. None of them counts ``LEFT_OUT``.
    """
    if convention not in CONVENTIONS:
        raise MeasureError(f"convention={convention!r}; expected one of {', '.join(CONVENTIONS)}")
    counted = {name: counts[name] for name in ("spikes", "accumulates", "multiplies")}
    if convention == "neurobench":
        met, multiplies = counts["once"] + counts["several"], counts["several"] > 0
        counted["accumulates"] = met.where(~multiplies, 0)
        counted["multiplies"] = counts["multiplies"] + met.where(multiplies, 0)
    if convention == "rate":
        counted["accumulates"] = counts["rated"]
    mean = {name: array.mean("batch").values for name, array in counted.items()}
    return Energy(
        layers=tuple(counts["layer"].values.tolist()),
        dense=counts["dense"].values.astype(float),
        picojoules=MULTIPLY_PJ * mean["multiplies"] + ACCUMULATE_PJ * mean["accumulates"],
        static=bool(counts.attrs["static"]),
        samples=counts.sizes["batch"],
        convention=convention,
        **mean,
    )


def read_out(counts: xr.Dataset, labels: np.ndarray) -> np.ndarray:
    """Probabilities (time, sample, class) of the answers after each step; as many ``labels`` as samples, or MeasureError.

    Stopped after t steps, the answer is the mean of the logits so far, of the last ``readout_steps`` where the model
    reads out only those.
    """
    from scipy.special import softmax

    logits = counts["head"].values.astype(float)
    if len(labels) != logits.shape[1]:
        raise MeasureError(f"{len(labels)} labels for {logits.shape[1]} counted samples")
    window = json.loads(counts.attrs["model_config"]).get("readout_steps") or len(logits)
    read = [logits[max(0, t - window) : t].mean(0) for t in range(1, len(logits) + 1)]
    return softmax(np.stack(read), axis=-1)


def anytime(
    counts: xr.Dataset, labels: np.ndarray, convention: Convention = "accumulates"
) -> Anytime:
    """What would have been answered after each step, see ``read_out``. ``labels`` (sample,) are the true classes.

    The energy is counted by ``convention``, see ``energy``.
    """
    probabilities = read_out(counts, labels)
    answers = probabilities.argmax(2)
    accuracy = (answers == np.asarray(labels)).mean(1)
    low, high = wilson(accuracy, len(labels))
    return Anytime(
        accuracy=accuracy,
        low=low,
        high=high,
        confidence=probabilities.max(2).mean(1),
        agreement=(answers == answers[-1]).mean(1),
        picojoules=energy(counts, convention).picojoules.sum(0).cumsum(),
        samples=len(labels),
    )
