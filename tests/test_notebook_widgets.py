"""What moves and follows in a notebook: a training that is followed, and sliders over a model."""

from __future__ import annotations

import gc
import json
import shutil
import threading
import time

import dashboard
import pytest
import torch

import dista
from dista import measures, widgets
from dista.experiments import ablations, corruption, interventions
from dista.runs import background
from dista.widgets.packing import Payload


def titles(figures):
    return [json.loads(text)["layout"]["title"]["text"] for text in figures.drawn]


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def threads(view):
    """The threads in which ``view`` looks into its folder."""
    return [t for t in threading.enumerate() if t.name == f"follow {view.training.path}"]


# --- a training -----------------------------------------------------------------------------------


@pytest.fixture
def writer(tmp_path):
    writer = dashboard.Writer(tmp_path / "one", epochs=3)
    yield writer
    writer.run.release()


def epoch_of(view):
    return None if view._film.disabled else view._film.value


def test_a_training_is_followed_until_it_is_finished(writer):
    """What another thread, or process, writes is seen; the kernel, here this thread, waits for nothing."""
    view = widgets.follow(writer.run, every=0.02)
    assert "Epoch 1 of 3, step 0." in view._said and epoch_of(view) == 0
    assert not view._stop.disabled and view._resume.disabled and threads(view)
    writer.epoch(1)
    until(lambda: "step 10 of 30" in view._said)
    best = "Best validation accuracy: 60.0"
    until(lambda: best in titles(view._figures)[1].replace("<br>", " "))
    assert [t.count("<b>") for t in titles(view._figures)] == [1, 1, 1, 1]
    until(lambda: epoch_of(view) == 1 and view._snapshot[0] == 1)
    probe = view._maps.children[0]
    probe.head, before = 1, probe.data
    untouched = view._figures.drawn[2]
    writer.epoch(2)
    until(lambda: epoch_of(view) == 2 and probe.data is not before)
    assert view._maps.children[0] is probe and probe.head == 1, "the reader's place stays"
    until(lambda: view._figures.drawn[2] != untouched)
    view._film.value = 1  # who looks at another epoch stays there
    writer.epoch(3)
    until(lambda: list(view._film.options) == [0, 1, 2, 3])
    assert view._film.value == 1
    writer.run.set_status("finished", epoch=3, step=30)
    until(lambda: not threads(view))
    assert view._said == "Finished after 3 epochs and 30 steps."
    assert view._stop.disabled and view._resume.disabled
    view._film.value = 3  # the film of a run that is finished
    assert Payload.from_bytes(probe.data).header["sample"] == 0
    assert titles(view._figures) == titles(widgets.follow(writer.run.path)._figures)


def test_buttons_act_and_others_may_act_too(writer, monkeypatch):
    spawned = []
    monkeypatch.setattr(background, "_spawn", lambda run, words, without: spawned.append(words))
    view = widgets.follow(writer.run, every=0.02)
    view._stop.click()
    assert writer.run.asked_to_stop()
    writer.run.set_status("stopped", epoch=0, step=0, reason="stopped after step 0")
    until(lambda: view._said == "Stopped in epoch 1 of 3. Reason: stopped after step 0.")
    assert not view._resume.disabled and threads(view)
    view._resume.click()
    assert spawned == [[f"--resume={writer.run.path.resolve()}"]]
    writer.run.set_status(
        "running", epoch=0, step=1
    )  # as the process that was started, or another's
    until(lambda: not view._stop.disabled)
    view.close()
    until(lambda: not threads(view))


def test_states_without_figures_are_sentences(writer, tmp_path):
    view = widgets.follow(writer.run, every=0.02)
    with (writer.run.path / "epochs.jsonl").open("w") as file:
        file.write("no row\n")
    until(lambda: "epochs.jsonl: a line is damaged and left out" in view._said)
    config = (writer.run.path / "config.json").read_bytes()
    (writer.run.path / "config.json").write_bytes(b"{")
    until(
        lambda: "The run cannot be shown: " in view._said and "config.json is damaged" in view._said
    )
    (writer.run.path / "config.json").write_bytes(config)
    until(lambda: "step 0" in view._said)
    shutil.rmtree(writer.run.path)
    until(lambda: not threads(view))
    assert view._said == f"The folder {writer.run.path} is not there any more."
    assert view._stop.disabled and view._resume.disabled


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_folder_that_is_no_run_is_refused_and_nothing_is_left_to_close(tmp_path):
    with pytest.raises(ValueError, match="is not a run folder"):
        widgets.follow(tmp_path / "nothing")
    gc.collect()


def test_what_has_not_begun_and_what_never_will(tmp_path):
    log = tmp_path / ".logs" / "one.log"
    log.parent.mkdir()
    log.write_text("process 999999999\ndista: no room for it\n")
    view = widgets.follow(tmp_path / "one")
    assert view._said == "The training did not start: no room for it." and not view._figures.drawn
    assert view._repr_mimebundle_()["text/plain"] == view._said


