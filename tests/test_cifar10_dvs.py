"""CIFAR10-DVS: files of AEDAT 2.0 written by the format's own words, the split, and what is refused."""

from __future__ import annotations

import json
import math
import re
import sys
import types

import numpy as np
import pytest
import torch
from test_cli import dista as command

import dista.data
from dista.data.cifar import CLASSES
from dista.data.event_readers import read_events

HEADER = (
    b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n"
    b"# Data format is int32 address, int32 timestamp (8 bytes total), repeated for each event\r\n"
    b"# Timestamps tick is 1 us\r\n"
)
EVENTS = [(1, 2, 7_000, 1), (3, 127, 47_000, 0), (126, 0, 47_001, 0), (35, 30, 106_999, 1)]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DISTA_DATA", raising=False)


def aedat(events, header=HEADER):
    """Big-endian pairs of address and time; the address counts from the far corner, its bit 0 is OFF."""
    pairs = [((127 - x) << 8 | (127 - y) << 1 | 1 - p, t) for x, y, t, p in events]
    return header + np.array(pairs, ">i4").tobytes()


def write_cifar10_dvs(folder, n, content=None):
    """``n`` recordings of each class; number i has events of its own."""
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for i in range(n):
            events = [*EVENTS, (64, i, 50_000, 1)]
            (folder / name / f"cifar10_{name}_{i}.aedat").write_bytes(content or aedat(events))
    return folder


# --- files --------------------------------------------------------------------------------------


def test_coordinates_polarity_and_microseconds(tmp_path):
    path = tmp_path / "one.aedat"
    path.write_bytes(aedat(EVENTS))
    assert [tuple(event) for event in read_events(path)] == EVENTS
    path.write_bytes(aedat(EVENTS[::-1], b"#!AER-DAT2.0\n"))
    assert [tuple(event) for event in read_events(path)] == EVENTS, "in the order of time"


def test_a_pixel_in_the_bits_of_its_address(tmp_path):
    path = tmp_path / "one.aedat"
    path.write_bytes(HEADER + bytes([0, 0, 0b0_0000001, 0b0000010_1, 0, 0, 1, 2]))
    assert [tuple(event) for event in read_events(path)] == [(127 - 1, 127 - 2, 258, 0)]


def test_signals_from_outside_of_the_sensor_are_left_out(tmp_path):
    signal = np.array([0x8000, 50_000], ">i4").tobytes()
    (tmp_path / "one.aedat").write_bytes(aedat(EVENTS) + signal)
    assert [tuple(event) for event in read_events(tmp_path / "one.aedat")] == EVENTS
    (tmp_path / "one.aedat").write_bytes(HEADER + signal)
    with pytest.raises(ValueError, match="holds no events"):
        read_events(tmp_path / "one.aedat")


def test_the_libraries_read_the_same(tmp_path, monkeypatch):
    from tonic.io import get_aer_events_from_file, read_aedat_header_from_file

    # spikingjelly's data sets import torchaudio, which may be built for another torch.
    monkeypatch.setitem(sys.modules, "torchaudio", types.ModuleType("torchaudio"))
    from spikingjelly.datasets.cifar10_dvs import _load_origin_data

    path, random = tmp_path / "one.aedat", np.random.default_rng(0)
    events = random.integers(0, 128, (500, 4))
    events[:, 2], events[:, 3] = np.sort(random.integers(0, 10**6, 500)), events[:, 3] % 2
    path.write_bytes(aedat(events))
    ours, theirs = read_events(path), _load_origin_data(path)
    for field in "xytp":
        assert ours[field].tolist() == theirs[field].tolist()
    version, start, _ = read_aedat_header_from_file(str(path))
    raw = get_aer_events_from_file(str(path), version, start)
    assert ours["t"].tolist() == raw["timeStamp"].tolist()
    assert (127 - ours["x"]).tolist() == (raw["address"] >> 8).tolist()


WRONG = [
    (aedat(EVENTS)[:-3], "ends within an event"),
    (HEADER[:-9], "is not a readable recording"),
    (HEADER, "holds no events"),
    (aedat(EVENTS, b""), "starts with"),
    (aedat(EVENTS, b"#!AER-DAT1.0\r\n"), "starts with b'#!AER-DAT1.0', not with b'#!AER-DAT2.0'"),
    (aedat([(-300, 3, 1, 1)]), "not those of a DVS128"),
]


