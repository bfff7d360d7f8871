"""Choosing what is looked at: samples by class and by mistake, checkpoints of runs, paths on the server."""

from __future__ import annotations

import shutil

import dashboard
import numpy as np
import pytest
import xarray as xr
from test_app import probes, sentences

import dista
import dista.data
from app.computed import payloads, reruns
from app.inputs import checkpoints, own_paths
from app.inputs.own_paths import RecordingFile
from app.page import samples
from dista.config import TrainingConfig
from dista.experiments import evaluation
from dista.measures import Answers, confident_mistakes
from dista.recording import save
from dista.runs import Run, RunConfig

QUERY = {"checkpoint": "digits", "sample": "3"}
PAGES = ("watch", "neurons", "denoise", "memory", "energy", "ablate")


def button(test, start):
    return next(one for one in test.button if one.label.startswith(start))


def with_search_open(page, **query):
    """A page whose popover for choosing is open."""
    test = page(**QUERY | query)
    test.session_state[samples._OPEN] = True
    return test.run()


# Samples ----------------------------------------------------------------------------------------


def test_the_next_sample_of_a_class_comes_around_again():
    labels = np.array([2, 0, 2, 1, 2])
    assert [samples.next_of_class(labels, 2, here) for here in range(5)] == [2, 2, 4, 4, 0]
    assert samples.next_of_class(labels, 1, 3) == 3 and samples.next_of_class(labels, 7, 3) == 3


def test_a_class_leads_to_its_next_sample(page):
    test = with_search_open(page)
    labels = dista.data.open("digits").test.labels
    group = next(g for g in test.button_group if g.proto.label.startswith("The next sample"))
    assert group.proto.label.endswith(f"(this is {labels[3]})")
    group.set_value(7).run()
    expected = next(place for place in range(4, len(labels)) if labels[place] == 7)
    assert test.query_params["sample"] == str(expected) and not test.exception
    assert test.number_input[0].value == expected
    assert not test.session_state[samples._OPEN], "what was chosen can be seen"


def test_nothing_is_searched_before_it_is_asked_for(page, monkeypatch):
    monkeypatch.setattr(reruns, "answers", lambda *_: pytest.fail("searched"))
    assert not page(**QUERY).exception


def test_the_most_confident_mistakes_are_those_of_the_package(page, monkeypatch):
    monkeypatch.setattr(samples, "SEARCHED", 50)
    test = with_search_open(page)
    assert not test.exception and not test.error
    task = dista.data.open("digits")
    model = dista.load(checkpoints.shipped()["digits"].path)
    answers = evaluation.answers(model, task.test, limit=50)
    wrong = confident_mistakes(answers)
    listed = [one.label for one in test.button if one.label.startswith("Sample ")]
    assert listed == [one.sentence for one in samples.mistakes(answers, task.classes)][:10]
    first = int(wrong[0])
    sure = f"{100 * answers.confidence[first]:.0f} %"
    assert listed[0].startswith(f"Sample {first}: says {answers.answer[first]} ({sure})")
    said = f"{len(wrong)} of the first 50 held-out samples are answered wrong."
    assert said in [one.value for one in test.caption]
    button(test, listed[1]).click().run()
    assert test.query_params["sample"] == str(wrong[1]) and not test.exception
    assert test.number_input[0].value == wrong[1]
    assert set(test.query_params) == {"checkpoint", "sample"}


def test_more_can_be_searched(page, monkeypatch):
    limits = []

    def counted(asked, limit, seen):
        limits.append(limit)
        wrong = np.arange(limit) % 2
        return {"": Answers(wrong, np.zeros_like(wrong), np.full(limit, 0.7))}

    monkeypatch.setattr(reruns, "answers", counted)
    test = with_search_open(page)
    button(test, "Search all 1000").click().run()
    assert limits[0] == 500 and limits[-1] == 1000
    assert "500 of the first 1000 held-out samples are answered wrong." in test.caption[0].value


def test_a_stopped_search_shows_what_it_has_found(page, monkeypatch):
    import streamlit as st

    def halt(asked, limit, seen):
        seen(25)
        st.stop()

    with monkeypatch.context() as patch:
        patch.setattr(reruns, "answers", halt)
        test = with_search_open(page)
        assert "25 of 500 held-out samples answered" in test.get("progress")[0].proto.text
    button(test, "Stop").click().run()
    assert "of the first 25 held-out samples" in " ".join(one.value for one in test.caption)
    assert not test.exception


