"""What the tests of the dashboard look at: checkpoints and runs, untrained and tiny, made in a second."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from plotly.basedatatypes import BaseFigure
from streamlit.testing.v1 import AppTest

import dista
import dista.data
from app.link import share, vocabulary
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


def state(test) -> dict[str, str]:
    """What the address of a page says, places counted from 0."""
    said = {n: t if isinstance(t, str) else t[0] for n, t in test.query_params.items()}
    return vocabulary.read(said)


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


ROUNDING = 2e-6  # of float32, in numbers of the size of a threshold


def alike(one, other) -> bool:
    """Whether two figures are the same but for the rounding of float32 in their numbers.

    A recording of other names may come from other loops, whose sums have another order.
    """
    if isinstance(one, dict) and "bdata" in one:
        return "bdata" in other and np.allclose(
            _numbers(one), _numbers(other), rtol=0, atol=ROUNDING
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, (int, float)):
        return bool(np.isclose(one, other, rtol=0, atol=ROUNDING))
    return one == other


def _numbers(packed: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])


# Studies ------------------------------------------------------------------------------------------

GRID = """\
preset: match_map
data: match
options: {epochs: 3, model.dim: 16, model.depth: 2, model.heads: 2}
seeds: [0, 1]
crossed:
  memory:
    none: {model.memory.form: none, model.memory.window: 1}
    map: {model.memory.form: map, model.memory.window: 8}
  taus:
    fixed: {freeze: taus}
    learned: {freeze: none}
baseline: memory=none,taus=fixed
"""
ANSWERED = 200
RIGHT = {
    "none,taus=fixed": 110,
    "none,taus=learned": 112,
    "map,taus=fixed": 170,
    "map,taus=learned": 172,
}


def make_study(folder: Path) -> Path:
    """A study of four configurations and two seeds, whose last run was stopped; nothing of it is a network."""
    from dista.studies.study import begin

    folder.parent.mkdir(parents=True, exist_ok=True)
    file = folder.parent / "grid.yml"
    file.write_text(GRID)
    planned = begin(file, folder).planned()
    file.unlink()
    for run in planned:
        right = RIGHT[run.configuration.name.removeprefix("memory=")] + 4 * run.seed
        pretend(run, right, state="stopped" if run is planned[-1] else "finished")
    return folder


def pretend(planned, right: int, state: str = "finished") -> None:
    """A run with tables, a card and answers, of which so many are right."""
    from dista.studies import answers

    run = Run.create(planned.path, planned.config, {"command": "dista sweep grid.yml"})
    for epoch in (1, 2, 3):
        metrics = {
            "train_loss": 0.5,
            "val_loss": 0.6,
            "val_accuracy": right / ANSWERED / (4 - epoch),
        }
        run.append("epochs", [{"epoch": epoch, **metrics, "seconds": 1.0}])
        run.append(
            "neurons", [{"epoch": epoch, "layer": "stem.stages.0.neuron", "tau": 2.0 + epoch}]
        )
    if state == "finished":
        card = {
            "task": "match",
            "metrics": {"test": {"accuracy": right / ANSWERED, "samples": ANSWERED}},
        }
        run.checkpoint("best").mkdir(parents=True)
        (run.checkpoint("best") / "card.json").write_text(json.dumps(card))
        wrong = [0] * right + [1] * (ANSWERED - right)
        content = answers.Content(
            task="match", weights="0" * 64, answer=[(i + w) % 2 for i, w in enumerate(wrong)],
            label=[i % 2 for i in range(ANSWERED)],
        )  # fmt: skip
        (run.path / answers.FILE).write_text(content.model_dump_json())
    run.set_status(state, epoch=3, step=30, steps=30, seconds=60.0)


def main_page(**query):
    """The dashboard with its menu, not run yet."""
    test = AppTest.from_file(APP / "dashboard.py", default_timeout=120)
    for name, value in query.items():
        test.query_params[name] = value
    return test


def slow(*values):
    """A case of the same kind as its neighbours, which takes a page of its own."""
    return pytest.param(*values, marks=pytest.mark.slow)