@pytest.mark.parametrize(("content", "said"), WRONG)
def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path, content, said, caplog):
    write_cifar10_dvs(tmp_path, 3, aedat(EVENTS))
    (tmp_path / "cat" / "cifar10_cat_1.aedat").write_bytes(content)
    for _ in range(2):  # read, then from the cache
        task = dista.data.open("cifar10-dvs", root=tmp_path, time_steps=1)
        splits = (task.train, task.validation, task.test)
        assert sum(len(split) for split in splits) == 29
        assert all(x.inputs.sum() == 4 * len(x) and len(x.inputs) == len(x) for x in splits)
        assert all(
            p.parent.name == task.classes[y] for s in splits for p, y in zip(s.paths, s.labels)
        )
        assert "cifar10_cat_1.aedat" not in {path.name for split in splits for path in split.paths}
        (left_out,) = task.left_out
        assert re.search(rf"^1 of 30 recordings \(.*cifar10_cat_1\.aedat .*{said}", left_out)
        assert left_out in task.description and left_out in caplog.messages[-1]


def test_where_most_are_damaged_none_are_read(tmp_path):
    write_cifar10_dvs(tmp_path, 3, aedat(EVENTS)[:-3])
    with pytest.raises(dista.data.DataError, match=r"aedat is not .* \(and 29 of 29 others"):
        dista.data.open("cifar10-dvs", root=tmp_path)
    assert not list((tmp_path / "cache").rglob("*.npy")), "nothing half done stays"


# --- the task -----------------------------------------------------------------------------------


def test_frames_and_events(tmp_path):
    write_cifar10_dvs(tmp_path / "cifar10-dvs", 3)
    for _ in range(2):  # read, then from the cache
        task = dista.data.open("cifar10-dvs", root=tmp_path, time_steps=5)
        assert task.classes == CLASSES and task.input_shape == (2, 128, 128)
        assert [len(s) for s in (task.train, task.validation, task.test)] == [10, 10, 10]
        for split in (task.train, task.validation, task.test):
            for index, path in enumerate(split.paths):
                x, y = split.sample(index)
                assert path.parent.name == task.classes[y] and x.shape == (5, 2, 128, 128)
                assert x.sum() == 5 and x[2, 1, int(path.stem.split("_")[-1]), 64] == 1
                assert x[0, 1, 2, 1] == x[2, 0, 127, 3] == x[2, 0, 0, 126] == x[4, 1, 30, 35] == 1
    assert [tuple(event) for event in task.test.events(3)][:2] == EVENTS[:2]
    augmented, _ = next(iter(task.train.batches(4, shuffle=True, augment=True)))
    assert augmented.shape == (5, 4, 2, 128, 128)


def test_the_last_tenth_of_the_names_is_for_the_test(tmp_path, monkeypatch):
    """As spikingjelly's split_to_train_test_set(0.9, ...) of its CIFAR10DVS, which sorts names as text."""
    write_cifar10_dvs(tmp_path, 25, aedat(EVENTS))
    task = dista.data.open("cifar10-dvs", root=tmp_path, time_steps=1)
    assert [len(s) for s in (task.train, task.validation, task.test)] == [210, 20, 20]
    parts = [set(split.paths) for split in (task.train, task.validation, task.test)]
    assert len(set.union(*parts)) == 250, "disjoint"
    names = sorted(f"cifar10_cat_{i}.aedat" for i in range(25))
    cats = sorted(path.name for path in parts[2] if path.parent.name == "cat")
    assert cats == names[math.ceil(0.9 * 25) :] == ["cifar10_cat_8.aedat", "cifar10_cat_9.aedat"]
    assert np.bincount(task.validation.labels).tolist() == [2] * 10
    assert len(set(task.test.labels[:10].tolist())) > 3, "classes come mixed"


def test_arrays_of_spikingjelly_do_as_well(tmp_path):
    write_cifar10_dvs(tmp_path / "raw", 3)
    for path in (tmp_path / "raw").rglob("*.aedat"):
        target = tmp_path / "events_np" / path.parent.name
        target.mkdir(parents=True, exist_ok=True)
        events = read_events(path)
        np.savez(target / f"{path.stem}.npz", **{name: events[name] for name in "txyp"})
    tasks = [dista.data.open("cifar10-dvs", root=tmp_path / name) for name in ("raw", "events_np")]
    assert all(torch.equal(*(getattr(t, s).inputs for t in tasks)) for s in ("train", "test"))


