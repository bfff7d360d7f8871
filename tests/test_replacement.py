"""Nothing that is not ours is written over, and what is ours is replaced whole or stays as it was."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import dista
from dista import checkpoint, recording, runs
from dista.checkpoint import CheckpointError
from dista.config import TrainingConfig
from dista.files import replacement
from dista.recording import RecordingError, open_recording
from dista.runs import Run, RunConfig, RunError

THESIS = "three years of work"
NAMES = ["one.zarr", "one.zarr.zip"]


def tree(value: int) -> xr.DataTree:
    numbers = xr.Dataset({"numbers": ("x", np.full(5, value))}, attrs={"model": "some"})
    return xr.DataTree.from_dict({"/": numbers, "/blocks/0": numbers})


def snapshot(folder: Path) -> dict[str, bytes | str | None]:
    """Everything below a folder: contents of files, where links lead, None for the rest."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else (path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
    }


@pytest.fixture(scope="module")
def models(small_model):
    """Two models of the same form, and one of another."""
    return small_model(), small_model(seed=2), small_model(depth=1)


@pytest.fixture(scope="module")
def run_config(small_config):
    return RunConfig(preset="", data="digits", model=small_config(), training=TrainingConfig())


@pytest.fixture(params=["recording", "zip", "checkpoint", "run"])
def writer(request, models, run_config):
    """A name, what writes something under it, and the error with which that refuses."""

    def create(path):
        Run.create(path, run_config, {})

    return {
        "recording": ("here.zarr", lambda path: recording.save(tree(1), path), RecordingError),
        "zip": ("here.zip", lambda path: recording.save(tree(1), path), RecordingError),
        "checkpoint": ("here", lambda path: dista.save(models[0], path), CheckpointError),
        "run": ("here", create, RunError),
    }[request.param]


# --- what is not ours ---------------------------------------------------------------------------


def folder_of_mine(path):
    path.mkdir()
    (path / "thesis.md").write_text(THESIS)


def file_of_mine(path):
    path.write_text(THESIS)


def link_to_mine(path):
    folder_of_mine(path.with_name("mine"))
    path.symlink_to("mine")


def link_to_itself(path):
    path.symlink_to(path.name)


def pipe(path):
    os.mkfifo(path)


def other_model(path):
    """A model as other libraries save it."""
    path.mkdir()
    (path / "config.json").write_text('{"architectures": ["Bert"], "hidden_size": 768}')
    (path / "model.safetensors").write_bytes(b"weights")


def other_zarr(path):
    """A store that xarray wrote, with an attribute that ours have, too."""
    xr.Dataset({"t": ("x", np.arange(3))}, attrs={"model": "climate"}).to_zarr(
        path, consolidated=False, zarr_format=3
    )


def half_a_checkpoint(path):
    """Weights that nothing says to be ours."""
    path.mkdir()
    (path / "model.safetensors").write_bytes(b"weights")


def half_a_recording(path):
    recording.save(tree(1), path.with_name("whole")).rename(path)
    (path / "zarr.json").unlink()


def recording_in_it(path):
    path.mkdir()
    recording.save(tree(1), path / "one.zarr")


FOREIGN = [
    folder_of_mine,
    file_of_mine,
    link_to_mine,
    link_to_itself,
    pipe,
    other_model,
    other_zarr,
    half_a_checkpoint,
    half_a_recording,
    recording_in_it,
]


@pytest.mark.parametrize("make", FOREIGN)
def test_what_is_not_ours_is_refused_and_stays(tmp_path, writer, make):
    name, write, error = writer
    make(tmp_path / name)
    before = snapshot(tmp_path)
    with pytest.raises(error, match=r"here.* choose another path for a \w+, nothing was changed"):
        write(tmp_path / name)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("where", [".", "..", "", "/"])
