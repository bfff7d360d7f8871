"""The dashboard without a browser: every page runs, and what is wrong is said in a sentence."""

from __future__ import annotations

import io
import shutil

import dashboard
import numpy as np
import pytest
import torch
from dashboard import APP
from PIL import Image
from streamlit.testing.v1 import AppTest

import dista.widgets
from app.computed import payloads, recordings
from app.inputs import checkpoints, images, recording_files
from dista import measures
from dista.runs import background


def probes(test):
    return [one for one in test.get("bidi_component") if one.proto.component_name == "dista_probe"]


def sentences(test):
    return " ".join(element.value for kind in (test.error, test.warning) for element in kind)


# Watch ------------------------------------------------------------------------------------------


def test_the_first_page_shows_the_shipped_recording(page):
    test = page()
    assert not test.exception and not sentences(test)
    assert len(probes(test)) == 1
    assert test.selectbox[0].value == "match-map"
    assert test.number_input[0].value == dashboard.SAMPLE
    assert "50.0 %" in test.selectbox[0].options[0]


def test_the_main_script_finds_both_pages(page):
    test = AppTest.from_file(APP / "dashboard.py", default_timeout=60).run()
    assert not test.exception
    assert len(probes(test)) == 1


def test_another_sample_is_recorded(page):
    test = page(checkpoint="digits", sample="3")
    assert not test.exception and not sentences(test)
    assert test.selectbox[0].value == "digits" and test.number_input[0].value == 3
    test.number_input[0].set_value(4).run()
    assert test.query_params["sample"] == "4"
    assert len(probes(test)) == 1 and not test.exception


def test_the_code_on_the_page_reproduces_what_it_shows(page, monkeypatch):
    test = page(checkpoint="digits", sample="5", step="2")
    shown = {}
    monkeypatch.setitem(
        vars(dista.widgets), "probe", lambda it, **place: shown.update(place, it=it)
    )
    exec(test.code[0].value, {})
    assert shown["step"] == 2
    expected = recordings.recording(checkpoints.shipped()["digits"], 5, None)
    assert np.array_equal(shown["it"]["head"].values, expected["head"].values)


def test_how_far_to_trust_a_map_is_said_when_asked(page, monkeypatch):
    """Row sums and untrained networks as the package has them; nothing runs before they are asked for."""
    from app.computed import trust

    asked, run = [], trust.untrained
    monkeypatch.setattr(trust, "NETWORKS", 2)
    monkeypatch.setattr(trust, "untrained", lambda *key: asked.append(key) or run(*key))
    test = page()
    assert not asked and not test.exception
    test.query_params["trust"] = "open"
    test.run()
    assert not test.exception and len(asked) == 1
    words = " ".join(element.value for element in test.markdown)
    names = {}
    code = next(block.value for block in test.code if "untrained_like" in block.value)
    exec(code.replace("print(", "found = ("), names)
    assert [one.networks for one in names["found"]] == [2, 2]
    for one in names["found"]:
        assert trust.similarity_sentence(one) in words
    for sentence in trust.row_sentences(names["recording"]):
        assert sentence in words and "normalised" in sentence


@pytest.mark.parametrize(
    "low, high, empty, said",
    [
        (2, 340, 9, "not normalised: they sum to 2–340 (median 21). 9 of 12 attend to nothing."),
        (2, 340, 0, "not normalised: they sum to 2–340 (median 21)."),
        (1, 1, 0, "normalised: each sums to 1."),
        (0, 0, 12, "No row of block 1 attends to anything."),
    ],
)
def test_row_sums_have_a_sentence(low, high, empty, said, monkeypatch):
    from app.computed import trust

    sums = measures.RowSums(0, "kept", low, 21.0, high, 12, empty)
    monkeypatch.setattr(measures, "blocks", lambda recording: [0])
    monkeypatch.setattr(measures, "row_sums", lambda recording, block: sums)
    assert trust.row_sentences(None)[0].endswith(said)


