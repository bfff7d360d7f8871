"""One training: the loop over epochs and steps."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import NamedTuple, cast

import torch
from lightning.fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from dista import data
from dista.checkpoint import adopt
from dista.engine import kernels
from dista.experiments.evaluation import evaluate
from dista.model import DISTA
from dista.runs import Run, RunConfig
from dista.training import learner, machine
from dista.training import optimiser as optimisers
from dista.training.feed import (
    Batch,
    ahead,
    batches_left,
    batches_of,
    groups,
    on_device,
    steps_of,
)
from dista.training.gradients import GradientNorms
from dista.training.learner import Learner
from dista.training.mixing import Mixing
from dista.training.replay import Replay
from dista.training.state import Parts, Position
from dista.training.stopping import Requests, Stopped
from dista.training.writer import Writer


class Session:
    """A training in memory: what changes (``parts``, ``position``), and what it is trained with."""

    def __init__(
        self, fabric: Fabric, run: Run, task: data.Task, model: DISTA, progress: bool | None = None
    ) -> None:
        self.fabric, self.run, self.model = fabric, run, model
        self.task = task = on_device(task, fabric.device)
        self.training = training = run.config.training
        self.position, self.requests = Position(), Requests(run.asked_to_stop)
        self.steps = steps_of(task, training, fabric.world_size)
        if fabric.world_size > 1:
            machine.synchronise(self.model)
        optimizer = optimisers.optimiser(self.model, training)
        self.learner, self.optimizer = fabric.setup(Learner(self.model, training), optimizer)
        self.average = optimisers.Average(self.model, training.ema) if training.ema else None
        self.gradients = GradientNorms(self.model)
        average = self.average.model if self.average else None
        self.parts = Parts(self.model, optimizer, self.gradients, average)
        self.mixing = Mixing(training, task)
        self.replay = self._recorded()
        self.untold: list[Outcome] = []
        self.writer = Writer(run, task, self.steps) if fabric.is_global_zero else None
        self.show = sys.stderr.isatty() if progress is None else progress
        self._since = self._saved = time.perf_counter()

    def _recorded(self) -> Replay | None:
        """Forward and backward as one graph, on a single GPU whose kernels are ours."""
        several = self.fabric.world_size > 1 or self.training.accumulate > 1
        learns_table = (
            self.model.config.denoiser.learn_table
        )  # its kernels ask for the generators' state
        if self.fabric.device.type != "cuda" or several or learns_table or not kernels.enabled():
            return None
        size = self.training.batch_size
        return Replay(self.learner, self.learner, self.fabric.backward, size)

    @property
    def measured(self) -> DISTA:
        """The model that is measured, saved and looked into: the average where there is one."""
        return self.average.model if self.average else self.model

    def fit(self) -> None:
        """Train to the end, from wherever ``position`` is, and measure the best model."""
        self._since = time.perf_counter() - self.position.seconds
        if self.writer:
            self.writer.status(self.position)
            if self.position == Position():
                self.writer.write_start(self.measured)
        with self._bar() as bar:
            while not self.finished:
                self.epoch(bar)
        if self.writer:
            self.writer.measure_best(self.fabric.device)
            reason = {"reason": "its time was up"} if self.out_of_time else {}
            self.writer.status(self.position, "finished", **reason)
        self.fabric.barrier()  # nobody reads the run before it is finished

    @property
    def finished(self) -> bool:
        done = self.position.epoch >= self.training.epochs
        return done or (self.out_of_time and self.position.batch == 0 and self.position.epoch > 0)

    @property
    def out_of_time(self) -> bool:
        return self.position.seconds >= 60 * (self.training.minutes or float("inf"))

    def epoch(self, bar: tqdm) -> None:
        """The rest of the current epoch, what is measured after it, and a state to go on from."""
        self.learner.train()
        for batches in self.groups():
            self.step(batches)
            bar.update()
            if self.out_of_time:
                break
            self.save_if_due()
        self.close_epoch(bar)
        self.save_if_due(now=True)

    def groups(self) -> Iterator[list[Batch]]:
        """The batches of each step that is left of the epoch."""
        batches = self.batches()
        recorded = (
            self.replay is None or self.replay.graph is not None
        )  # other threads keep still till then
        if self.fabric.device.type == "cuda" and recorded:
            batches = ahead(batches)  # a CPU has nothing better to do meanwhile
        return groups(batches, self.training.accumulate)

    def batches(self) -> Iterator[Batch]:
        """The batches of the epoch that are left, augmented and mixed, where the model is."""
        config, place = self.training, self.position
        rank = self.fabric.global_rank
        whole = batches_of(self.task, config, place.epoch)
        part = whole.part(start=place.batch, rank=rank, world=self.fabric.world_size)
        left = islice(part, batches_left(config, place.batch))
        for number, (x, y) in enumerate(left, start=place.batch):
            x, y = self.mixing(x, y, config.seed, place.epoch, number, rank)
            yield self.fabric.to_device((x, y))

    def step(self, batches: list[Batch]) -> None:
        """One optimiser step over some batches, which count equally."""
        config, place = self.training, self.position
        phase = optimisers.one_cycle(self._progress(), self.steps, config.warmup)
        optimisers.set_phase(self.optimizer, phase)
        loss = self._gradients(batches)
        norm = self._clip()
        self.optimizer.step()
        if self.replay is None:
            self.optimizer.zero_grad()
        optimisers.bound_taus(self.model, config)
        loss = cast("Tensor", self.fabric.all_reduce(loss))
        place.step, place.batch = place.step + 1, place.batch + len(batches)
        if self.average:
            self.average.update(self.model, place.step)
        self.untold.append(Outcome(place.step, loss, config.lr * phase.rate, norm))
        self._tell_all(but=1 if self.fabric.device.type == "cuda" else 0)

    def _gradients(self, batches: list[Batch]) -> Tensor:
        """The mean loss of some batches, whose gradients the parameters then have."""
        if self.replay is not None:
            return self.replay(*batches[0])
        losses = [
            self._backward(batch, len(batches), last=batch is batches[-1]) for batch in batches
        ]
        return torch.stack(losses).sum()

    def _clip(self) -> Tensor:
        """Limit the gradients' norm; returns what it was. RuntimeError, on a CPU, where that is not finite."""
        self.gradients.add()
        norm = self.fabric.clip_gradients(
            self.learner, self.optimizer, max_norm=self.training.clip, error_if_nonfinite=False
        )
        norm = cast("Tensor", norm)  # None is what a limit of each value gives
        if not norm.is_cuda:
            _check_norm(norm.item())
        return norm

    def _over_processes(self, value: Tensor, reduce: str = "mean") -> float:
        return float(cast("Tensor", self.fabric.all_reduce(value, reduce_op=reduce)))

    def _backward(self, batch: Batch, of: int, *, last: bool) -> Tensor:
        """Add the gradients of a batch that is one ``of`` several; processes share the last one's."""
        with self.fabric.no_backward_sync(self.learner, enabled=not last):
            loss = self.learner(*batch) / of
            self.fabric.backward(loss)
        return loss.detach()

    def _tell_all(self, but: int = 0) -> None:
        """Read and write down what steps came to, but the last ``but``, which a GPU may not have done yet.

        Waiting for each would leave it idle while the next one is launched. RuntimeError where a step was
        not finite: its weights are lost then, but nothing was saved since.
        """
        while len(self.untold) > but:
            outcome = self.untold.pop(0)
            loss, norm = float(outcome.loss), float(outcome.norm)
            learner.check(loss)
            _check_norm(norm)
            self.position.losses, self.position.loss = (
                self.position.losses + 1,
                self.position.loss + loss,
            )
            self._tell(outcome.step, loss, outcome.lr, norm)

    def _tell(self, step: int, loss: float, lr: float, norm: float) -> None:
        place = self.position
        place.seconds = self.fabric.broadcast(time.perf_counter() - self._since)
        row = {
            "step": step,
            "epoch": place.epoch + 1,
            "loss": loss,
            "lr": lr,
            "gradient": norm,
        }
        if self.writer:
            self.writer.step(place, row)
            self.fabric.log_dict({"loss": loss, "lr": lr, "gradient": norm}, step)

    def _progress(self) -> float:
        """Steps done; or more, where the time budget is further spent than the steps."""
        spent = self.position.seconds / (60 * (self.training.minutes or float("inf")))
        return max(self.position.step, spent * (self.steps - 1))

    def close_epoch(self, bar: tqdm) -> None:
        """Validate, and write what an epoch leaves."""
        self._tell_all()
        place, batch_size = self.position, self.training.batch_size
        if self.fabric.device.type == "cuda":
            batch_size *= 4  # nothing is kept for a backward pass
        # In the precision in which the best epoch is tested and used afterwards, not in that of training.
        result = evaluate(self.measured, self.task.validation, batch_size=batch_size)
        metrics = {"val_loss": result["loss"], "val_accuracy": result["accuracy"]}
        bar.set_postfix(accuracy=f"{100 * result['accuracy']:.1f} %")
        best = result["accuracy"] >= place.best
        place.best = max(place.best, result["accuracy"])
        epoch, losses = place.epoch + 1, max(1, place.losses)
        place.seconds = self.fabric.broadcast(time.perf_counter() - self._since)
        row = {"epoch": epoch, "train_loss": place.loss / losses, **metrics}
        if self.writer:
            self.writer.keep(self.measured, epoch, metrics, best)
            last = epoch == self.training.epochs or self.out_of_time
            self.writer.write_activity(self.measured, epoch, last=last)
            self.run.append("gradients", self.gradients.rows(epoch, losses))
            self.run.append("epochs", [row | {"seconds": round(place.seconds - place.began, 3)}])
            self.fabric.log_dict(metrics, place.step)
        self.gradients.reset()
        place.next_epoch()

    def save_if_due(self, now: bool = False) -> None:
        """Write a resumable state after an epoch, from time to time, and before stopping."""
        asked = self._asked_to_stop()
        due = time.perf_counter() - self._saved > 60 * self.training.save_minutes
        if now or asked or due:
            self._tell_all()
        if self.writer and (now or asked or due):
            self.run.save_state(self.parts.tensors(), asdict(self.position))
            self.writer.status(self.position)
            self._saved = time.perf_counter()
        if asked:
            raise Stopped(f"stopped after step {self.position.step}; {go_on(self.run)}", asked)

    def _asked_to_stop(self) -> int:
        """The signal with which this or another process was asked, 0 for none."""
        asked = self.requests.asked()
        if self.fabric.world_size == 1:
            return asked
        return int(self._over_processes(torch.tensor(float(asked)), "max"))

    def _bar(self) -> tqdm:
        hidden = not (self.show and self.writer)
        return tqdm(total=self.steps, initial=self.position.step, unit="step", disable=hidden)


class Outcome(NamedTuple):
    """What a step came to, as far as it is computed."""

    step: int
    loss: Tensor
    lr: float
    norm: Tensor


def _check_norm(norm: float) -> None:
    if not math.isfinite(norm):
        raise RuntimeError(f"the gradients' norm became {norm}; try a smaller lr or clip")


def go_on(run: Run) -> str:
    return f"go on with: dista train --resume {run.path}"


def starting_model(config: RunConfig, *, adopting: bool = True) -> DISTA:
    """The model as a training starts from it; ValueError where the configuration asks the impossible.

    A run that is resumed needs no ``adopting`` of the checkpoint it once started from.
    """
    torch.manual_seed(config.training.seed)
    model = DISTA(config.model)
    if config.training.init and adopting:
        adopt(model, config.training.init)
    optimisers.freeze(model, config.training.freeze)
    optimisers.bound_taus(model, config.training)
    return model
