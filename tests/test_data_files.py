"""Tasks that read the user's files: what they take, how they split it, and what they say of the rest."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_cifar10_dvs import write_cifar10_dvs

import dista.data
from dista.data.event_readers import read_events
from dista.data.files import stratified
from dista.data.recordings import as_input, frames
from dista.data.warp import CropFlip
from dista.presets import preset

REAL = Path(os.environ.get("DISTA_DATA") or "data")


def need(name):
    if not (REAL / name).is_dir():
        pytest.skip(f"no real {name}: DISTA_DATA names no folder that holds it")
    return REAL / name


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DISTA_DATA", raising=False)


# --- CIFAR-10 -----------------------------------------------------------------------------------


def pictures(n, seed=0):
    """Flat colours, which survive JPEG, and labels of all classes."""
    colours = np.random.default_rng(seed).integers(0, 256, (n, 1, 1, 3), dtype=np.uint8)
    return np.broadcast_to(colours, (n, 32, 32, 3)).copy(), np.arange(n) % 10


def write_parquet(folder, form, column="img", label="label"):
    import pyarrow as arrow
    import pyarrow.parquet as parquet
    from PIL import Image

    folder.mkdir(parents=True)
    for name, n in (("train", 100), ("test", 20)):
        images, labels = pictures(n)
        encoded = []
        for image in images:
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, form)
            encoded.append({"bytes": buffer.getvalue(), "path": None})
        table = arrow.table({column: encoded, label: labels})
        parquet.write_table(table, folder / f"{name}-00000.parquet")


@pytest.mark.parametrize(
    ("form", "column", "said"), [("PNG", "image", ""), ("JPEG", "img", ", JPEG copy")]
)
def test_cifar10_from_parquet(tmp_path, form, column, said):
    write_parquet(tmp_path / "c" / "plain", form, column)
    for _ in range(2):  # decoded, then from the cache
        task = dista.data.open("cifar10", root=tmp_path / "c")
        assert task.description.startswith(f"CIFAR-10{said}: 90 images")
        images, labels = pictures(20)
        assert task.test.labels.tolist() == labels.tolist()
        x, _ = task.test.batch(range(20))
        assert x.shape == (20, 3, 32, 32) and task.test.inputs.dtype == torch.uint8
        expected = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        assert (x - expected).abs().max() < (0.02 if said else 1e-6)
        assert [len(s) for s in (task.train, task.validation)] == [90, 10]
        assert np.bincount(task.validation.labels).tolist() == [1] * 10


def test_cifar100_from_parquet(tmp_path):
    write_parquet(tmp_path / "c", "PNG", label="fine_label")
    task = dista.data.open("cifar100", root=tmp_path)
    assert task.description.startswith("CIFAR-100: 90 images") and len(task.classes) == 100
    x, y = task.test.sample(7)
    assert y == 7 and task.classes[y] == "beetle" and x.shape == (3, 32, 32)
    with pytest.raises(ValueError, match="expected img or image, and label"):
        dista.data.open("cifar10", root=tmp_path)


@pytest.mark.parametrize(
    ("name", "folder", "labels_key"),
    [
        ("cifar10", "cifar-10-batches-py", "labels"),
        ("cifar100", "cifar-100-python", "fine_labels"),
    ],
)
def test_cifar_from_torchvisions_folder(tmp_path, monkeypatch, name, folder, labels_key):
    """The published layout with files of our own, whose sums the library is told."""
    from torchvision import datasets

    published = getattr(datasets, name.upper())
    base = tmp_path / folder
    base.mkdir()

    def write(name, content):
        (base / name).write_bytes(pickle.dumps(content))
        return name, hashlib.md5((base / name).read_bytes()).hexdigest()

    images, labels = pictures(100)
    rows = images.transpose(0, 3, 1, 2).reshape(100, -1)
    content = {"data": rows, labels_key: labels.tolist()}
    monkeypatch.setattr(published, "train_list", [list(write("train_batch", content))])
    monkeypatch.setattr(published, "test_list", [list(write("test_batch", content))])
    meta, md5 = write("meta", {"names": list("0123456789")})
    monkeypatch.setattr(published, "meta", {"filename": meta, "key": "names", "md5": md5})
    task = dista.data.open(name, root=tmp_path)
    x, y = task.test.sample(7)
    assert y == 7 and torch.allclose(x, torch.from_numpy(images[7]).permute(2, 0, 1) / 255)
    (base / "test_batch").write_bytes(b"another")
    with pytest.raises(ValueError, match="has another MD5 sum"):
        dista.data.open(name, root=tmp_path)


def test_crops_are_shifted_and_mirrored_copies():
    images = torch.arange(1.0, 1 + 6 * 7).view(1, 1, 6, 7).expand(300, 1, 6, 7)
    out = CropFlip(padding=1)(images, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(images[:1], [1] * 4)[0, 0]
    cuts = {(r, c): padded[r : r + 6, c : c + 7] for r in range(3) for c in range(3)}
    places = {(*at, f): cut.flip(1) if f else cut for at, cut in cuts.items() for f in (0, 1)}
    seen = set()
    for image in out[:, 0]:
        shifts = [place for place, crop in places.items() if torch.equal(crop, image)]
        assert len(shifts) == 1
        seen.add(shifts[0])
    assert len(seen) == 18, "every shift, mirrored and not"


def test_real_cifar10():
    task = dista.data.open("cifar10", root=need("cifar10"))
    assert [len(s) for s in (task.train, task.validation, task.test)] == [45_000, 5_000, 5_000]
    assert "JPEG copy" in task.description
    x, y = next(iter(task.train.batches(64, shuffle=True, augment=True)))
    assert x.shape == (64, 3, 32, 32) and 0.2 < x.mean() < 0.7 and len(set(y.tolist())) > 5


# --- event recordings ---------------------------------------------------------------------------


def write_mnist(path, events):
    """N-MNIST's format: x, y, and 1 bit of polarity with 23 of time, most significant first."""
    raw = np.zeros((len(events), 5), np.uint8)
    for row, (x, y, t, p) in zip(raw, events):
        row[:] = x, y, (p << 7) | (t >> 16), (t >> 8) & 255, t & 255
    path.parent.mkdir(parents=True, exist_ok=True)
    raw.tofile(path)