@pytest.mark.parametrize(
    "values, said",
    [
        (
            (0.3, 0.02, 0.6, 0.03, 0, None, None),
            "correlation **0.30 ± 0.02** with an untrained network's",
        ),
        (
            (0.3, 0.02, 0.6, 0.03, 0, None, None),
            "training has moved them away. There is no network of another",
        ),
        ((0.58, 0.02, 0.6, 0.03, 0, None, None), "has not set them apart"),
        ((0.3, 0.02, 0.6, 0.03, 2, 0.8, 0.01), "Trained from another seed: 0.80 ± 0.01."),
        ((None, None, 0.6, 0.03, 0, None, None), "too many maps are empty"),
    ],
)
def test_likeness_to_untrained_networks_has_a_sentence(values, said):
    from app.computed import trust

    one = measures.UntrainedSimilarity(1, "raw", 16, 5, *values)
    assert said in trust.similarity_sentence(one)


def test_the_positive_control_is_the_same_network_from_another_seed(
    page, assets, tmp_path, monkeypatch
):
    from app.computed import trust

    shutil.copytree(assets, tmp_path / "assets")
    other = dista.load(assets / "digits")
    torch.nn.init.normal_(other.head.linear.weight)
    dista.save(other, tmp_path / "assets" / "another-seed")
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path / "assets"))
    known = checkpoints.shipped()
    assert trust.controls(known["match-map"]) == ()
    assert trust.controls(known["digits"]) == (known["another-seed"].weights,)


@pytest.mark.parametrize(
    "query, said",
    [
        ({"checkpoint": "nope"}, "checkpoint='nope'; there are match-map, digits"),
        ({"sample": "minus one"}, "sample='minus one', which is not a whole number"),
        ({"sample": "123456"}, "There is no sample 123456"),
        ({"step": "0", "from": "1"}, "step='0'"),
        ({"image": "%%%"}, "The picture in this link is damaged"),
    ],
)
def test_a_bad_link_is_explained_and_a_view_is_shown_all_the_same(page, query, said):
    test = page(**query)
    assert not test.exception
    assert said in sentences(test)
    assert len(probes(test)) == 1


