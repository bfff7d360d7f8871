"""Labels by the checkpoint's classes, data that fit it, numbers of its own weights, files that are still the same."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import dista
import dista.data
from app.inputs import checkpoints, data_files, tasks
from app.page import snippets
from app.trainings import run_tables
from dista import cli
from dista.config import TrainingConfig
from dista.recording import record
from dista.runs import Run, RunConfig, Tail

EVENTS = np.dtype([("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")])


def recordings(folder, names, count=10):
    """Recordings of 34 x 34 pixels in a folder for each class."""
    draw = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(count):
            events = np.zeros(200, EVENTS)
            events["x"], events["y"] = draw.integers(0, 34, (2, 200))
            events["t"] = np.sort(draw.integers(0, 10**6, 200))
            events[["x", "y"]][0] = (33, 33)
            np.save(folder / name / f"{i}.npy", events)
    return folder


@pytest.fixture
def of_three(tmp_path):
    """A checkpoint that tells three classes apart, and a folder that holds two of them."""
    config = dista.preset("tiny").changed(
        {"input_shape": [2, 34, 34], "classes": 3, "time_steps": 3, "mean": [0, 0], "std": [1, 1]}
    )
    model = dista.DISTA(config)
    model.card = {"name": "three", "task": "recordings", "classes": ["ant", "bee", "cat"]}
    path = dista.save(model, tmp_path / "three")
    return path, recordings(tmp_path / "files", ["ant", "cat"])


def test_labels_on_the_dashboard_go_by_the_checkpoints_classes(of_three):
    path, folder = of_three
    checkpoint = checkpoints.checkpoint_at("three", path, str(folder))
    task = tasks.task(checkpoint.data)
    assert task.classes == ("ant", "bee", "cat") and set(task.test.labels.tolist()) == {0, 2}
    made = {}
    exec(f"import dista\n{snippets.task(checkpoint)}", made)
    assert made["task"].classes == task.classes
    assert made["task"].test.labels.tolist() == task.test.labels.tolist()


def test_a_card_with_other_classes_than_the_model_has_is_damaged(of_three):
    path, _ = of_three
    card = json.loads((path / "card.json").read_text())
    (path / "card.json").write_text(json.dumps(card | {"classes": ["ant", "bee"]}))
    with pytest.raises(ValueError, match="names 2 classes, its configuration has 3"):
        checkpoints.checkpoint_at("three", path)


def test_data_files_that_changed_are_read_again(of_three):
    path, folder = of_three
    before = checkpoints.checkpoint_at("three", path, str(folder))
    count = len(tasks.task(before.data).test)
    shutil.rmtree(folder / "cat")
    recordings(folder, ["cat", "bee"], 20)
    data_files.version.clear()  # as it does by itself after ``AGAIN`` seconds
    after = checkpoints.checkpoint_at("three", path, str(folder))
    assert after.data != before.data and after.weights != before.weights
    assert len(tasks.task(after.data).test) > count
    assert before.data == before.data, "one run of a page sees one version"


def test_a_file_that_is_written_over_is_another_version(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    before = data_files.version(str(tmp_path))
    data_files.version.clear()
    assert data_files.version(str(tmp_path)) == before
    (tmp_path / "a").write_bytes(b"two")
    os.utime(tmp_path / "a", ns=(1, 1))
    data_files.version.clear()
    assert data_files.version(str(tmp_path)) != before


# --- data that fit ------------------------------------------------------------------------------

MISFITS = [
    ("digits", "match", "tells 10 classes apart, 'match' has 2"),
    (
        "digits",
        "digits-events",
        r"inputs of shape \(1, 28, 28\), 'digits-events' has \(2, 34, 34\)",
    ),
    ("match-map", "digits", "tells 2 classes apart, 'digits' has 10"),
]


@pytest.mark.parametrize(("name", "data", "words"), MISFITS)
@pytest.mark.parametrize("command", ["eval", "ablate", "record"])
def test_data_of_another_kind_are_refused_before_anything_runs(
    command, name, data, words, tmp_path, monkeypatch
):
    monkeypatch.setattr(dista.DISTA, "forward", lambda *_: pytest.fail("it ran"))
    place = [str(tmp_path / "one.zarr")] if command == "record" else []
    answer = CliRunner().invoke(cli.app, [command, name, *place, "--data", data])
    with pytest.raises(ValueError, match=words):
        raise answer.exception
    assert not list(tmp_path.iterdir())


# --- numbers of other weights -------------------------------------------------------------------


def test_a_listed_accuracy_is_of_the_weights_that_lie_there(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "none"))
    model = dista.DISTA(dista.preset("tiny"))
    model.card = {"task": "digits", "metrics": {"test": {"accuracy": 0.75, "samples": 9}}}
    path = dista.save(model, tmp_path / "one")
    assert checkpoints.shipped()["one"].title.endswith("75.0 %")
    with torch.no_grad():
        next(model.parameters()).add_(1)
    other = dista.save(model, tmp_path / "other")
    shutil.copy(other / "model.safetensors", path / "model.safetensors")
    one = checkpoints.shipped()["one"]
    assert one.title.endswith("not measured with these weights")
    assert one.accuracy is None and one.samples is None
    assert checkpoints.shipped()["other"].title.endswith("75.0 %")
    (path / "model.safetensors").write_bytes(b"x")
    assert "one" not in checkpoints.shipped() and "safetensors" in checkpoints.damaged()["one"]


# --- maps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("pairs", [4, 100])
def test_a_map_of_no_number_of_steps_is_one_sentence(small_model, small_input, pairs):
    """With a memory of two steps there are 1, 3, 5, 7, ... pairs, of which five steps have nine."""
    model = small_model(depth=1, memory=dict(form="map", window=2))
    attention = model.blocks[0].attention
    attention.denoise.register_forward_hook(lambda m, i, a: a[:1].expand(pairs, *a.shape[1:]))
    attention.read.forward = lambda a, v: v
    with pytest.raises(
        ValueError, match=f"a map of {pairs} pairs .* memory of 2, which has 1, 3, 5, 7"
    ):
        record(model, small_input(model.config, 1), "*.denoise")


# --- runs that were replaced --------------------------------------------------------------------


def run_of(folder, losses):
    what = RunConfig(
        preset="tiny", data="digits", model=dista.preset("tiny"), training=TrainingConfig()
    )
    run = Run.create(folder, what, {})
    rows = [{"epoch": i, "train_loss": loss, "val_loss": 1.0} for i, loss in enumerate(losses)]
    run.append("epochs", rows)
    run.set_status("finished")
    return run


def test_a_run_in_the_place_of_another_is_read_from_its_start(tmp_path):
    """Also where both say the same in all that was compared: the last 256 bytes."""
    same = [0.5] * 20
    old = run_of(tmp_path / "run", [0.25, *same])
    tail = Tail(old, "epochs")
    assert (
        tail.read()["train_loss"].iloc[0]
        == 0.25
        == run_tables.table(old, "epochs")["train_loss"].iloc[0]
    )
    old.path.rename(tmp_path / "moved")  # which keeps its inodes
    new = run_of(tmp_path / "run", [0.75, *same, 0.5])
    assert tail.read()["train_loss"].iloc[0] == 0.75
    assert run_tables.table(new, "epochs")["train_loss"].iloc[0] == 0.75
    assert len(run_tables.table(new, "epochs")) == 22 and run_tables.damage(new) == []
