"""DVS128 Gesture as it unfolds: lists of trials, recordings in AEDAT 3.1, tables of labels."""

from __future__ import annotations

import re

import numpy as np
import pytest
from test_aedat import aedat3, packet

import dista.data
from dista.config import TrainingConfig
from dista.data.errors import DataError
from dista.training.feed import check_fit

GESTURES = 11


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DISTA_DATA", raising=False)


def write_trial(folder, name, user):
    """Eleven gestures of a second each, with a pause of a second after; each with two events of its own."""
    events, rows = [], ["class,startTime_usec,endTime_usec"]
    for label in range(GESTURES):
        start = 2_000_000 * (label + 1)
        events += [(label, user, start, 1), (label, user, start + 999_999, 0)]
        events += [(120, 120, start + 1_500_000, 1)]
        rows.append(f"{label + 1},{start},{start + 1_000_000}")
    aedat3(folder / f"{name}.aedat", packet(events[:10]), packet(events[10:]))
    (folder / f"{name}_labels.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture
def gestures(tmp_path):
    folder = tmp_path / "dvs128-gesture" / "DvsGesture"
    folder.mkdir(parents=True)
    parts = {
        "train": [f"user{u:02}_lab" for u in range(1, 11)],
        "test": ["user24_led", "user25_led"],
    }
    for part, names in parts.items():
        for name in names:
            write_trial(folder, name, int(name[4:6]))
        text = "".join(f"{name}.aedat\n" for name in names) + "\n"
        (folder / f"trials_to_{part}.txt").write_text(text)
    return folder


def opened(folder, **options):
    return dista.data.open("dvs128-gesture", root=folder, **options)


def test_split_labels_and_frames(gestures):
    for root in (gestures, gestures.parent, gestures.parent.parent):
        task = opened(root)
        assert [len(s) for s in (task.train, task.validation, task.test)] == [99, 11, 22]
    assert len(task.classes) == GESTURES and task.classes[1] == "right hand wave"
    assert task.input_shape == (2, 128, 128) and task.time_steps == 16 and task.left_out == ()
    assert np.bincount(task.validation.labels).tolist() == [1] * GESTURES
    for split, users in (
        (task.train, range(1, 11)),
        (task.validation, range(1, 11)),
        (task.test, (24, 25)),
    ):
        for i, path in enumerate(split.paths):
            x, label = split.sample(i)
            user = int(path.name[4:6])
            assert user in users and x.shape == (16, 2, 128, 128) and x.sum() == 2
            assert x[0, 1, user, label] == x[15, 0, user, label] == 1
            start = 2_000_000 * (label + 1)
            assert split.events(i)["t"].tolist() == [start, start + 999_999], "and not the pause"


def test_frames_come_from_the_cache_and_steps_can_be_chosen(gestures, tmp_path, monkeypatch):
    first = opened(gestures)
    monkeypatch.setattr("dista.data.recorded.read_events", None)
    assert np.array_equal(opened(gestures).test.inputs, first.test.inputs)
    with pytest.raises(TypeError):
        opened(gestures, time_steps=4)
    monkeypatch.undo()
    assert opened(gestures, time_steps=4).train.inputs.shape[1:3] == (4, 2)


def test_it_fits_the_presets_of_its_size(gestures):
    config = dista.preset("dista_dvs")
    task = dista.data.open_for(config.replace(time_steps=16), "dvs128-gesture", root=gestures)
    with pytest.raises(ValueError, match=r"or add --set model\.classes=11$"):
        check_fit(task, config.replace(time_steps=16), TrainingConfig())
    form = dista.data.without_samples("dvs128-gesture")
    assert (form.classes, form.input_shape) == (task.classes, task.input_shape)
    assert form.time_steps == 16


def remove(path):
    path.unlink()


DAMAGE = {
    "no recording": ("user03_lab.aedat", remove, "user03_lab.aedat is not there"),
    "no labels": ("user03_lab_labels.csv", remove, "user03_lab_labels.csv is not a readable list"),
    "other labels": (
        "user03_lab_labels.csv",
        lambda p: p.write_text("class,a,b\n12,1,2\n"),
        r"has the row 12,1,2; expected a class from 1 to 11",
    ),
    "no table": (
        "user03_lab_labels.csv",
        lambda p: p.write_text("class\none\n"),
        "is not a table of class, startTime_usec, endTime_usec",
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_trial_that_cannot_be_used_is_left_out_and_said(gestures, what):
    name, change, said = DAMAGE[what]
    change(gestures / name)
    task = opened(gestures)
    assert len(task.train) + len(task.validation) == 99 and len(task.test) == 22
    (note,) = task.left_out
    assert note.startswith("1 of 10 recordings of trials_to_train.txt (")
    assert re.search(said, note)


def test_a_broken_recording_takes_its_gestures_only(gestures):
    (gestures / "user24_led.aedat").write_bytes(b"#!AER-DAT3.1\r\nbroken")
    task = opened(gestures)
    assert len(task.test) == 11 and task.left_out[0].startswith("11 of 132 recordings (")


def test_a_gesture_without_events_is_left_out(gestures):
    with (gestures / "user01_lab_labels.csv").open("a") as file:
        file.write("3,1,5\n")
    (note,) = opened(gestures).left_out
    assert "1 of 133 recordings" in note and "holds no events between 1 and 5" in note


@pytest.mark.parametrize("line", ["../secret.aedat", "/etc/passwd", "a.txt"])
def test_a_list_names_files_beside_it_only(gestures, line):
    (gestures / "trials_to_test.txt").write_text(f"{line}\n")
    with pytest.raises(DataError, match="is not the name of a recording beside the list"):
        opened(gestures)


def test_without_its_lists_it_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"trials_to_train\.txt is not a readable list"):
        opened(tmp_path / "empty")
