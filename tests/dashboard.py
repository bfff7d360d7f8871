"""What the tests of the dashboard look at: checkpoints and runs, untrained and tiny, made in a second."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from plotly.basedatatypes import BaseFigure
from streamlit.testing.v1 import AppTest

import dista
import dista.data
from app.link import share
from dista.config import TrainingConfig
from dista.experiments.untrained import untrained_like
from dista.measures import neuron_table
from dista.neurons import time_constants
from dista.recording import save
from dista.runs import Run, RunConfig

APP = Path(__file__).parent.parent / "app"

TASKS = {"match-map": ("match_map", "match"), "digits": ("digits", "digits")}
SAMPLE = 11
SNAPSHOT = ("*.scores", "*.denoise", "*.spikes", "*.membrane", "*.tau", "head")


def tiny_model(preset: str, task: dista.data.Task, **changes) -> dista.DISTA:
    """A model of 16 channels whose neurons fire and whose answers differ, though it has learned nothing."""
    config = dista.preset(preset).replace(dim=16, depth=2, heads=2, **changes)
    x, _ = task.train.batch(range(16))
    model = untrained_like(dista.DISTA(config), x)
    with torch.no_grad():
        model.head.linear.bias -= model(x).mean(0)
    return model


def make_assets(folder: Path) -> Path:
    """Two checkpoints and the recording with which the first page opens."""
    for name, (preset, data) in TASKS.items():
        task = dista.data.open(data)
        model = tiny_model(preset, task)
        measured = {"test": {"accuracy": 0.5, "loss": 0.7, "samples": len(task.test)}}
        card = {"name": name, "task": data, "metrics": measured}
        model.name, model.card = name, card | {"starting_taus": time_constants(model)}
        dista.save(model, folder / name)
        if name == "match-map":
            save(record_sample(model, task, SAMPLE, "*"), folder / "first-light.zarr.zip")
    return folder


def record_sample(model, task, sample, names):
    x, y = task.test.batch([sample])
    recording = dista.record(
        model, x, names, labels=y.tolist(), classes=task.classes, samples=[sample]
    )
    recording.attrs["step_labels"] = list(task.step_labels)
    return recording


class Writer:
    """Writes a run as training does, an epoch at a time, without training anything."""

    def __init__(self, folder: Path, epochs: int = 3, config: RunConfig | None = None) -> None:
        self.task = dista.data.open("match")
        self.model = tiny_model("match_map", self.task)
        config = config or RunConfig(
            preset="match_map",
            data="match",
            model=self.model.config,
            training=TrainingConfig(epochs=epochs),
        )
        self.run = Run.create(
            folder, config, {"command": "dista train --preset match_map --data match"}
        )
        self.write_activity(0)

    def write_activity(self, epoch: int) -> None:
        recording = record_sample(self.model, self.task, 0, SNAPSHOT)
        rows = [{"epoch": epoch, **asdict(layer)} for layer in neuron_table(recording)]
        self.run.append("neurons", rows)
        self.run.save_snapshot(epoch, recording)

    def epoch(self, epoch: int) -> None:
        steps = range(10 * epoch - 9, 10 * epoch + 1)
        self.run.append(
            "steps", [{"step": s, "epoch": epoch, "loss": 1 / s, "lr": 0.001} for s in steps]
        )
        metrics = {
            "train_loss": 1 / epoch,
            "val_loss": 1.1 / epoch,
            "val_accuracy": 1 - 0.4 / epoch,
        }
        self.write_activity(epoch)
        self.run.append("epochs", [{"epoch": epoch, **metrics, "seconds": 1.0}])
        self.run.set_status("running", epoch=epoch, step=10 * epoch, steps=30)


def surroundings(patch, assets: Path, runs: Path) -> None:
    """Where pages that are opened from now on look for checkpoints and runs."""
    patch.setenv("DISTA_ASSETS", str(assets))
    patch.setenv("DISTA_RUNS", str(runs))
    patch.setenv("DISTA_ALLOW_TRAINING", "1")  # a page without a browser comes from nowhere


def open_page(view: str = "watch", **query):
    """A page of the dashboard after its first run, without a browser; ``open-link``: with its links open."""
    test = AppTest.from_file(APP / "views" / f"{view}.py", default_timeout=60)
    if query.pop("open-link", False):
        test.session_state[share.OPEN] = True
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def ran(code: str) -> dict:
    """What the Python of a page leaves behind; its ``figures`` open no window."""
    made: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseFigure, "show", lambda self: None)
        exec(code, made)
    return made


def shown(test) -> list[dict]:
    """The plotly figures of a page, in order."""
    return [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]


def as_shown(figure) -> dict:
    """A figure as a page holds it."""
    return json.loads(figure.to_json())
