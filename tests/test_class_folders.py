"""Folders of recordings: labels go by name, what is skipped is counted, what would vanish is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from commands import dista as command

import dista
import dista.data
from dista.config import TrainingConfig
from dista.data.class_folders import find
from dista.data.errors import DataError
from dista.training.feed import check_fit

KIND = np.dtype([("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")])


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DISTA_DATA", raising=False)


def write(folder, n=5, rows=5, columns=7, times=(0, 1000)):
    """``n`` recordings of two events, in the far corners."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        events = np.array([(0, 0, times[0], True), (columns - 1, rows - 1, times[1], False)], KIND)
        np.save(folder / f"{i}.npy", events)


@pytest.fixture
def folder(tmp_path):
    """Three classes with train and test."""
    for part in ("train", "Test"):
        for name in ("wave", "clap", "nod"):
            write(tmp_path / "own" / part / name)
    return tmp_path / "own"


def opened(folder, **options):
    return dista.data.open("recordings", root=folder, **options)


# --- labels -------------------------------------------------------------------------------------


def test_labels_go_by_the_names_of_the_classes(folder):
    whole = opened(folder)
    assert whole.classes == ("clap", "nod", "wave")
    for name in ("train", "Test"):
        for path in (folder / name / "clap").iterdir():
            path.unlink()
        (folder / name / "clap").rmdir()
    some = opened(folder, classes=whole.classes)
    assert some.classes == whole.classes
    assert [p.parent.name for p in some.test.paths] == [some.classes[y] for y in some.test.labels]
    assert set(some.test.labels) == {1, 2}


def n_mnist(folder, digits, n=4):
    for part in ("Train", "Test"):
        for digit in digits:
            write(folder / part / digit, n, rows=34, columns=34, times=(0, 314_999))


def test_two_digits_of_n_mnist_have_their_own_labels(tmp_path):
    n_mnist(tmp_path / "n", "17")
    task = dista.data.open("nmnist", root=tmp_path / "n")
    assert task.classes == tuple("0123456789") and set(task.test.labels) == {1, 7}
    n_mnist(tmp_path / "one", "7")
    assert set(dista.data.open("nmnist", root=tmp_path / "one").test.labels) == {7}