def test_without_assets_the_page_says_which_command_makes_some(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page()
    assert not test.exception
    assert "dista train" in test.markdown[0].value
    assert not probes(test)


def test_a_damaged_checkpoint_is_left_out(page, assets, tmp_path, monkeypatch):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    assert not page().exception
    assert checkpoints.shipped() == {}


def test_damaged_weights_are_a_sentence(page, assets, tmp_path, monkeypatch):
    shutil.copytree(assets, tmp_path, dirs_exist_ok=True)
    (tmp_path / "digits" / "model.safetensors").write_bytes(b"nothing")
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page(checkpoint="digits")
    assert not test.exception and "checkpoint='digits'; there are match-map" in sentences(test)
    assert any("is not a readable safetensors file" in element.value for element in test.text)


# Own image --------------------------------------------------------------------------------------


def picture(form="PNG", size=(40, 20), ink=0, paper=255):
    image = Image.new("L", size, paper)
    image.paste(ink, (10, 5, 20, 15))
    content = io.BytesIO()
    image.save(content, form)
    return content.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_picture_becomes_a_light_digit_on_black(form):
    levels = images.read_digit(picture(form), invert=True)
    assert levels.shape == (28, 28) and levels.max() == 15
    assert (
        levels[0].max() == 0 and levels[-1].max() == 0
    )  # the border of a picture that is not square
    assert np.argwhere(levels > 7)[:, 1].max() < 14  # the ink is in the left half


def test_the_link_carries_the_picture():
    levels = images.read_digit(picture(), invert=True)
    text = images.image_text(levels)
    assert len(text) < 1500
    assert np.array_equal(np.rint(images.image_pixels(text) * 15), levels)


@pytest.mark.parametrize("content", [b"", b"GIF89a...", picture()[:60]])
def test_other_files_are_refused_in_plain_words(content):
    with pytest.raises(images.ImageError, match="not a readable png or jpg"):
        images.read_digit(content, invert=True)


@pytest.mark.parametrize("text", ["x", "AAAA", images.image_text(np.zeros((28, 27)))])
def test_a_damaged_picture_in_a_link_is_refused(text):
    with pytest.raises(images.ImageError, match="upload it again"):
        images.image_pixels(text)


def test_an_own_image_is_shown_as_the_probe(page):
    text = images.image_text(images.read_digit(picture(), invert=True))
    test = page(checkpoint="match-map", image=text)
    assert not test.exception and not sentences(test)
    recording = recordings.recording(checkpoints.shipped()["match-map"], dashboard.SAMPLE, text)
    first = recording_files.first_light()
    frames, before = recording["input"].values[:, 0, 0], first["input"].values[:, 0, 0]
    assert np.array_equal(frames[:6], before[:6])
    noise = dista.data.open("match").test.noise_of(dashboard.SAMPLE).numpy()[6:, 0]
    assert np.allclose(frames[6:], (images.image_pixels(text) + noise).clip(0, 1))
    assert "label" not in recording


def test_an_own_image_replaces_a_still_image():
    pixels = images.image_pixels(images.image_text(np.eye(28) * 15))
    x = images.with_own_image(torch.zeros(1, 1, 28, 28), pixels, None)
    assert torch.equal(x[0, 0], torch.eye(28))


def test_steps_of_the_matching_task_have_sentences():
    said = payloads.step_sentences(["cue", "cue", "delay", "probe"])
    assert said[3] == "the probe is compared with a cue last seen 2 steps ago"
    assert said[0] == said[1] != said[2]
    assert payloads.step_sentences(["a", "b"]) is None


# Train ------------------------------------------------------------------------------------------


def test_a_run_is_shown_with_its_curves_and_its_probe(page):
    test = page("train")
    assert not test.exception and not sentences(test)
    assert len(test.get("plotly_chart")) == 3 and len(probes(test)) == 1
    text = test.get("progress")[0].proto.text
    assert "Stopped in epoch 3 of 3" in text and "interrupted from the keyboard" in text


def test_a_run_that_ended_in_its_first_epoch_keeps_the_loss_of_its_steps(
    page, tmp_path, monkeypatch
):
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    run = dashboard.Writer(tmp_path / "short").run
    run.append("steps", [{"step": s, "epoch": 1, "loss": 1 / s, "lr": 0.001} for s in (1, 2, 3)])
    run.set_status("stopped", epoch=0, step=3, steps=30)
    test = page("train")
    assert not test.exception and not test.error
    assert "ended before its first epoch" in test.info[0].value
    assert len(test.get("vega_lite_chart")) == 1
    said = " ".join(element.value for element in test.markdown)
    assert "Before training: which neurons fire" in said and "never fired" not in said
    (more,) = [one for one in test.toggle if one.label == "Follow latest"]
    more.set_value(False).run()
    assert test.query_params["run"] in ("short", ["short"]), "an epoch comes with its run"


def test_an_epoch_can_be_chosen_and_the_latest_followed(page):
    test = page("train", epoch="1")
    assert test.select_slider[0].value == 1 and test.toggle[0].value is False
    test.toggle[0].set_value(True).run()
    assert "epoch" not in test.query_params
    assert test.select_slider[0].value == 2
    test.select_slider[0].set_value(0).run()
    assert test.query_params["epoch"] == "0" and test.toggle[0].value is False


def test_without_runs_the_page_says_how_to_start_one(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "none"))
    test = page("train")
    assert not test.exception
    assert "dista train --preset digits --data digits" in test.markdown[0].value


