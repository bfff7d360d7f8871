"""What readers bring themselves: drawings, pictures, recordings of events; and how pages show them."""

from __future__ import annotations

import io

import dashboard
import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image, ImageDraw
from test_data_files import write_parquet

import dista
import dista.data
from app.computed import recordings
from app.inputs import (
    drawing,
    event_files,
    examples,
    images,
    own_input,
    own_input_form,
    photographs,
)  # fmt: skip
from dista.config import TrainingConfig
from dista.experiments.evaluation import noisy
from dista.runs import Run, RunConfig


def arc(x, y, width, height, start, end, points=24):
    turns = np.linspace(start, end, points) * np.pi
    return [(x + width * np.cos(turn), y + height * np.sin(turn)) for turn in turns]


SEVEN = [[(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)]]
DRAWINGS = {
    0: [arc(0.5, 0.5, 0.2, 0.3, 0, 2)],
    1: [[(0.5, 0.2), (0.48, 0.8)]],
    2: [[*arc(0.5, 0.35, 0.18, 0.17, -1, 0.1), (0.3, 0.8), (0.72, 0.8)]],
    4: [[(0.35, 0.2), (0.3, 0.5), (0.7, 0.5)], [(0.65, 0.2), (0.62, 0.85)]],
    7: SEVEN,
}


def centre(levels):
    rows, columns = np.indices(levels.shape) + 0.5
    return float((rows * levels).sum() / levels.sum()), float(
        (columns * levels).sum() / levels.sum()
    )


# Drawings ---------------------------------------------------------------------------------------


def test_a_drawing_is_scaled_and_centred_like_the_digits_of_mnist():
    levels = images.drawn(SEVEN)
    assert levels.shape == (28, 28) and levels.dtype == np.uint8 and levels.max() == 15
    rows, columns = np.nonzero(levels)
    assert rows.max() - rows.min() + 1 in (20, 21) and columns.max() - columns.min() < 17
    assert centre(levels) == pytest.approx((14, 14), abs=0.15)


def test_size_and_place_of_a_drawing_do_not_matter():
    small = [[(0.6 + x / 4, 0.1 + y / 4) for x, y in stroke] for stroke in SEVEN]
    assert np.abs(images.drawn(small).astype(int) - images.drawn(SEVEN)).max() <= 1
    dot = images.drawn([[(0.9, 0.9)]])
    assert 3 <= (dot > 0).sum() <= 16, "a dot stays a dot"


def test_a_shipped_network_knows_drawn_digits():
    model = dista.load("digits")
    x = np.stack(
        [images.image_pixels(images.image_text(images.drawn(d))) for d in DRAWINGS.values()]
    )
    with torch.no_grad():
        assert model(torch.from_numpy(x).unsqueeze(1)).argmax(-1).tolist() == list(DRAWINGS)


@pytest.mark.parametrize("strokes", [[], [[]], "ab", [[1, 2, 3]], [[(0.1, float("nan"))]]])
def test_no_drawing_is_refused(strokes):
    with pytest.raises(images.ImageError, match=r"drawing is (empty|damaged)"):
        images.drawn(strokes)


@pytest.fixture
def url(monkeypatch):
    """The session and the URL of a page, without a page."""
    session, query = {}, {}
    monkeypatch.setattr(st, "session_state", session)
    monkeypatch.setattr(own_input_form.url, "write", lambda **changes: query.update(changes))
    monkeypatch.setattr(own_input_form.url, "text", query.get)
    return session, query


def test_what_is_drawn_is_in_the_url_until_it_is_cleared(url):
    session, query = url
    session["own-pad-0"] = {"state": {"strokes": SEVEN, "revision": 0}}
    own_input_form._keep_drawing()
    assert np.array_equal(images.image_pixels(query["image"]) * 15, images.drawn(SEVEN))
    session["own-pad-0"] = {"state": {"strokes": [], "revision": 0}}
    own_input_form._keep_drawing()
    assert query == {"image": None} and drawing.strokes("own-pad-0") == []


def test_drawings_for_cue_and_probe_are_kept_apart_and_undone(url):
    session, query = url
    session["own-pad-0"] = {"state": {"strokes": SEVEN, "revision": 0}}
    session["own-pad-cue-0"] = {"state": {"strokes": [[(0.5, 0.1), (0.5, 0.9)]], "revision": 0}}
    own_input_form._keep_drawing()
    alone = query["image"]
    own_input_form._keep_drawing("cue")
    both = images.roles(query["image"])
    assert both["probe"] == alone and both["cue"] != alone and list(both) == ["probe", "cue"]
    own_input_form._undo()
    assert query["image"] == alone
    own_input_form._undo()
    assert query["image"] is None