EVENTS = [(1, 2, 0, 1), (3, 4, 40_000, 0), (3, 4, 40_001, 0), (33, 30, 314_999, 1)]


@pytest.fixture
def saccades(tmp_path):
    """A folder ``nmnist`` with ten recordings of each digit to train on, three to test."""
    for part, n in (("Train", 10), ("Test", 3)):
        for digit in "0123456789":
            for i in range(n):
                write_mnist(tmp_path / "nmnist" / part / digit / f"{i:05}.bin", EVENTS)
    return tmp_path / "nmnist"


def test_nmnist(saccades):
    task = dista.data.open("nmnist", root=saccades, time_steps=8)
    assert [len(s) for s in (task.train, task.validation, task.test)] == [90, 10, 30]
    assert task.classes == tuple("0123456789") and task.input_shape == (2, 34, 34)
    x, y = task.test.sample(29)
    assert y == 9 and x.shape == (8, 2, 34, 34) and x.sum() == 4
    assert x[0, 1, 2, 1] == 1 and x[1, 0, 4, 3] == 2 and x[7, 1, 30, 33] == 1
    assert [tuple(e) for e in task.test.events(0)] == EVENTS
    augmented, _ = next(iter(task.train.batches(9, augment=True)))
    assert augmented.shape == (8, 9, 2, 34, 34)


def test_files_are_found_by_their_folder_and_by_the_one_above(saccades, monkeypatch):
    from dista.cli.options import task_of

    config = preset("digits_events")
    model = SimpleNamespace(card={"task": "nmnist"}, config=config)
    for root in (saccades, saccades.parent):
        assert len(dista.data.open("nmnist", root=root).test) == 30
        assert len(task_of(model, str(root), None, "some").test) == 30
        other = SimpleNamespace(card={"task": "digits"}, config=config)
        assert len(task_of(other, "nmnist", root, "some").test) == 30
    with pytest.raises(ValueError, match="two folders of data"):
        task_of(model, str(saccades), saccades, "some")
    monkeypatch.setenv("DISTA_DATA", str(saccades.parent))
    assert len(task_of(model, None, None, "some").test) == 30