@pytest.mark.parametrize(
    "file, content, said",
    [
        ("config.json", "{", "its config.json is damaged"),
        ("snapshots/epoch-0002.zarr.zip", "no zip", "the recording of epoch 2"),
    ],
)
def test_a_damaged_run_is_one_sentence(page, runs, tmp_path, monkeypatch, file, content, said):
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    (tmp_path / "some-run" / file).write_text(content)
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    test = page("train")
    assert not test.exception
    assert len(test.error) == 1 and said.lower() in test.error[0].value.lower()
    assert "Traceback" not in test.error[0].value


def test_a_damaged_line_is_left_out_and_said(page, runs, tmp_path, monkeypatch):
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "some-run" / "epochs.jsonl").open("a") as file:
        file.write("{]\n")
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    test = page("train")
    assert not test.exception and not test.error
    said = "epochs.jsonl: a line is damaged and left out (line 3: Invalid JSON"
    assert any(said in caption.value for caption in test.caption)


@pytest.mark.parametrize("table, left", [("neurons", 1), ("epochs", 2)])
def test_a_table_that_cannot_be_read_takes_its_own_figures_only(
    page, runs, tmp_path, monkeypatch, table, left
):
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "some-run" / f"{table}.jsonl"
    path.unlink()
    path.mkdir()
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    test = page("train")
    assert not test.exception and len(test.get("plotly_chart")) == left
    assert f"{table}.jsonl is damaged and cannot be read" in test.error[0].value


def test_an_unknown_run_is_named(page):
    assert "run='gone'; there are some-run" in sentences(page("train", run="gone"))


# --- trainings started from the page ------------------------------------------------------------


@pytest.fixture
def started(monkeypatch):
    """The words of the processes that the page starts, none of which runs."""
    words = []
    monkeypatch.setattr(
        background, "_spawn", lambda run, options, without: words.append((run.name, options))
    )
    return words


def press(test, label):
    return next(button for button in test.button if button.label == label).click().run()


def test_a_run_is_started_with_what_the_link_says(page, started):
    link = {"preset": "match_map", "data": "match", "epochs": "5", "freeze": "taus", "seed": "3"}
    model = {"new-window": "2", "new-u": "3", "new-depth": "1", "new-tau": "4.5", "new-film": "20"}
    test = page("train", **{f"new-{name}": value for name, value in link.items()}, **model)
    assert "--preset match_map --data match --epochs 5" in test.code[0].value
    test = press(test, "Start training")
    ((name, words),) = started
    expected = {f"--{name}={value}" for name, value in link.items()} | {"--minutes=30"}
    named = {"memory.window": "2", "denoiser.u": "3.0", "depth": "1", "neuron.tau": "4.5"}
    expected |= {"--set=epoch_steps=20"}
    expected |= {f"--set=model.{name}={value}" for name, value in named.items()}
    assert expected == {word for word in words if not word.startswith("--out=")}
    assert expected <= set(words) and test.query_params["run"] == name
    assert f"Starting {name}" in test.info[0].value


def test_a_start_that_failed_says_why(page, runs, started, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    test = press(page("train"), "Start training")
    ((name, _),) = started
    (tmp_path / background.LOGS / f"{name}.log").write_text("dista: no room for it\n")
    test = test.run()
    assert "did not start: no room for it" in test.error[0].value


def test_only_tasks_that_fit_and_are_here_are_offered(page, tmp_path, monkeypatch):
    def offered(preset):
        test = page("train", **{"new-preset": preset})
        return next(box for box in test.selectbox if box.label == "Data").options

    monkeypatch.delenv("DISTA_DATA", raising=False)
    assert offered("digits") == ["digits"] and offered("digits_events") == ["digits-events"]
    (tmp_path / "nmnist").mkdir()
    monkeypatch.setenv("DISTA_DATA", str(tmp_path))
    assert offered("digits_events") == ["digits-events", "nmnist"]


def test_a_stopped_run_goes_on(page, started):
    test = press(page("train"), "Continue")
    ((name, words),) = started
    assert name == "some-run" and words[0].startswith("--resume=") and not test.exception
