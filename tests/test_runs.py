"""The run folder: what one process writes, another reads, whenever either is stopped."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import dista
from dista.checkpoint import CheckpointError
from dista.config import TrainingConfig
from dista.recording import RecordingError, record
from dista.runs import Run, RunConfig, RunError, Tail, find, tables

ENVIRONMENT = {"command": "dista train --preset tiny", "versions": {"torch": torch.__version__}}


@pytest.fixture(scope="module")
def config(small_config):
    return RunConfig(
        preset="tiny", data="digits", model=small_config(), training=TrainingConfig(epochs=3)
    )


@pytest.fixture
def run(tmp_path, config):
    return Run.create(tmp_path / "runs" / "first", config, ENVIRONMENT)


# --- create and open ----------------------------------------------------------------------------


def test_create(run, config):
    again = Run(run.path)
    assert again.config == config and again.name == "first"
    assert json.loads((run.path / "environment.json").read_text()) == ENVIRONMENT
    status = again.status()
    assert (status.state, status.epoch) == ("running", 0)
    assert again.environment.command == ENVIRONMENT["command"]


def test_an_empty_folder_is_taken(tmp_path, config):
    (tmp_path / "empty").mkdir()
    assert Run.create(tmp_path / "empty", config, {}).config == config


def test_an_existing_run_is_refused(run, config):
    run.append("epochs", [{"epoch": 0}])
    before = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    with pytest.raises(RunError, match=r"first is not empty: it is a run"):
        Run.create(run.path, config.replace(preset="digits"), {})
    assert {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()} == before


def test_a_file_is_refused(tmp_path, config):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="file is a file"):
        Run.create(tmp_path / "file", config, {})
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_not_a_run(tmp_path, name):
    with pytest.raises(RunError, match=r"not a run folder: it has no config\.json"):
        Run(tmp_path / name)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"preset": "tiny"}', b"\xff"])
def test_a_damaged_config(run, content):
    (run.path / "config.json").write_bytes(content)
    with pytest.raises(RunError, match=r"config\.json is damaged"):
        _ = Run(run.path).config


# --- tables -------------------------------------------------------------------------------------


def test_append_and_table(run):
    first = [{"step": 0, "loss": 2.5}, {"step": 1, "loss": 1.25}]
    run.append("steps", first)
    run.append("steps", [{"step": 2, "loss": float("nan")}])
    run.append("steps", iter(()))
    table = Run(run.path).table("steps")
    assert table["step"].tolist() == [0, 1, 2] and table.to_dict("records")[:2] == first
    assert np.isnan(table["loss"].iloc[2])
    assert run.table("epochs").empty
    assert len(pd.read_json(run.path / "steps.jsonl", lines=True)) == 3


def test_a_half_written_last_line_is_ignored(run):
    line = json.dumps({"epoch": 1, "loss": 0.5}) + "\n"
    for cut in range(1, len(line)):
        (run.path / "epochs.jsonl").write_text('{"epoch": 0, "loss": 1.5}\n' + line[:cut])
        assert run.table("epochs").to_dict("records") == [{"epoch": 0, "loss": 1.5}]
    with (run.path / "epochs.jsonl").open("a") as file:
        file.write(line[cut:])
    assert run.table("epochs")["epoch"].tolist() == [0, 1]


def test_a_tail_reads_only_what_was_added(run, monkeypatch):
    tail = Tail(run, "steps")
    assert tail.read().empty
    run.append("steps", [{"step": i, "loss": 1 / (1 + i)} for i in range(300)])
    assert len(tail.read()) == 300
    path = run.path / "steps.jsonl"
    with path.open("ab") as file:
        file.write(b'{"step": 300, "loss"')
    read = []
    parsed = tables.parsed
    monkeypatch.setattr(tables, "parsed", lambda *line: read.append(line) or parsed(*line))
    assert len(tail.read()) == 300 and read == []
    with path.open("ab") as file:
        file.write(b": 0.5}\n")
    assert tail.read().equals(run.table("steps")) and len(tail.read()) == 301
    assert len(read) == 1 + 301, "one line by the tail, all of them by the table"


def test_a_tail_starts_again_where_a_resumed_run_has_cut_the_table(run):
    tail = Tail(run, "steps")
    run.append("steps", [{"step": i, "loss": 1.0} for i in range(50)])
    assert len(tail.read()) == 50
    path = run.path / "steps.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:20]))
    run.append("steps", [{"step": i, "loss": 2.0} for i in range(20, 80)])
    assert tail.read().equals(run.table("steps")) and len(tail.read()) == 80
    path.unlink()
    assert tail.read().empty


def test_only_a_half_written_line(run):
    (run.path / "steps.jsonl").write_text('{"step": 0')
    assert run.table("steps").empty


# --- status -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["finished", "stopped", "crashed"])
def test_status(run, state):
    run.set_status(state, epoch=3, step=40, reason="because")
    status = Run(run.path).status()
    assert (status.state, status.epoch, status.step, status.reason) == (
        state,
        3,
        40,
        "because",
    )


def test_a_killed_writer_is_noticed(tmp_path, config):
    """A real process that starts a run, appends, and is killed in the middle."""
    script = (
        "import sys, os, signal\n"
        "from dista.runs import Run, RunConfig\n"
        "run = Run.create(sys.argv[1], RunConfig.from_json(sys.argv[2]), {})\n"
        "run.append('steps', [{'step': 0}])\n"
        "open(run.path / 'steps.jsonl', 'a').write('{\"step\": ')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "killed"
    result = subprocess.run([sys.executable, "-c", script, str(path), config.to_json()])
    assert result.returncode == -9
    run = Run(path)
    assert run.status().state == "crashed" and run.config == config
    assert run.table("steps").to_dict("records") == [{"step": 0}]


@pytest.mark.parametrize("content", [None, b"", b'{"state": "runn'])
def test_no_status(run, content):
    run.set_status("stopped")
    (run.path / "status.json").unlink()
    if content is not None:
        (run.path / "status.json").write_bytes(content)
    assert run.status().state == "crashed" and "status" in run.status().reason


# --- snapshots and checkpoints ------------------------------------------------------------------


def test_snapshots(run, small_model, small_input):
    model = small_model(depth=1)
    assert run.snapshots() == []
    trees = {}
    for epoch in (12, 0, 3):
        trees[epoch] = record(model, small_input(model.config, 1, seed=epoch), ["head", "*.tau"])
        run.save_snapshot(epoch, trees[epoch])
    (run.path / "snapshots" / ".epoch-0004.zarr.zip.part").write_bytes(b"half")
    assert Run(run.path).snapshots() == [0, 3, 12]
    assert all(run.snapshot(epoch).identical(tree) for epoch, tree in trees.items())
    assert isinstance(trees[0], xr.DataTree) and not trees[0].identical(trees[3])
    with pytest.raises(RecordingError, match=r"no recording at .*epoch-0001"):
        run.snapshot(1)


def test_checkpoints(run, small_model, small_input):
    model = small_model()
    with pytest.raises(CheckpointError, match="has no checkpoint 'best' yet"):
        run.load()
    dista.save(model, run.checkpoint("last"))
    x = small_input(model.config)
    assert torch.equal(run.load("last").steps(x), model.steps(x))
    with pytest.raises(CheckpointError, match="'best'"):
        run.load("best")


# --- find ---------------------------------------------------------------------------------------


def test_find_newest_first(tmp_path, config):
    for age, name in [(20, "middle"), (30, "oldest"), (10, "newest")]:
        path = Run.create(tmp_path / name, config, {}).path
        os.utime(path, (1_700_000_000 - age,) * 2)
    (tmp_path / "not-a-run").mkdir()
    (tmp_path / "file").write_text("")
    assert [run.name for run in find(tmp_path)] == ["newest", "middle", "oldest"]


def test_find_in_nothing(tmp_path):
    assert find(tmp_path) == [] and find(tmp_path / "nowhere") == []


# --- the order of files ----------------------------------------------------------------------------------


def test_the_status_is_there_before_the_run_can_be_found(tmp_path, config, monkeypatch):
    """Files are written in an order in which no reader meets a run without a status."""
    import dista.runs

    order = []
    whole = dista.runs.folder.write_whole
    watching = lambda path, content: (order.append(path.name), whole(path, content))  # noqa: E731
    monkeypatch.setattr(dista.runs.folder, "write_whole", watching)
    Run.create(tmp_path / "run", config, {})
    assert order.index("status.json") < order.index("config.json")


# --- no room ------------------------------------------------------------------------------------


def test_a_full_device_is_an_error(run):
    (run.path / "steps.jsonl").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        run.append("steps", [{"step": 1}])


# --- resuming -----------------------------------------------------------------------------------


def test_reopening_cuts_what_the_state_does_not_know(run):
    run.append("steps", [{"step": 1}])
    for epoch in (0, 1, 2):
        (run.path / "snapshots" / f"epoch-{epoch:04d}.zarr.zip").write_bytes(b"whole")
    run.save_state({"a": torch.arange(3)}, {"step": 1, "epoch": 1})
    run.append("steps", [{"step": 2}])
    run.append("epochs", [{"epoch": 1}])
    (run.path / ".status.json.7.part").write_bytes(b"half")
    (run.path / "snapshots" / ".epoch-0001.zarr.zip.abc").mkdir()
    run.set_status("stopped")
    tensors, saved = run.reopen()
    assert torch.equal(tensors["a"], torch.arange(3)) and saved.position["step"] == 1
    assert len(run.table("steps")) == 2, "nothing is changed before the state has been put back"
    run.rewind(saved)
    assert run.snapshots() == [0, 1]
    assert run.table("steps")["step"].tolist() == [1] and run.table("epochs").empty
    assert [*run.path.rglob(".*")] == [] and run.notes() == []


def test_reopening_without_a_state_starts_anew(run):
    run.append("steps", [{"step": 1}])
    run.set_status("crashed")
    assert run.reopen() is None
    run.rewind(None)
    assert run.table("steps").empty