def test_the_current_folder_and_those_above_are_refused(tmp_path, monkeypatch, models, where):
    (tmp_path / "thesis.md").write_text(THESIS)
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    with pytest.raises(RecordingError, match="is the current folder, or one above it"):
        recording.save(tree(1), where)
    with pytest.raises(CheckpointError, match="is the current folder, or one above it"):
        dista.save(models[0], where)
    assert snapshot(tmp_path) == {"thesis.md": THESIS.encode(), "inner": None}


def test_a_recording_that_one_stands_in_is_refused(tmp_path, monkeypatch):
    path = recording.save(tree(1), tmp_path / "one.zarr")
    monkeypatch.chdir(path / "blocks")
    with pytest.raises(RecordingError, match="is the current folder"):
        recording.save(tree(2), path)
    assert open_recording(path).identical(tree(1))


def test_a_file_on_the_way_is_said(tmp_path, writer):
    _, write, error = writer
    (tmp_path / "file").write_text(THESIS)
    with pytest.raises(error, match="file, which is not a folder; choose another path"):
        write(tmp_path / "file" / "deep" / "er")
    assert snapshot(tmp_path) == {"file": THESIS.encode()}


def test_what_is_new_or_empty_is_taken(tmp_path, writer):
    name, write, _ = writer
    write(tmp_path / "new" / "deep" / name)
    (tmp_path / name).mkdir()
    write(tmp_path / name)
    assert not [path for path in tmp_path.rglob(".*")], "nothing temporary stays"


def test_a_run_is_never_replaced(tmp_path, run_config):
    run = Run.create(tmp_path / "run", run_config, {})
    with pytest.raises(RunError, match="is not empty: it is a run, which --resume goes on with"):
        runs.place(run.path)


# --- recordings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_replaced_and_nothing_beside_it(tmp_path, name):
    (tmp_path / "thesis.md").write_text(THESIS)
    for value in (1, 2):
        path = recording.save(tree(value), tmp_path / name)
        assert open_recording(path).identical(tree(value))
    assert sorted(p.name for p in tmp_path.iterdir()) == [name, "thesis.md"]


@pytest.mark.parametrize("name", NAMES)
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path, name):
    real = recording.save(tree(1), tmp_path / "scratch" / name)
    (tmp_path / name).symlink_to(real)
    recording.save(tree(2), tmp_path / name)
    assert (tmp_path / name).is_symlink() and open_recording(real).identical(tree(2))


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_of_before_the_mark_is_known(tmp_path, name):
    """By the model and its configuration among its attributes, as the shipped one has them."""
    shipped = checkpoint.assets() / "first-light.zarr.zip"
    path = tmp_path / name
    if path.suffix == ".zip":
        shutil.copy(shipped, path)
    else:
        zipfile.ZipFile(shipped).extractall(path)
    recording.save(tree(2), path)
    assert open_recording(path).identical(tree(2))


@pytest.mark.parametrize("inside", ["thesis.md", "blocks/notes.txt", "numbers/c/x", "link"])
def test_a_recording_with_something_else_in_it_is_refused(tmp_path, inside):
    path = recording.save(tree(1), tmp_path / "one.zarr")
    if inside == "link":
        (path / inside).symlink_to(tmp_path)
    else:
        (path / inside).write_text(THESIS)
    before = snapshot(tmp_path)
    with pytest.raises(RecordingError, match=f"holds '{inside}.*' beside the recording"):
        recording.save(tree(2), path)
    assert snapshot(tmp_path) == before