def test_where_no_widget_runs_there_is_a_picture(writer):
    writer.epoch(1)
    view = widgets.follow(writer.run)
    bundle = view._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert (
        bundle["application/vnd.plotly.v1+json"]["data"] and "Epoch 2 of 3" in bundle["text/plain"]
    )
    view.close()


# --- sliders over a model -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(small_model):
    return small_model()


@pytest.fixture(scope="module")
def x(small_config, small_input):
    return small_input(small_config(), samples=1)


def test_controls_are_interventions_and_the_figure_follows(model, x):
    with torch.no_grad():
        trained = model(x)
    view = widgets.controls(model, x)
    assert view.changes == {} and view._said == "The model is as trained."
    seen = {}
    layer = "tau of blocks.1.mlp.hidden.neuron"
    view = widgets.controls(model, x, ["u", "window", "tau", "heads", "noise", layer])
    for name, value, switches in (
        ("u", 2, ["u=2"]), ("window", 1, ["window=1"]), ("tau", 4, ["tau=4"]),
        ("heads", ("0.0", "1.2"), ["head=0.0", "head=1.2"]), ("noise", 0.4, []), (layer, 8, []),
    ):  # fmt: skip
        view.set(name, value)
        noisy = (
            corruption.corrupt(x, corruption.Noise("gaussian", 0.4), [0], counts=True)
            if name == "noise"
            else x
        )
        own = {"blocks.1.mlp.hidden.neuron.tau": interventions.tau(8)} if name == layer else {}
        with dista.intervene(model, ablations.changes(switches, model) | own):
            recording = dista.record(model, noisy, "head")
        torch.testing.assert_close(
            torch.tensor(view.recording["head"].values), torch.tensor(recording["head"].values)
        )
        expected = dista.figures.decision(measures.decision(recording), theme="light").to_json()
        assert view._figures.drawn == [expected]
        seen[name] = view._said
        view.set(name, None)
    with pytest.raises(ValueError, match="expected one of 1, 2, 3"):
        view.set("window", 4)
    assert seen["heads"] == "Changed: Silent heads block 1, head 1, block 2, head 3."
    assert view.changes == {} and torch.equal(model(x), trained), "the model is left as it was"


def test_own_changes_starts_and_figures(model, x):
    own = ([1, 2], lambda part: {f"blocks.{part - 1}.mlp": interventions.zero()})
    layer = "blocks.0.mlp.hidden.neuron"
    view = widgets.controls(
        model, x, {"u": 3, "block that is silent": own}, record="*.spikes",
        figure=lambda recording: dista.figures.raster(measures.raster(recording, layer)),
    )  # fmt: skip
    assert view.value == {"u": 3, "block that is silent": None}
    view.set("block that is silent", 2)
    assert set(view.changes) == {"blocks.*.attention.denoise", "blocks.1.mlp"}
    assert view._said == "Changed: Denoiser, u 3; block that is silent 2."
    before = view._figures.drawn
    view._figures.theme = "dark"  # a figure that takes no theme stays as it is
    assert view._figures.drawn == before


@pytest.mark.parametrize(
    "changes, words",
    [
        (["v"], "no control 'v'; there are u, window, tau, heads, noise, 'tau of LAYER'"),
        (["tau of stem"], "no layer 'stem' has a tau; the model has stem"),
        ({"u": 99}, "Denoiser, u starts at 99; expected one of"),
        ({"heads": ["9.9"]}, "Silent heads starts at '9.9'; expected one of 0.0, 0.1"),
    ],
)
def test_controls_that_are_not_there_are_said(model, x, changes, words):
    with pytest.raises(ValueError, match=words):
        widgets.controls(model, x, changes)


def test_a_change_that_fails_is_a_sentence_and_the_rest_goes_on(model, x):
    bad = ([1], lambda _: {"blocks.0.mlp": torch.zeros(1)})
    view = widgets.controls(model, x, {"bad": bad, "u": None})
    view.set("bad", 1)
    assert "returned shape (1,); expected" in view._sentence.value
    view.set("bad", None)
    assert "as trained" in view._sentence.value


# --- what the page has to load --------------------------------------------------------------------


def test_the_module_of_a_widget_is_there_soon():
    """anywidget drops what Python sends to a widget whose module takes more than two seconds: no library is in it."""
    from dista.widgets import figures, jupyter, lab, predictions

    kinds = [figures.Figures, jupyter.Probe, lab.TauLab, predictions.Predict]
    assert max(len(str(kind._esm)) for kind in kinds) < 200_000
    assert len(figures.Figures.plotly.default_value) > 1_000_000