@pytest.mark.parametrize("view", ["neurons", "denoise", "memory", "compare"])
def test_every_page_with_a_sample_offers_it(page, view, monkeypatch):
    monkeypatch.setattr(samples, "SEARCHED", 25)
    query = {"checkpoint": "digits"}
    test = page(view, **query, sample="3")
    test.session_state[samples._OPEN] = True
    test.run()
    assert not test.exception and not test.error
    assert any(one.label.startswith("Sample ") for one in test.button)


# Checkpoints of runs ----------------------------------------------------------------------------


def best_of(folder, data="digits", root=None, form=((1, 28, 28), 10)):
    """A run with an untrained best checkpoint, by its path."""
    shape, classes = form
    few = {"mean": (0.0,), "std": (1.0,), "dim": 16, "heads": 2}
    config = dista.preset("tiny").replace(input_shape=shape, classes=classes, **few)
    what = RunConfig(
        preset="tiny", data=data, data_root=root, model=config, training=TrainingConfig()
    )
    best = Run.create(folder, what, {}).checkpoint("best")
    model = dista.DISTA(config).eval()
    model.card = {"task": data, "metrics": {}}
    dista.save(model, best)
    return str(best)


@pytest.mark.parametrize("view", PAGES)
def test_the_best_checkpoint_of_a_run_is_browsed_like_a_shipped_one(
    page, tmp_path, monkeypatch, view
):
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    best = best_of(tmp_path / "mine")
    limit = {"samples": "25"} if view == "ablate" else {}
    test = page(
        view, checkpoint=best, **limit
    )  # as older links call it, by its place on the server
    assert not test.exception and not sentences(test)
    name = "runs/mine/checkpoints/best"
    assert test.selectbox[0].value == name and test.query_params["checkpoint"] in (name, [name])
    titles = test.selectbox[0].options
    assert titles[2].startswith("mine: digits · ") and titles[0].startswith("match · ")
    assert f"dista.load({best!r})" in test.code[0].value


@pytest.mark.parametrize("view", PAGES)
def test_a_run_whose_files_are_not_here_is_one_sentence(page, tmp_path, monkeypatch, view):
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    monkeypatch.delenv("DISTA_DATA", raising=False)
    best = best_of(tmp_path / "far", "cifar10", str(tmp_path / "gone"), ((3, 32, 32), 10))
    test = page(view, checkpoint=best)
    assert not test.exception
    if view in ("watch", "denoise"):  # which show one sample: one that stands in
        assert not test.error and any("stand-ins" in one.value for one in test.markdown)
        assert "dista.data.with_stand_ins(" in test.code[0].value
        return
    (said,) = test.error
    assert said.value.startswith("This checkpoint was trained on cifar10, whose files are not on")


def test_two_runs_on_folders_of_their_own_do_not_share_them(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "runs"))
    kind = [("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")]
    for name, count in (("few", 5), ("many", 10)):
        for label in ("a", "b"):
            (tmp_path / name / label).mkdir(parents=True)
            for i in range(count):
                np.save(tmp_path / name / label / f"{i}.npy", np.array([(3, 3, i, 1)], kind))
        best_of(tmp_path / "runs" / name, "recordings", str(tmp_path / name), ((2, 4, 4), 2))
    sizes = {one.root: samples.held_out(one) for one in checkpoints.runnable().values() if one.root}
    assert sizes == {str(tmp_path / "few"): 2, str(tmp_path / "many"): 4}


# Paths ------------------------------------------------------------------------------------------


@pytest.fixture
def trusted(monkeypatch):
    monkeypatch.setenv("DISTA_OWN_PATHS", "1")


@pytest.fixture
def elsewhere(assets, tmp_path):
    """A checkpoint, a run and a recording of two samples, in a folder that nobody knows."""
    shutil.copytree(assets / "digits", tmp_path / "copy")
    best_of(tmp_path / "run")
    task = dista.data.open("digits")
    x, y = task.test.batch([5, 8])
    model = dista.load(assets / "digits")
    facts = {"labels": y.tolist(), "classes": task.classes, "samples": [5, 8]}
    for name in ("two.zarr", "two.zarr.zip"):
        save(dista.record(model, x, **facts), tmp_path / name)
    xr.Dataset({"other": ("x", [1, 2])}).to_zarr(tmp_path / "other.zarr")
    (tmp_path / "bad.zarr.zip").write_bytes(b"no zip")
    return tmp_path