def test_any_folder_of_recordings(tmp_path):
    kind = np.dtype([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "?")])
    for name in ("wave", "clap", "nod"):
        (tmp_path / name).mkdir()
        for i in range(20):
            events = np.array([(5_000 + i, 6, 2, True), (9_000 + i, 1, 4, False)], kind)
            np.save(tmp_path / name / f"{i}.npy", events)
    task = dista.data.open("recordings", root=tmp_path, time_steps=3)
    assert task.classes == ("clap", "nod", "wave") and task.input_shape == (2, 5, 7)
    assert [len(s) for s in (task.train, task.validation, task.test)] == [42, 6, 12]
    paths = [p for s in (task.train, task.validation, task.test) for p in s.paths]
    assert len(set(paths)) == 60, "disjoint"
    x, _ = task.train.sample(0)
    assert x[0, 1, 2, 6] == x[2, 0, 4, 1] == 1 and x.sum() == 2, "from its first event to its last"


def test_frames_keep_every_event_inside():
    random = np.random.default_rng(0)
    events = np.zeros(3000, [("x", int), ("y", int), ("t", int), ("p", int)])
    for field, most in (("x", 9), ("y", 9), ("t", 10**6), ("p", 2)):
        events[field] = random.integers(0, most, 3000)
    events.sort(order="t")
    assert frames(events, 7, (9, 9)).sum() == 3000
    inside = (events["x"] < 4) & (events["y"] < 5)
    assert frames(events, 7, (5, 4)).sum() == inside.sum()
    assert frames(np.repeat(events[:1], 999), 1, (9, 9)).max() == 255


def structured(events):
    return np.array(events, [("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")])


@pytest.mark.parametrize("names", ["xytp", ("x", "y", "timestamp", "polarity"), None])
def test_an_archive_of_columns_or_of_one_array(tmp_path, names):
    rows, path = structured(EVENTS), tmp_path / "one.npz"
    columns = {"events": rows} if names is None else dict(zip(names, zip(*EVENTS)))
    np.savez_compressed(path, **columns)
    assert [tuple(event) for event in read_events(path)] == EVENTS


@pytest.mark.parametrize("suffix", [".aedat", ".bin", ".npy", ".npz"])
@pytest.mark.parametrize("content", [b"", b"garbage" * 9, b"PK\x03\x04rest", pickle.dumps([1])])
def test_damaged_recordings_are_one_sentence(tmp_path, suffix, content):
    path = tmp_path / f"one{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"one\.\w+ (is not a readable recording|holds no events)"):
        read_events(path)


def test_what_is_no_recording_is_named(tmp_path):
    np.savez(tmp_path / "other.npz", x=[1], y=[2])
    with pytest.raises(ValueError, match="holds no events with x, y, t and p"):
        read_events(tmp_path / "other.npz")
    with pytest.raises(ValueError, match=r"ends in '\.txt'; recordings of events end in \.bin"):
        read_events(tmp_path / "other.txt")


def test_one_recording_becomes_the_input_that_its_task_has(tmp_path):
    for part, n in (("Train", 10), ("Test", 3)):
        for digit in "01":
            for i in range(n):
                write_mnist(tmp_path / part / digit / f"{i:05}.bin", EVENTS)
    task = dista.data.open("nmnist", root=tmp_path, time_steps=8)
    x, _ = task.test.batch([0])
    assert torch.equal(as_input(task.test.events(0), task), x)
    late = structured([(x, y, t + 10**6, p) for x, y, t, p in EVENTS])
    assert as_input(late, task)[[0, 1, 7], 0].sum((1, 2, 3)).tolist() == [1, 2, 1], "cut anew"


def test_a_few_events_outside_are_left_out_and_a_larger_camera_is_refused(tmp_path):
    events = np.repeat(structured(EVENTS[:1]), 100)
    task = dista.data.Task("recordings", ("a", "b"), (2, 5, 7), 3, None, None, None, None, "")
    events["x"][:2] = (7, -1)
    assert as_input(events, task).shape == (3, 1, 2, 5, 7) and as_input(events, task).sum() == 98
    events["y"][:40] = 200
    with pytest.raises(ValueError, match=r"40 % of the events lie outside of the 5 x 7 .* y 200"):
        as_input(events, task)
    still = dista.data.Task("still", ("a", "b"), (1, 5, 7), None, None, None, None, None, "")
    with pytest.raises(ValueError, match="still is not a task of events"):
        as_input(events, still)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "cifar10-dvs", "nmnist"])
