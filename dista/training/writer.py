"""What a training leaves in its run folder: tables, snapshots, checkpoints, status."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dista.checkpoint import save
from dista.data import Task
from dista.experiments.evaluation import evaluate
from dista.files.weights import digest
from dista.measures import map_statistics, neuron_table
from dista.model import DISTA
from dista.neurons import time_constants
from dista.recording import record
from dista.runs import Run
from dista.runs.facts import State
from dista.runs.provenance import card
from dista.training.state import Position

if TYPE_CHECKING:
    import xarray as xr

SNAPSHOT = ("*.scores", "*.denoise", "*.spikes", "*.membrane", "*.tau", "head")
"""What a snapshot of the probe samples records; the rest of a membrane follows from it."""

ACTIVITY = ("*.spikes", "*.tau", "*.scores", "*.denoise")
"""What the tables of an epoch are measured on."""

STATUS_SECONDS = 1.0


class Writer:
    """The only process that writes calls this; epochs are counted from 1, 0 is before training."""

    def __init__(self, run: Run, task: Task, steps: int) -> None:
        self.run, self.task, self.steps = run, task, steps
        self._said = 0.0

    def step(self, position: Position, row: dict[str, Any]) -> None:
        """A line of the steps, and the status, at most once a second."""
        self.run.append("steps", [row])
        if time.monotonic() - self._said > STATUS_SECONDS:
            self.status(position)

    def status(self, position: Position, state: State = "running", **facts: Any) -> None:
        place = {"epoch": position.epoch, "step": position.step, "steps": self.steps}
        self.run.set_status(state, **place, seconds=round(position.seconds, 3), **facts)
        self._said = time.monotonic()

    def keep(self, model: DISTA, epoch: int, metrics: dict[str, float], best: bool) -> None:
        """The last checkpoint, which is also the best one so far where ``best``."""
        self.run.check_there()
        model.card = card(self.run, self.task, model, epoch, metrics)
        for which in ("last", "best") if best else ("last",):
            save(model, self.run.checkpoint(which))

    def measure_best(self, device: torch.device) -> None:
        """Evaluate the best checkpoint on the test split and add the result to its card."""
        model = self.run.load("best").to(device)
        result = evaluate(model, self.task.test)
        model.card["metrics"]["test"] = {k: result[k] for k in ("accuracy", "loss", "samples")}
        model.card["weights"] = digest(model)
        save(model, self.run.checkpoint("best"))

    def write_start(self, model: DISTA) -> None:
        """The network before training: its time constants, and epoch 0 of what an epoch leaves."""
        self.run.save_starting_taus(time_constants(model))
        self.write_activity(model, 0)

    def write_activity(self, model: DISTA, epoch: int, *, last: bool = False) -> None:
        """Rates, taus and attention over some samples; the recording of the probe where it is due."""
        samples = self.run.config.training.activity
        activity = record(model, self._inputs(model, samples)[0], ACTIVITY)
        neurons = [{"epoch": epoch, **asdict(layer)} for layer in neuron_table(activity)]
        attention = [{"epoch": epoch, **asdict(block)} for block in map_statistics(activity)]
        self.run.append("neurons", neurons)
        self.run.append("attention", attention)
        if last or self._has_room(epoch):
            self.run.save_snapshot(epoch, self._snapshot(model))

    def _has_room(self, epoch: int) -> bool:
        """Whether a snapshot is due, on a schedule that the size of the first one lets through."""
        if epoch == 0:
            return True
        budget = self.run.config.training.snapshot_mb * 1e6
        taken, count = self.run.snapshot_bytes(), max(1, len(self.run.snapshots()))
        due = schedule(self.run.config.training.epochs, int(budget * count / max(1, taken)))
        # Room for this one and the last, should they turn out a tenth larger than those before.
        return epoch in due and taken + 2.2 * taken / count <= budget

    def _snapshot(self, model: DISTA) -> xr.DataTree:
        x, y, samples = self._inputs(model, self.run.config.training.probes)
        snapshot = record(
            model, x, SNAPSHOT, labels=y.tolist(), classes=self.task.classes, samples=samples
        )
        if self.task.step_labels:
            snapshot.attrs["step_labels"] = list(self.task.step_labels)
        return snapshot

    def _inputs(self, model: DISTA, count: int) -> tuple[Tensor, Tensor, list[int]]:
        """The first ``count`` validation samples from the probe on, where the model is; their numbers."""
        probe = self.run.config.training.probe
        samples = range(probe, min(probe + count, len(self.task.validation)))
        x, y = self.task.validation.batch(samples)
        return x.to(next(model.parameters()).device), y, list(samples)


def schedule(epochs: int, count: int) -> set[int]:
    """``count`` of the epochs 0 .. ``epochs``, both ends among them, evenly on a logarithmic scale.

    Where the scale would put several on one epoch they move on to the next.
    """
    if count > epochs or count < 3:
        return set(range(epochs + 1)) if count > epochs else {0, epochs}
    at, points = 1, {0, 1}
    for left in range(count - 2, 0, -1):
        at = max(at + 1, round(at * (epochs / at) ** (1 / left)))
        points.add(at)
    return points
