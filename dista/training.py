"""Train a DISTA with Lightning, and write the run folder that everything else reads.

Synaptic weights and time constants are trained jointly [paper]: one AdamW, two groups, since the
taus want a larger learning rate and no weight decay [ours].
"""

from __future__ import annotations

import ctypes
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from dista import data
from dista.config import ModelConfig, TrainingConfig
from dista.evaluation import evaluate
from dista.measures import neuron_table
from dista.model import DISTA
from dista.provenance import card, environment
from dista.recording import record
from dista.runs import Run, RunConfig

SNAPSHOT = ("*.scores", "*.denoise", "*.spikes", "*.membrane", "*.reset", "*.tau", "head")
"""What a snapshot of the probe sample records."""

RATE_SAMPLES = 32
"""Validation samples, from the probe on, over which firing rates are measured every epoch."""


def train(
    task: data.Task,
    config: ModelConfig,
    training: TrainingConfig = TrainingConfig(),
    *,
    folder: str | Path,
    preset: str = "",
    progress: bool | None = None,
) -> Run:
    """Train a new model on ``task`` and return its run; raises ValueError where they do not fit.

    The best checkpoint by validation accuracy, the later one of equals, is evaluated on the test
    split once, at the end. The run is marked stopped after Ctrl-C, and crashed, with the reason,
    after any other exception; both are raised again.
    """
    _check_fit(task, config, training)
    if training.threads:
        torch.set_num_threads(training.threads)
    keep_freed_memory()
    run = Run.create(
        folder,
        RunConfig(preset=preset, data=task.name, model=config, training=training),
        environment(),
    )
    lightning.seed_everything(training.seed, verbose=False)
    learner = Learner(DISTA(config), training, steps=training.epochs * _batches(task, training))
    writer = RunWriter(run, task)
    try:
        _fit(learner, task, training, writer, progress)
    except (KeyboardInterrupt, SystemExit):  # Lightning turns Ctrl-C into an exit
        run.set_status("stopped", **writer.position, reason="interrupted from the keyboard")
        raise KeyboardInterrupt from None
    except Exception as error:
        run.set_status("crashed", **writer.position, reason=f"{type(error).__name__}: {error}")
        raise
    _measure_best(run, task)
    run.set_status("finished", **writer.position)
    return run