def test_own_digits_get_the_noise_of_the_sample_as_the_tasks_own_do():
    task, cue = dista.data.open("match"), images.image_text(images.drawn(SEVEN))
    x = own_input.put(f".{cue}", task, 3)
    before, _ = task.test.batch([3])
    assert torch.equal(x[2:], before[2:]), "the probe stays that of the sample"
    noise = task.test.noise_of(3)
    expected = (torch.from_numpy(images.image_pixels(cue)) + noise[:2]).clamp(0, 1)
    assert torch.equal(x[:2, 0], expected) and noise.std() == pytest.approx(0.1, abs=0.01)


# Photographs ------------------------------------------------------------------------------------


def photographed(strokes, pen=14, shade=0.35, paper=0.75, ink=0.25, size=0.5, at=(0.5, 0.5)):
    """A digit on grey paper in light from one side, 480 x 640 pixels; ``pen`` is as wide as so many."""
    picture = Image.new("L", (640, 480))
    for stroke in strokes:
        points = [
            ((x - 0.5) * 480 * size + at[0] * 640, (y - 0.5) * 480 * size + at[1] * 480)
            for x, y in stroke
        ]
        ImageDraw.Draw(picture).line(points, 255, pen, "curve")
    y, x = np.mgrid[0:1:480j, 0:1:640j]
    grey = (paper - shade * (x + y) / 2) * (1 - np.asarray(picture) / 255 * (1 - ink))
    return (grey + np.random.default_rng(0).normal(0, 0.02, grey.shape)).clip(0, 1)


def test_photographed_digits_are_answered_right_as_they_come():
    """Thin and thick pens, grey paper, light from one side, small and beside the middle, white on black."""
    model, right, x = dista.load("digits"), [], []
    for how in (
        {"pen": 6}, {"pen": 34}, {"shade": 0.6, "paper": 0.95}, {"paper": 0.5, "shade": 0, "ink": 0.5},
        {"size": 0.28, "at": (0.3, 0.4), "pen": 9},
    ):  # fmt: skip
        for digit, strokes in DRAWINGS.items():
            x.append(photographs.normalised(photographed(strokes, **how)))
            right.append(digit)
    x.append(photographs.normalised(1 - photographed(DRAWINGS[4])))
    right.append(4)
    with torch.no_grad():
        answers = model(torch.from_numpy(np.stack(x)[:, None] / np.float32(15))).argmax(-1)
    assert answers.tolist() == right
    assert all(centre(levels) == pytest.approx((14, 14), abs=0.3) for levels in x)


def test_a_picture_of_paper_alone_is_refused():
    with pytest.raises(images.ImageError, match="No digit stands out"):
        photographs.normalised(photographed([]))


def test_the_examples_are_read_like_files_of_readers():
    levels = photographs.normalised(images.read_grey(examples.photograph()))
    with torch.no_grad():
        pixels = torch.from_numpy(levels / np.float32(15))[None, None]
        assert dista.load("digits")(pixels).argmax(-1).tolist() == [4]
    assert images.read_colours(examples.ship()).shape == (32, 32, 3)
    assert len(event_files.read(*examples.recording()).events) > 1000


@pytest.mark.parametrize("name", ["nmnist", "cifar10"])
def test_stand_ins_have_the_form_of_the_task_and_say_what_they_are(name):
    task = dista.data.with_stand_ins(dista.data.without_samples(name))
    x, y = task.test.batch(range(10))
    assert x.shape[-3:] == task.input_shape and y.tolist() == list(range(10))
    assert x.abs().sum() > 0 and "not" in task.description and not len(task.train)
    assert (x.max() <= 1) == (name == "cifar10")


# Colours ----------------------------------------------------------------------------------------


def photo(size=(64, 48), noise=0):
    """A disk on a gradient, with noise that no short text can hold."""
    y, x = np.mgrid[: size[1], : size[0]]
    disk = np.hypot(y - size[1] / 2, x - size[0] / 2) < 12
    pixels = np.stack([x * 3 % 256, y * 4 % 256, 200 * disk], -1).astype(float)
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    content = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("noise", [0, 80])
def test_a_colour_picture_fits_into_a_link(noise):
    pixels = images.read_colours(photo(noise=noise))
    assert pixels.shape == (32, 32, 3)
    text = images.colour_text(pixels)
    assert len(text) < 1500 and images.is_colour(text)
    back = images.colour_pixels(text)
    assert (
        back.shape == (3, 32, 32)
        and back.dtype == np.float32
        and 0 <= back.min() <= back.max() <= 1
    )
    error = np.abs(back.transpose(1, 2, 0) * 255 - pixels).mean()
    assert error < (6 if not noise else 60)
    assert not images.is_colour(images.image_text(images.drawn(SEVEN)))