def test_eval_scores_a_folder_with_some_classes_against_the_right_ones(tmp_path):
    """A model that always answers the class at place 2 is right for "wave", wherever that folder stands."""
    torch.manual_seed(0)
    config = dista.preset("tiny").replace(
        input_shape=(2, 5, 7), classes=3, time_steps=10, mean=(0.0,), std=(1.0,)
    )
    model = dista.DISTA(config).eval()
    torch.nn.init.zeros_(model.head.linear.weight)
    model.head.linear.bias.data = torch.tensor([0.0, 0.0, 9.0])
    model.card = {"task": "recordings", "classes": ["clap", "nod", "wave"]}
    dista.save(model, tmp_path / "model")
    for part in ("train", "test"):
        for name in ("clap", "wave"):
            write(tmp_path / "two" / part / name, n=4 if name == "wave" else 2)
    said = command("eval", str(tmp_path / "model"), "--data", str(tmp_path / "two"), "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["accuracy"] == pytest.approx(4 / 6)


# --- folders ------------------------------------------------------------------------------------


def test_what_programs_leave_behind_is_no_class_and_no_recording(folder, caplog):
    before = opened(folder)
    for part in ("train", "Test"):
        write(folder / part / ".ipynb_checkpoints")
        write(folder / part / "__MACOSX")
        (folder / part / "wave" / "._0.npy").write_bytes(b"Mac OS X")
        (folder / part / "wave" / "notes.txt").write_text("of Monday")
    after = opened(folder)
    assert after.classes == before.classes
    for name in ("train", "validation", "test"):
        assert np.array_equal(getattr(after, name).labels, getattr(before, name).labels)
    assert ".ipynb_checkpoints, __MACOSX in train" in after.left_out
    assert "1 other files and folders beside the recordings of Test" in after.left_out
    assert before.left_out == () and all(note in after.description for note in after.left_out)
    assert all(note in caplog.messages[-1] for note in after.left_out)


def test_a_misspelt_class_of_the_test_does_not_vanish(folder):
    (folder / "Test" / "wave").rename(folder / "Test" / "wawe")
    with pytest.raises(DataError, match=r"recordings of 'wawe', which is none .*\(is it wave\?\)"):
        opened(folder)


@pytest.mark.parametrize("name", ["Tset", "tests"])
def test_a_misspelt_test_folder_does_not_become_a_class(folder, name):
    (folder / "Test").rename(folder / name)
    with pytest.raises(DataError, match=rf"has train, but no folder test \(is it {name}\?\)"):
        opened(folder)


def test_two_folders_for_one_part_are_refused(folder):
    write(folder / "testing" / "wave")
    with pytest.raises(DataError, match="has both Test and testing; leave one there"):
        opened(folder)


def test_a_folder_beside_train_and_test_is_said(folder):
    write(folder / "extra" / "wave")
    assert opened(folder).left_out == ("folders beside train: extra",)


def test_a_validation_folder_is_used(folder):
    write(folder / "Val" / "nod", n=3)
    task = opened(folder)
    assert [len(s) for s in (task.train, task.validation, task.test)] == [15, 3, 15]
    assert {path.parent.parent.name for path in task.validation.paths} == {"Val"}


def test_a_class_may_be_called_train(tmp_path):
    for name in ("train", "plane"):
        write(tmp_path / "vehicles" / name, n=10)
    assert opened(tmp_path / "vehicles").classes == ("plane", "train")


def test_a_class_without_recordings_is_said(folder):
    for path in (folder / "Test" / "nod").iterdir():
        path.rename(path.with_suffix(".txt"))
    assert any("Test/nod, which has no recordings" in note for note in opened(folder).left_out)
    with pytest.raises(DataError, match="has 0 folders"):
        find(folder / "train" / "wave")


# --- damaged files ------------------------------------------------------------------------------


def test_one_broken_file_is_left_out_and_counted(folder, caplog):
    (folder / "train" / "wave" / "3.npy").write_bytes(b"broken")
    for _ in range(2):  # read, then from the cache
        task = opened(folder)
        assert len(task.train) + len(task.validation) == 14 and len(task.test) == 15
        (note,) = task.left_out
        assert note.startswith("1 of 30 recordings (") and "wave/3.npy is not a readable" in note
        for split in (task.train, task.validation, task.test):
            for i, path in enumerate(split.paths):
                assert path.parent.name == task.classes[split.labels[i]]
                assert split.sample(i)[0].sum() == 2 == len(split.events(i))
    assert "wave/3.npy" in caplog.text


def test_the_command_says_what_is_left_out(folder, caplog):
    (folder / "train" / "wave" / "3.npy").write_bytes(b"broken")
    words = [
        "train",
        "--preset",
        "digits_events",
        "--data",
        "recordings",
        "--dry-run",
        "--json",
        "--batch-size",
        "4",
    ]
    fits = ["--set", "model.input_shape=[2,5,7]", "--set", "model.classes=3"]
    said = command(*words, *fits, "--data-dir", str(folder))
    assert said.returncode == 0, said.stderr
    # A warning of the package's logger; logging itself puts it on standard error, where nobody else listens.
    assert "dista: left out of" in caplog.text and "1 of 30 recordings" in caplog.text
    assert json.loads(said.stdout)["steps"]


def test_a_stray_coordinate_does_not_make_frames_wide(folder):
    events = np.zeros(200, [("x", "<u2"), ("y", "<u2"), ("t", "<i8"), ("p", "?")])
    events["t"] = np.arange(200)
    events[7]["x"], events[8]["y"] = 65_535, 9_999
    np.save(folder / "Test" / "wave" / "3.npy", events)
    task = opened(folder)
    assert task.input_shape == (2, 5, 7) and task.left_out == ()
    (place,) = (i for i, path in enumerate(task.test.paths) if path.match("wave/3.npy"))
    assert task.test.sample(place)[0].sum() == 198 and len(task.test.events(place)) == 200


def test_coordinates_that_no_camera_has_are_refused(folder):
    for path in folder.rglob("*.npy"):
        events = np.load(path).astype([("x", "<u4"), ("y", "<u4"), ("t", "<i8"), ("p", "?")])
        events["x"] *= 10_000
        np.save(path, events)
    with pytest.raises(
        DataError, match=r"5 x 60001 pixels; no camera has .* give a smaller size=\(rows, columns\)"
    ):
        opened(folder)


# --- own recordings, from the first message to a run ---------------------------------------------


@pytest.fixture
def own(tmp_path):
    """Two classes of 34 x 46 pixels."""
    for name in ("left", "right"):
        write(tmp_path / "mine" / name, n=10, rows=34, columns=46)
    return tmp_path / "mine"


def test_the_first_message_names_all_that_has_to_be_set(own):
    config = dista.preset("digits_events")
    task = dista.data.open_for(config, "recordings", root=own)
    with pytest.raises(ValueError) as refused:
        check_fit(task, config, TrainingConfig())
    said = str(refused.value)
    assert said.endswith("or add --set model.input_shape=[2,34,46] --set model.classes=2")
    words = dict(word.split("=", 1) for word in said.split(" or add --set ")[1].split(" --set "))
    changed = config.changed({k.removeprefix("model."): json.loads(v) for k, v in words.items()})
    check_fit(task, changed, TrainingConfig())


def test_a_model_of_other_channels_is_told_its_normalisation(own):
    config = dista.preset("dista_cifar")
    task = dista.data.open_for(config, "recordings", root=own)
    with pytest.raises(ValueError, match=r"--set model\.mean=\[0\.0\] --set model\.std=\[1\.0\]"):
        check_fit(task, config, TrainingConfig())


def test_no_run_folder_before_all_fits_and_then_a_run(own, tmp_path):
    common = ["train", "--preset", "digits_events", "--data", "recordings", "--data-dir", str(own)]
    common += ["--out", str(tmp_path / "run"), "--epochs", "1", "--batch-size", "7", "--json"]
    common += ["--set", "model.dim=16", "--set", "model.depth=1", "--threads", "1"]
    said = command(*common)
    assert said.returncode == 1 and not (tmp_path / "run").exists()
    line = said.stderr.strip().splitlines()[-1]
    words = line.split(" or add ")[1].split()
    again = command(*common, *words)
    assert again.returncode == 0, again.stderr
    card = json.loads((tmp_path / "run" / "checkpoints" / "best" / "card.json").read_text())
    assert card["classes"] == ["left", "right"]


def test_frames_of_any_shape_are_augmented():
    """Rows and columns keep their scale: a deformation moves as many pixels down as across."""
    from dista.data.warp import EventWarp, Warp

    still = EventWarp(Warp(rotation=0, scale=(1, 1), shear=0, translation=0, elastic=0), silent=0)
    frames = torch.randint(0, 9, (3, 4, 2, 13, 46), dtype=torch.uint8)
    assert torch.equal(still(frames, torch.Generator().manual_seed(0)), frames)
    turn = Warp(rotation=45, scale=(1, 1), shear=0, translation=0, elastic=0)
    looked = turn.grid(64, (20, 60), torch.Generator().manual_seed(1))
    across = (looked[:, :, 1:] - looked[:, :, :-1]) * torch.tensor([30.0, 10.0])
    down = (looked[:, 1:] - looked[:, :-1]) * torch.tensor([30.0, 10.0])
    one = torch.ones(())
    assert torch.allclose(across.norm(dim=-1), one, atol=1e-4), (
        "in pixels, a rotation keeps lengths"
    )
    assert torch.allclose(down.norm(dim=-1), one, atol=1e-4)
    shifted = Warp(rotation=0, scale=(1, 1), shear=0, translation=3, elastic=0)
    looked = shifted.grid(200, (20, 60), torch.Generator().manual_seed(1))
    x = (looked[:, 0, 0, 0] + 1) * 30 - 0.5
    y = (looked[:, 0, 0, 1] + 1) * 10 - 0.5
    assert 2.8 < x.abs().max() <= 3.001 and 2.8 < y.abs().max() <= 3.001