def _fit(learner, task, training, writer, progress) -> None:
    show = sys.stderr.isatty() if progress is None else progress
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    bar = [lightning.pytorch.callbacks.TQDMProgressBar(refresh_rate=5)] if show else []
    trainer = lightning.Trainer(
        max_epochs=training.epochs,
        callbacks=[writer, *bar],
        gradient_clip_val=training.clip,
        enable_progress_bar=show,
        enable_model_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        logger=False,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The '(train|val)_dataloader' does not have many workers")
        warnings.filterwarnings("ignore", ".*LeafSpec.*")
        trainer.fit(
            learner,
            Epochs(task.train, training),
            task.validation.batches(training.batch_size),
        )


class Epochs:
    """The training batches, other ones in each epoch, the same for the same seed."""

    def __init__(self, split: data.Split, training: TrainingConfig) -> None:
        self.split, self.training, self.epoch = split, training, 0

    def _batches(self):
        return self.split.batches(
            self.training.batch_size,
            shuffle=True,
            augment=self.training.augment,
            seed=self.training.seed,
            epoch=self.epoch,
        )

    def __len__(self) -> int:
        return len(self._batches())

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        batches = self._batches()
        self.epoch += 1  # here, as a loader that knows its length is never asked for one batch more
        return iter(batches)


class Learner(lightning.LightningModule):
    """The loss and the optimiser; synapses and time constants are two parameter groups."""

    def __init__(self, model: DISTA, training: TrainingConfig, steps: int) -> None:
        super().__init__()
        self.model, self.training_config, self.steps = model, training, steps

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        x, y = batch
        loss = cross_entropy(self(x), y, label_smoothing=self.training_config.label_smoothing)
        if not torch.isfinite(loss):
            raise RuntimeError(f"the loss became {loss.item()}; try a smaller lr or clip")
        self.log("loss", loss, prog_bar=True, batch_size=len(y))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        x, y = batch
        logits = self(x)
        accuracy = (logits.argmax(-1) == y).float().mean()
        self.log("val_loss", cross_entropy(logits, y), batch_size=len(y))
        self.log("val_accuracy", accuracy, prog_bar=True, batch_size=len(y))

    def configure_optimizers(self) -> dict[str, Any]:
        config = self.training_config
        taus = [p for name, p in self.named_parameters() if name.endswith("tau.w")]
        synapses = [p for name, p in self.named_parameters() if not name.endswith("tau.w")]
        groups = [{"params": synapses, "lr": config.lr, "weight_decay": config.weight_decay}]
        if taus:
            groups.append({"params": taus, "lr": config.tau_lr, "weight_decay": 0.0})
        optimizer = torch.optim.AdamW(groups)
        steps = max(self.steps, 3)  # the schedule needs a step up, a step down, and the end
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            [group["lr"] for group in groups],
            total_steps=steps,
            pct_start=max(config.warmup, 2 / steps),
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class RunWriter(lightning.Callback):
    """Writes the run folder: a line a step, a line and a snapshot an epoch, best and last checkpoint."""

    def __init__(self, run: Run, task: data.Task) -> None:
        self.run, self.task = run, task
        self.position = {"epoch": 0, "step": 0}
        self.best = -1.0
        self.losses: list[float] = []
        self.began = time.perf_counter()

    def on_fit_start(self, trainer, learner) -> None:
        self._look_inside(learner.model, epoch=0)

    def on_train_epoch_start(self, trainer, learner) -> None:
        self.losses, self.began = [], time.perf_counter()

    def on_train_batch_end(self, trainer, learner, outputs, batch, index) -> None:
        self.position["step"] = trainer.global_step
        self.losses.append(float(outputs["loss"]))
        lr = trainer.optimizers[0].param_groups[0]["lr"]
        epoch = trainer.current_epoch + 1
        row = {"step": trainer.global_step, "epoch": epoch, "loss": self.losses[-1], "lr": lr}
        self.run.append("steps", [row])
        if index % 10 == 0:
            self._status(trainer)

    def on_validation_epoch_end(self, trainer, learner) -> None:
        epoch = trainer.current_epoch + 1
        metrics = {
            name: float(trainer.callback_metrics[name]) for name in ("val_loss", "val_accuracy")
        }
        seconds = round(time.perf_counter() - self.began, 3)
        train_loss = sum(self.losses) / len(self.losses)
        self._keep(learner.model, epoch, metrics)
        self._look_inside(learner.model, epoch)
        self.run.append(
            "epochs", [{"epoch": epoch, "train_loss": train_loss, **metrics, "seconds": seconds}]
        )
        self.position["epoch"] = epoch
        self._status(trainer)

    def _status(self, trainer) -> None:
        self.run.set_status("running", **self.position, steps=trainer.estimated_stepping_batches)

    def _keep(self, model: DISTA, epoch: int, metrics: dict[str, float]) -> None:
        model.card = card(self.run, self.task, model, epoch, metrics)
        model.save(self.run.checkpoint("last"))
        if metrics["val_accuracy"] >= self.best:
            self.best = metrics["val_accuracy"]
            model.save(self.run.checkpoint("best"))

    def _look_inside(self, model: DISTA, epoch: int) -> None:
        """Firing rates and taus over some samples, and the recording of the probe sample."""
        probe = self.run.config.training.probe
        several = range(probe, min(probe + RATE_SAMPLES, len(self.task.validation)))
        activity = record(model, self.task.validation.batch(several)[0], ["*.spikes", "*.tau"])
        rows = [{"epoch": epoch, **asdict(layer)} for layer in neuron_table(activity)]
        x, y = self.task.validation.batch([probe])
        snapshot = record(
            model, x, SNAPSHOT, labels=y.tolist(), classes=self.task.classes, samples=[probe]
        )
        if self.task.step_labels:
            snapshot.attrs["step_labels"] = list(self.task.step_labels)
        self.run.save_snapshot(epoch, snapshot)
        self.run.append("neurons", rows)


def keep_freed_memory() -> None:
    """Ask glibc to keep large freed blocks: returning and faulting them in again costs more than the
    arithmetic of an elementwise pass. Does nothing elsewhere."""
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return
    m_trim_threshold, m_mmap_threshold = -1, -3
    libc.mallopt(m_mmap_threshold, 1 << 30)
    libc.mallopt(m_trim_threshold, (1 << 31) - 1)


def _check_fit(task: data.Task, config: ModelConfig, training: TrainingConfig) -> None:
    if tuple(task.input_shape) != config.input_shape:
        raise ValueError(
            f"the model takes inputs of shape {config.input_shape}, but {task.name!r} has "
            f"{tuple(task.input_shape)}; choose another preset or task"
        )
    if len(task.classes) != config.classes:
        raise ValueError(
            f"the model has {config.classes} classes, but {task.name!r} has {len(task.classes)}; "
            "choose another preset or task"
        )
    if training.probe >= len(task.validation):
        raise ValueError(
            f"probe={training.probe}; the validation split has samples 0 to {len(task.validation) - 1}"
        )


def _batches(task: data.Task, training: TrainingConfig) -> int:
    return len(Epochs(task.train, training))


def _measure_best(run: Run, task: data.Task) -> None:
    """Evaluate the best checkpoint on the test split and add the result to its card."""
    model = run.load("best")
    result = evaluate(model, task.test)
    model.card["metrics"]["test"] = {k: result[k] for k in ("accuracy", "loss", "samples")}
    model.save(run.checkpoint("best"))