@pytest.mark.parametrize("text", ["UklGRabc", "UklGR%%%", "UklGR" + "A" * 400])
def test_a_damaged_colour_picture_is_refused(text):
    with pytest.raises(images.ImageError, match="upload it again"):
        images.colour_pixels(text)


def test_a_picture_of_another_size_in_a_link_is_refused():
    content = io.BytesIO()
    Image.new("RGB", (64, 64)).save(content, "WEBP")
    with pytest.raises(images.ImageError, match="upload it again"):
        images.colour_pixels(images._text(content.getvalue()))


# Events -----------------------------------------------------------------------------------------

ROWS, COLUMNS = 12, 16


def events(n=60, seed=0, rows=ROWS, columns=COLUMNS):
    random = np.random.default_rng(seed)
    array = np.zeros(n, [("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")])
    array["x"], array["y"] = random.integers(0, columns, n), random.integers(0, rows, n)
    array["t"], array["p"] = np.sort(random.integers(0, 10**5, n)), random.integers(0, 2, n)
    array[0], array[-1] = (columns - 1, rows - 1, 0, 1), (0, 0, 10**5, 0)
    return array


def saved(array, **columns):
    file = io.BytesIO()
    np.savez(file, **columns) if columns else np.save(file, array)
    return file.getvalue()


def test_an_uploaded_recording_is_read_and_found_by_its_content():
    array = events()
    one = event_files.read("one.npy", saved(array))
    other = event_files.read("Two.NPZ", saved(None, **{name: array[name] for name in "xytp"}))
    assert one.name == "one.npy" and one.events["t"].tolist() == array["t"].tolist()
    shelf = event_files.Shelf()
    assert shelf.keep(one) == shelf.keep(other), "the same events"
    assert shelf.keep(event_files.read("a.npy", saved(events(seed=1)))) != shelf.keep(one)


def test_the_shelf_lets_the_oldest_go():
    shelf, keys = event_files.Shelf(most=150), []
    for seed in range(3):
        keys.append(shelf.keep(event_files.EventFile("one", events(seed=seed))))
    assert [shelf.get(key) is None for key in keys] == [True, False, False]
    large = shelf.keep(event_files.EventFile("large", events(500)))
    assert shelf.get(large) is not None and shelf.get(keys[2]) is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.npy", b"", "the file a.npy is not a readable recording of events"),
        ("a.npz", b"nonsense", "the file a.npz is not a readable recording of events"),
        ("a.bin", b"", "the file a.bin holds no events"),
        ("a.npz", saved(None, x=[1], y=[2]), "the file a.npz holds no events with x, y, t and p"),
        ("a.txt", b"1 2", "the file a.txt ends in '.txt'"),
    ],
)
def test_other_files_are_refused_in_one_sentence_that_names_them(name, content, said):
    with pytest.raises(ValueError) as refused:
        event_files.read(name, content)
    assert str(refused.value).startswith(said) and "/" not in str(refused.value)


def test_what_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(event_files, "MOST_EVENTS", 50)
    with pytest.raises(ValueError, match=r"the file a\.npy has 60 events; at most 50"):
        event_files.read("a.npy", saved(events()))
    with pytest.raises(ValueError, match=r"the file a\.npz has 60 events; at most 50"):
        event_files.read("a.npz", saved(None, **{name: events()[name] for name in "xytp"}))


# Pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "kind"),
    [((1, 28, 28), "digit"), ((3, 32, 32), "colours"), ((2, 9, 7), "events"), ((3, 64, 64), None)],
)
def test_what_a_checkpoint_can_be_shown(shape, kind):
    assert own_input.kind(shape) == kind


def run_of(folder, name, task, root, **changes):
    """A run with an untrained best checkpoint; the checkpoint's name in the URL."""
    torch.manual_seed(0)
    config = dista.preset("tiny").replace(
        input_shape=task.input_shape, classes=len(task.classes), dim=16, heads=2, mean=(0.0,), std=(1.0,), **changes
    )  # fmt: skip
    training = TrainingConfig()
    what = RunConfig(
        preset="tiny", data=task.name, data_root=str(root), model=config, training=training
    )
    best = Run.create(folder / name, what, {}).checkpoint("best")
    model = dista.DISTA(config).eval()
    model.card = {"task": task.name, "metrics": {}}
    dista.save(model, best)
    return str(best)