def test_an_archive_with_something_else_in_it_is_refused(tmp_path):
    path = recording.save(tree(1), tmp_path / "one.zarr.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("thesis.md", THESIS)
    with pytest.raises(RecordingError, match=r"holds 'thesis\.md' beside the recording"):
        recording.save(tree(2), path)
    assert zipfile.ZipFile(path).read("thesis.md").decode() == THESIS


@pytest.mark.parametrize("cut", [0, 0.5, 0.99])
def test_half_an_archive_is_refused(tmp_path, cut):
    path = recording.save(tree(1), tmp_path / "one.zarr.zip")
    half = path.read_bytes()[: int(cut * path.stat().st_size)]
    path.write_bytes(half)
    with pytest.raises(RecordingError, match="is a file with something else than a recording"):
        recording.save(tree(2), path)
    assert path.read_bytes() == half


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("when", ["writing", "in place"])
def test_what_fails_leaves_the_recording_of_before(tmp_path, monkeypatch, name, when):
    path = recording.save(tree(1), tmp_path / name)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    if when == "writing":
        monkeypatch.setattr(xr.DataTree, "to_zarr", fail)
    else:
        rename = Path.rename
        second = {"one.zarr": "new"}.get(name)

        def failing(self, target):
            return fail() if self.name == second else rename(self, target)

        monkeypatch.setattr(Path, "rename", failing)
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        recording.save(tree(2), path)
    monkeypatch.undo()
    assert open_recording(path).identical(tree(1))
    assert [p.name for p in tmp_path.iterdir()] == [name]


# --- checkpoints --------------------------------------------------------------------------------


def weight(path):
    return checkpoint.load(path).head.linear.weight


def test_a_checkpoint_of_another_form_is_replaced_whole(tmp_path, models):
    path = dista.save(models[0], tmp_path / "model")
    (path / ".card.json.1234.part").write_text("left by a process that was killed")
    dista.save(models[2], path)
    assert torch.equal(weight(path), models[2].head.linear.weight)
    assert sorted(p.name for p in path.iterdir()) == [
        "card.json",
        "config.json",
        "model.safetensors",
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_what_lies_beside_a_checkpoint_stays_or_is_in_the_way(tmp_path, models):
    path = dista.save(models[0], tmp_path / "model")
    (path / "notes.md").write_text(THESIS)
    dista.save(models[1], path)
    assert torch.equal(weight(path), models[1].head.linear.weight)
    assert (path / "notes.md").read_text() == THESIS
    before = snapshot(tmp_path)
    with pytest.raises(
        CheckpointError, match=r"holds 'notes\.md' beside the checkpoint of another"
    ):
        dista.save(models[2], path)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("other", [1, 2])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_checkpoint_that_could_not_be_written_is_the_one_of_before(
    tmp_path, models, monkeypatch, other, call
):
    path, calls = dista.save(models[0], tmp_path / "model"), []

    def failing(descriptor):
        calls.append(descriptor)
        if len(calls) == call:
            raise OSError(28, "No space left on device")

    before = snapshot(tmp_path)
    monkeypatch.setattr(replacement.os, "fsync", failing)
    with pytest.raises(OSError, match="No space left"):
        dista.save(models[other], path)
    after = snapshot(tmp_path)
    assert (
        after.keys() == before.keys() and after["model/config.json"] == before["model/config.json"]
    )
    loaded = checkpoint.load(path).state_dict()
    states = [model.state_dict() for model in models[: other + 1]]
    assert any(all(torch.equal(loaded[n], one[n]) for n in loaded) for one in states)
    if other == 2:
        assert after == before


def test_a_run_stands_for_its_best_checkpoint(tmp_path, models, run_config):
    run = Run.create(tmp_path / "run", run_config, {})
    with pytest.raises(CheckpointError):
        checkpoint.load(run.path)
    dista.save(models[0], run.checkpoint("best"))
    assert torch.equal(weight(run.path), models[0].head.linear.weight)


# --- files --------------------------------------------------------------------------------------


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "file"
    with replacement.replacing(path) as first, replacement.replacing(path) as second:
        first.write(b"first" * 1000)
        second.write(b"second")
    assert path.read_bytes() == b"first" * 1000 and [*tmp_path.iterdir()] == [path]


def test_a_file_is_the_old_one_until_the_end(tmp_path):
    path = tmp_path / "file"
    path.write_text(json.dumps("old"))
    with pytest.raises(KeyboardInterrupt), replacement.replacing(path) as file:
        file.write(b'"ne')
        raise KeyboardInterrupt
    assert json.loads(path.read_text()) == "old" and [*tmp_path.iterdir()] == [path]