def test_a_task_without_samples_has_the_form_of_the_real_one(name, tmp_path, saccades):
    write_parquet(tmp_path / "cifar10", "PNG")
    write_parquet(tmp_path / "cifar100", "PNG", label="fine_label")
    write_cifar10_dvs(tmp_path / "cifar10-dvs", 3)
    real = dista.data.open(name, root=tmp_path)
    form = dista.data.without_samples(name)
    for field in ("name", "classes", "input_shape", "time_steps", "step_labels"):
        assert getattr(form, field) == getattr(real, field)
    assert len(form.test) == 0 and form.test.unit == real.test.unit
    assert form.test.has_time == real.test.has_time


def test_nothing_is_known_of_other_tasks_without_samples():
    with pytest.raises(
        ValueError, match="'recordings' without its samples; expected cifar10, cifar100"
    ):
        dista.data.without_samples("recordings")


def test_real_nmnist():
    task = dista.data.open("nmnist", root=need("nmnist"))
    assert len(task.train) + len(task.validation) == 800 and len(task.test) == 200
    assert 75 <= len(task.validation) <= 85
    x, _ = task.test.batch(range(200))
    assert x.shape == (8, 200, 2, 34, 34) and (x.flatten(2).sum(-1) > 50).float().mean() > 0.95


def test_tonic_bins_alike(tmp_path):
    """Where the length is a multiple of the bins, tonic's frames are ours."""
    from tonic.transforms import ToFrame

    events = read_events(next(need("nmnist").rglob("*.bin")))
    to_frame = ToFrame((34, 34, 2), time_window=45_000, start_time=0, end_time=315_000)
    ours = frames(events, 7, (34, 34), 315_000)
    assert np.array_equal(ours, np.minimum(to_frame(events)[:7], 255))


# --- files that are not there -------------------------------------------------------------------


def test_a_folder_from_the_environment(tmp_path, monkeypatch):
    write_parquet(tmp_path / "cifar10", "PNG")
    monkeypatch.setenv("DISTA_DATA", str(tmp_path))
    assert len(dista.data.open("cifar10").test) == 20


def one_class(folder):
    write_mnist(folder / "Train" / "0" / "1.bin", EVENTS)
    write_mnist(folder / "Test" / "0" / "1.bin", EVENTS)


def broken(folder):
    for name in ("a", "b"):
        write_mnist(folder / name / "1.bin", EVENTS[:0])


def other_columns(folder):
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    for name in ("train", "test"):
        parquet.write_table(arrow.table({"pixels": [1], "label": [2]}), folder / f"{name}.parquet")


WRONG = [
    ("cifar10", lambda folder: None, "neither cifar-10-batches-py"),
    ("cifar100", lambda folder: None, "neither cifar-100-python"),
    ("cifar10", other_columns, "has the columns pixels, label; expected img or image"),
    ("recordings", one_class, "has 1 folders; expected one for each class"),
    ("recordings", broken, "holds no events"),
    ("recordings", lambda folder: [(folder / n).mkdir() for n in "ab"], "has no recordings"),
]


@pytest.mark.parametrize(("name", "make", "words"), WRONG)
def test_what_is_not_there_is_said(tmp_path, name, make, words):
    folder = tmp_path / "data"
    folder.mkdir()
    make(folder)
    with pytest.raises(ValueError, match=words):
        dista.data.open(name, root=folder)


@pytest.mark.parametrize("name", dista.data.FROM_FILES)
def test_no_folder_at_all(tmp_path, name):
    with pytest.raises(ValueError, match="--data-dir FOLDER"):
        dista.data.open(name)
    with pytest.raises(ValueError, match="which is not a folder"):
        dista.data.open(name, root=tmp_path / "nowhere")


def test_stratified_parts():
    labels = np.array([0] * 10 + [1] * 20 + [2] * 3)
    parts = stratified(labels, (0.8, 0.1, 0.1))
    assert sorted(np.concatenate(parts).tolist()) == list(range(33))
    assert [np.bincount(labels[p]).tolist() for p in parts] == [[8, 16, 1], [1, 2, 1], [1, 2, 1]]
    assert all(np.array_equal(a, b) for a, b in zip(parts, stratified(labels, (0.8, 0.1, 0.1))))