@pytest.fixture(scope="module")
def own_runs(tmp_path_factory):
    """Runs on files that only their own configuration knows: ``recordings``, and colour pictures."""
    folder = tmp_path_factory.mktemp("own")
    for name in ("left", "right"):
        (folder / "events" / name).mkdir(parents=True)
        for i in range(6):
            np.save(folder / "events" / name / f"{i}.npy", events(seed=i))
    write_parquet(folder / "colours", "PNG")
    names = {}
    for data, root in (("recordings", "events"), ("cifar10", "colours")):
        task = dista.data.open(data, root=folder / root)
        steps = {"time_steps": task.time_steps} if task.time_steps else {}
        names[data] = run_of(folder / "runs", data, task, folder / root, **steps)
    return folder, names


@pytest.fixture
def own_page(page, own_runs, monkeypatch):
    monkeypatch.setenv("DISTA_RUNS", str(own_runs[0] / "runs"))
    monkeypatch.delenv("DISTA_DATA", raising=False)
    return page


def components(test, name):
    return [one for one in test.get("bidi_component") if one.proto.component_name == name]


def probe(test):
    (shown,) = components(test, "dista_probe")
    return shown.proto.bytes


def test_a_recording_is_shown_and_its_code_reproduces_it(own_page, own_runs, tmp_path, monkeypatch):
    array = events(seed=9)
    key = event_files.shelf().keep(event_files.read("mine.npy", saved(array)))
    test = own_page(checkpoint=own_runs[1]["recordings"], events=key)
    assert not test.exception and not test.error and not test.warning
    monkeypatch.chdir(tmp_path)  # where the file is not
    shown = {}
    monkeypatch.setitem(vars(dista.widgets), "probe", lambda it, **place: shown.update(it=it))
    exec(test.code[0].value, {})
    checkpoint = next(one for one in state_of(own_runs) if one.task == "recordings")
    expected = recordings.recording(checkpoint, 0, key)
    assert np.array_equal(shown["it"]["input"].values, expected["input"].values)
    assert expected["input"].values.sum() == len(array) and "label" not in expected


def chooser(view):
    """How the URL of a page calls the checkpoint."""
    return "left" if view == "compare" else "checkpoint"


def state_of(own_runs):
    from app.inputs import checkpoints

    return checkpoints.runnable().values()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("0123456789ab", "This server does not have the recording of the link"),
        ("large", "of the events lie outside of the 12 x 16 pixels that this model sees"),
    ],
)
def test_a_recording_that_cannot_be_shown_is_said_and_the_sample_is_shown(
    own_page, own_runs, key, said
):
    if key == "large":
        large = event_files.EventFile("large.npy", events(rows=100, columns=100))
        key = event_files.shelf().keep(large)
    test = own_page(checkpoint=own_runs[1]["recordings"], events=key)
    assert not test.exception and not test.error
    assert said in test.warning[0].value and "Showing the sample." in test.warning[0].value
    assert probe(test)


@pytest.mark.parametrize("view", ["neurons", "denoise", "compare"])
def test_other_pages_show_it_too(own_page, own_runs, view):
    key = event_files.shelf().keep(event_files.read("mine.npy", saved(events(seed=9))))
    test = own_page(view, **{chooser(view): own_runs[1]["recordings"]}, events=key)
    assert not test.exception and not test.error and not test.warning
    assert "mine.npy" in test.code[0].value


def test_a_colour_picture_is_shown_and_its_code_reproduces_it(own_page, own_runs, monkeypatch):
    text = images.colour_text(images.read_colours(photo()))
    test = own_page(checkpoint=own_runs[1]["cifar10"], image=text)
    assert not test.exception and not test.error and not test.warning
    shown = {}
    monkeypatch.setitem(vars(dista.widgets), "probe", lambda it, **place: shown.update(it=it))
    exec(test.code[0].value, {})
    assert np.allclose(shown["it"]["input"].values[0], images.colour_pixels(text))