def test_what_is_kept_is_made_again_where_files_changed_or_it_is_damaged(tmp_path):
    def total():
        task = dista.data.open("cifar10-dvs", root=tmp_path / "files", time_steps=1)
        return sum(int(s.inputs.sum()) for s in (task.train, task.validation, task.test))

    write_cifar10_dvs(tmp_path / "files", 3)
    assert total() == 150
    (cache,) = (tmp_path / "cache" / "dista").glob("*.npy")
    cache.write_bytes(cache.read_bytes()[:-1])
    assert total() == 150 and cache.stat().st_size > 30 * 2 * 128 * 128
    (tmp_path / "files" / "dog" / "cifar10_dog_0.aedat").write_bytes(aedat(EVENTS))
    assert total() == 149


def test_a_cache_that_cannot_be_written_costs_memory_only(tmp_path, monkeypatch):
    (tmp_path / "cache").write_bytes(b"a file where the folder would be")
    task = dista.data.open("cifar10-dvs", root=write_cifar10_dvs(tmp_path / "files", 3))
    assert task.train.inputs.sum() == 50


def only(folder, name):
    for path in (folder / name).iterdir():
        path.unlink()


def larger(folder):
    columns = {"x": [345, 0], "y": [0, 259], "t": [0, 1], "p": [0, 1]}
    for name in CLASSES:
        only(folder, name)
        for i in range(3):
            np.savez(folder / name / f"{i}.npz", **columns)


REFUSED = [
    (lambda folder: (only(folder, "cat"), (folder / "cat").rmdir()), "no folder cat; CIFAR10-DVS has"),
    (lambda folder: only(folder, "frog"), "frog has 0 recordings that end in .* at least 3"),
    (lambda folder: np.save(folder / "dog" / "a.npy", 1), "end in .aedat and .npy; leave one kind"),
    (larger, r"outside of the 128 x 128 pixels .*\(x reaches 345, y 259\)"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), REFUSED)
def test_other_folders_are_refused(tmp_path, change, said):
    change(write_cifar10_dvs(tmp_path, 3))
    with pytest.raises(ValueError, match=said):
        dista.data.open("cifar10-dvs", root=tmp_path)


@pytest.mark.parametrize("steps", [0, 2.5])
def test_steps_are_checked(tmp_path, steps):
    with pytest.raises(ValueError, match="time_steps="):
        dista.data.open("cifar10-dvs", root=tmp_path, time_steps=steps)


# --- what is done with it -----------------------------------------------------------------------


def test_the_preset_of_the_paper_fits(tmp_path):
    write_cifar10_dvs(tmp_path, 3)
    words = (
        "train --preset dista_dvs --data cifar10-dvs --recipe dvs --batch-size 2 --dry-run --json"
    )
    answer = command(*words.split(), "--data-dir", str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["steps"] == 106 * 5


def test_it_is_offered_where_its_files_are(page, tmp_path, monkeypatch):
    def offered():
        (models,) = (box for box in page("train").selectbox if box.label == "Model")
        return "dista_dvs" in models.options

    monkeypatch.setenv("DISTA_DATA", str(tmp_path))
    assert not offered()
    (tmp_path / "cifar10-dvs").mkdir()
    assert offered()


def test_a_recording_is_brought_to_the_dashboard():
    from app.inputs import event_files

    file = event_files.read("Mine.AEDAT", aedat(EVENTS))
    assert [tuple(event) for event in file.events] == EVENTS
    with pytest.raises(
        ValueError, match=r"^the file a\.aedat is not a readable recording of events$"
    ):
        event_files.read("a.aedat", aedat(EVENTS)[:-3])


def test_aedat4_where_its_package_is_installed(tmp_path):
    pytest.importorskip("aedat")
    processing = pytest.importorskip("dv_processing")
    config = processing.io.MonoCameraWriter.EventOnlyConfig("DVS128", (128, 128))
    writer = processing.io.MonoCameraWriter(str(tmp_path / "one.aedat4"), config)
    store = processing.EventStore()
    for x, y, t, p in EVENTS:
        store.push_back(t, x, y, bool(p))
    writer.writeEvents(store)
    del writer  # writes the rest
    assert [tuple(event) for event in read_events(tmp_path / "one.aedat4")] == EVENTS