def test_by_default_a_path_in_a_link_is_not_opened(page, elsewhere):
    test = page(path=str(elsewhere / "copy"))
    assert not test.exception and own_paths.OFF in sentences(test)
    assert str(elsewhere) not in " ".join(test.selectbox[0].options)
    assert not test.text_input and len(probes(test)) == 1


@pytest.mark.parametrize("view", [PAGES[0], *map(dashboard.slow, PAGES[1:]), "compare"])
def test_a_checkpoint_at_a_path_is_shown_on_every_page(page, elsewhere, trusted, view):
    limit = {"samples": "25"} if view == "ablate" else {}
    test = page(view, path=str(elsewhere / "copy"), **limit)
    assert not test.exception and not sentences(test)
    assert test.selectbox[0].value == str(elsewhere / "copy")
    assert test.selectbox[0].options[0].startswith("copy: digits · projection memory")
    assert str(elsewhere / "copy") in test.code[0].value
    assert test.text_input[0].value == str(elsewhere / "copy")


def test_another_checkpoint_takes_the_place_of_the_path(page, elsewhere, trusted):
    test = page(path=str(elsewhere / "run"))
    assert test.selectbox[0].options[0].startswith("run: digits"), "the best checkpoint of a run"
    test.selectbox[0].set_value("digits").run()
    assert "path" not in test.query_params and test.query_params["checkpoint"] == "digits"
    test.text_input[0].set_value(str(elsewhere / "copy")).run()
    assert test.query_params["path"] == str(elsewhere / "copy") and not test.exception
    assert test.selectbox[0].value == str(elsewhere / "copy")


@pytest.mark.parametrize("name", ["two.zarr", "two.zarr.zip"])
def test_a_recording_at_a_path_is_shown_in_the_probe(page, elsewhere, trusted, monkeypatch, name):
    test = page(path=str(elsewhere / name), sample="8")
    assert not test.exception and not sentences(test) and len(probes(test)) == 1
    assert test.selectbox[0].options[0] == f"recording {name}"
    shown = []
    monkeypatch.setitem(vars(dista.widgets), "probe", lambda *it, **place: shown.append(it))
    exec(test.code[0].value, {})
    ((recording, position),) = shown
    assert int(recording["batch"][position]) == 8
    expected = payloads.payload(recording, "as on the page", position=1)
    assert expected.buffer in probes(test)[0].proto.bytes
    test.selectbox[1].set_value(5).run()
    assert test.query_params["sample"] == "5" and not test.exception


def test_a_page_that_needs_a_model_says_so_of_a_recording(page, elsewhere, trusted):
    for view in ("energy", "compare"):
        test = page(view, path=str(elsewhere / "two.zarr"), checkpoint="digits", samples="25")
        assert not test.exception and not test.error
        assert "is a recording, which the Watch page shows" in sentences(test)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        dashboard.slow("", "is neither a checkpoint's folder"),
        ("nothing", "is neither a checkpoint's folder"),
        ("bad.zarr.zip", "is not a readable recording"),
        dashboard.slow("other.zarr", "is not a readable recording"),
        dashboard.slow("copy/config.json", "is neither a checkpoint's folder"),
    ],
)
def test_what_a_path_does_not_lead_to_is_one_sentence(page, elsewhere, trusted, name, said):
    test = page(path=str(elsewhere / name))
    assert not test.exception and said in sentences(test)
    assert "two.zarr" not in sentences(test), "folders are not listed"
    assert test.selectbox


def test_a_path_is_opened_as_what_it_is(elsewhere):
    assert own_paths.source_at(str(elsewhere / "two.zarr")) == RecordingFile(
        str(elsewhere / "two.zarr"), str(elsewhere / "two.zarr")
    )
    assert own_paths.source_at(str(elsewhere / "run")).path.endswith("run/checkpoints/best")
    assert dashboard.TASKS["digits"][1] == own_paths.source_at(str(elsewhere / "copy")).task