@pytest.mark.parametrize("view", ["watch", "neurons", "denoise", "compare"])
def test_a_picture_is_shown_where_the_files_of_the_task_are_not(
    own_page, own_runs, monkeypatch, tmp_path, view
):
    folder, text = own_runs[0], images.colour_text(images.read_colours(photo()))
    moved = (folder / "colours").rename(tmp_path / "colours")
    try:
        query = {chooser(view): own_runs[1]["cifar10"]}
        test = own_page(view, **query)
        assert not test.exception and len(test.error) == (view == "neurons")
        assert any("stand-ins" in one.value for one in test.markdown) or view == "compare"
        test = own_page(view, **query, image=text)
        assert not test.exception and not test.warning
        assert len(test.error) == (view == "neurons"), "its figure over many samples needs them"
        code = test.code[0].value
        assert "without_samples('cifar10')" in code
        if view == "watch":
            shown = {}
            monkeypatch.setitem(
                vars(dista.widgets), "probe", lambda it, **place: shown.update(it=it)
            )
            exec(code, {})
            assert np.allclose(shown["it"]["input"].values[0], images.colour_pixels(text))
            assert shown["it"].attrs["classes"][3] == "cat"
    finally:
        moved.rename(folder / "colours")


def test_a_digit_is_not_for_a_network_of_colours(own_page, own_runs):
    text = images.image_text(images.drawn(SEVEN))
    test = own_page(checkpoint=own_runs[1]["cifar10"], image=text)
    assert not test.exception and not test.error and "base64" not in test.code[0].value
    assert "This checkpoint cannot see the own input. Showing the sample." in test.warning[0].value
    damaged = own_page(checkpoint=own_runs[1]["cifar10"], image="UklGRxx")
    assert "The picture in this link is damaged" in damaged.warning[0].value


def test_a_side_that_cannot_see_it_shows_the_sample_and_says_why(page, tmp_path, monkeypatch):
    """Two networks of recordings, one of which sees fewer pixels than the own recording has."""
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "runs"))
    runs, tasks = {}, {}
    for size, (rows, columns) in {"large": (ROWS, COLUMNS), "small": (8, 8)}.items():
        for name in ("left", "right"):
            (tmp_path / size / name).mkdir(parents=True)
            for i in range(6):
                file = tmp_path / size / name / f"{i}.npy"
                np.save(file, events(seed=i, rows=rows, columns=columns))
        tasks[size] = task = dista.data.open("recordings", root=tmp_path / size)
        steps = {"time_steps": task.time_steps}
        runs[size] = run_of(tmp_path / "runs", size, task, tmp_path / size, **steps)
    array = events(seed=9)
    key = event_files.shelf().keep(event_files.read("mine.npy", saved(array)))
    test = page("compare", left=runs["large"], right=runs["small"], events=key, noise="0.5")
    assert not test.exception and not test.error
    (warning,) = test.warning
    assert warning.value.startswith("Right: ") and "Left" not in warning.value
    assert "lie outside of the 8 x 8 pixels that this model sees" in warning.value
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(vars(dista.widgets), "probe", lambda it, **place: it)
    left, right = dashboard.ran(test.code[0].value)["probes"]
    assert left["input"].values.sum() == len(array) and "label" not in left.coords
    x, _ = noisy(tasks["small"].test, [0], 0.5)
    assert np.array_equal(right["input"].values, x) and right["label"].values.size == 1


@pytest.mark.parametrize(
    ("checkpoint", "said"),
    [("digits", "Draw a digit"), ("recordings", "16 × 12 pixels"), ("cifar10", "A picture, png")],
)
def test_the_popover_offers_what_the_checkpoint_can_see(own_page, own_runs, checkpoint, said):
    test = own_page(checkpoint=own_runs[1].get(checkpoint, checkpoint))
    assert probe(test)
    assert not components(test, "dista_pad") and not test.get("file_uploader"), (
        "closed, it is empty"
    )
    test.session_state["own-input"] = True
    test.run()
    assert not test.exception
    labels = [one.proto.label for one in test.get("file_uploader")]
    assert said in " ".join([*labels, *(one.value for one in test.markdown)])
    assert probe(test)
    assert len(components(test, "dista_pad")) == (1 if checkpoint == "digits" else 0)


def test_an_own_input_can_be_removed(own_page):
    test = own_page(checkpoint="digits", image=images.image_text(images.drawn(SEVEN)))
    test.session_state["own-input"] = True
    test.run()
    (own,) = dashboard.shown(test)
    next(one for one in test.button if one.label == "Remove").click().run()
    assert "image" not in test.query_params and not test.exception
    (left,) = dashboard.shown(test)
    (sample,) = dashboard.shown(own_page(checkpoint="digits"))
    assert left["data"] == sample["data"] != own["data"]
