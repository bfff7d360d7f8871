"""The Compare page without a browser: both sides are what they say, and so is what differs."""

from __future__ import annotations

import dashboard
import numpy as np
import pytest
import streamlit as st
import torch
from dashboard import as_shown, ran, shown

import dista.data
import dista.widgets
from app.computed import reruns
from app.computed.reruns import Side
from app.inputs import checkpoints, images
from app.link import url
from dista import figures, measures
from dista.experiments import evaluation
from dista.experiments.corruption import Noise, corrupt

MAP = {"checkpoint": "match-map", "sample": str(dashboard.SAMPLE)}


@pytest.fixture
def run(runs, assets):
    """How links call the best checkpoint of a run on ``match``, in another form of memory."""
    path = runs / "some-run" / "checkpoints" / "best"
    if not path.is_dir():
        model = dashboard.tiny_model("match_projection", dista.data.open("match"))
        model.card = {"task": "match", "metrics": {}}
        dista.save(model, path)
    return "runs/some-run/checkpoints/best"


def probes(test):
    return [one for one in test.get("bidi_component") if one.proto.component_name == "dista_probe"]


def words(test):
    return " ".join(element.value for element in test.markdown)


def test_one_network_on_a_clean_and_a_noisy_input(page):
    test = page("compare", **MAP, noise="0.4")
    assert not test.exception and not test.error and not test.warning
    assert len(probes(test)) == 2
    checkpoint = checkpoints.shipped()["match-map"]
    clean = reruns.side(Side(checkpoint, dashboard.SAMPLE))
    noisy = reruns.side(Side(checkpoint, dashboard.SAMPLE, 0.4))
    task = dista.data.open("match")
    x, _ = evaluation.noisy(task.test, [dashboard.SAMPLE], 0.4)
    assert np.allclose(noisy["input"].values, x) and not np.allclose(clean["input"].values, x)
    apart = measures.spike_distance(clean, noisy)
    (drawn,) = shown(test)
    assert drawn == as_shown(figures.spike_distance(apart, step_labels=task.step_labels))
    for similarity in measures.map_similarity(clean, noisy):
        said = f"Block {similarity.block + 1}: {100 * similarity.raw:.0f} % before the denoiser"
        assert said in words(test)
    decided = [measures.decision(one) for one in (clean, noisy)]
    answers = [one.classes[one.answer] for one in decided]
    assert f"Left answers {answers[0]} (" in words(
        test
    ) and f"right answers {answers[1]} (" in words(test)


def test_two_networks_are_compared_layer_by_layer(page, run):
    test = page("compare", **MAP, right=run)
    assert not test.exception and not test.error and not test.warning
    assert test.number_input[1].value == 0.0  # no noise unless it is asked for
    sides = [Side(checkpoints.runnable()[name], dashboard.SAMPLE) for name in ("match-map", run)]
    tables = [measures.neuron_table(reruns.side(side)) for side in sides]
    expected = [figures.layer_pairs(*tables, of=of) for of in ("tau", "rate")]
    assert shown(test) == [as_shown(figure) for figure in expected]
    assert "some-run: match · projection memory" in words(test)


def test_the_right_side_sees_the_task_of_the_left(page, run):
    test = page("compare", **MAP, right="digits")
    assert not test.exception and not test.error
    left, right = test.selectbox
    assert right.value == "match-map" and len(left.options) == 3 and len(right.options) == 2
    left.set_value("digits").run()
    assert test.query_params["checkpoint"] == "digits" and test.selectbox[1].value == "digits"


def test_both_probes_are_of_one_group_and_only_the_one_that_leads_writes_the_link(page):
    test = page("compare", **MAP)
    for component in probes(test):
        assert b'"group":"compare"' in component.proto.bytes
    st.session_state["a-probe"] = {"state": {"step": 3, "following": True}}
    st.query_params.clear()
    url.remember_place("a-probe", checkpoint="match-map")
    assert dict(st.query_params) == {}
    st.session_state["a-probe"] = {"state": {"step": 3}}
    url.remember_place("a-probe", checkpoint="match-map")
    assert dict(st.query_params) == {"step": "4", "checkpoint": "match-map", "from": "1"}


@pytest.mark.parametrize("other", [False, True])
def test_the_code_on_the_page_reproduces_it(page, run, monkeypatch, other):
    query = {"right": run} if other else {"noise": "0.5"}
    test = page("compare", **MAP, **query, step="6", row="2", column="3")
    seen = []
    monkeypatch.setitem(
        vars(dista.widgets), "probe", lambda one, **place: seen.append((one, place))
    )
    made = ran(test.code[0].value)
    assert [as_shown(figure) for figure in made["figures"]] == shown(test)
    assert [place["step"] for _, place in seen] == [6, 6] and seen[1][1]["row"] == 2
    right = Side(checkpoints.runnable()[query.get("right", "match-map")], 11, 0.0 if other else 0.5)
    assert np.array_equal(seen[1][0]["head"].values, reruns.side(right)["head"].values)


# An own input -------------------------------------------------------------------------------------

LEVELS = np.zeros((28, 28), np.uint8)
LEVELS[4:24, 12:16] = 15
OWN = images.image_text(LEVELS)


def own_recordings(checkpoints, noise=0.0):
    """What each checkpoint does with the own digit as the probe, on the right with noise."""
    task = dista.data.open("match")
    x, _ = task.test.batch([dashboard.SAMPLE])
    probe_steps = [step for step, label in enumerate(task.step_labels) if label == "probe"]
    noise_of_task = task.test.noise_of(dashboard.SAMPLE)[probe_steps, None]
    x[probe_steps] = (torch.from_numpy(LEVELS / np.float32(15)) + noise_of_task).clamp(0, 1)
    noisy = corrupt(x, Noise("gaussian", noise), [dashboard.SAMPLE])
    return [
        dista.record(dista.load(one.path), picture, classes=task.classes)
        for one, picture in zip(checkpoints, (x, noisy))
    ]


def test_an_own_input_is_on_both_sides_with_noise_on_the_right(page):
    test = page("compare", **MAP, image=OWN, noise="0.4")
    assert not test.exception and not test.error and not test.warning
    checkpoint = checkpoints.shipped()["match-map"]
    pair = own_recordings([checkpoint] * 2, 0.4)
    apart = measures.spike_distance(*pair)
    labels = dista.data.open("match").step_labels
    assert shown(test) == [as_shown(figures.spike_distance(apart, step_labels=labels))]
    sample = reruns.side(Side(checkpoint, dashboard.SAMPLE))
    assert not np.array_equal(pair[0]["input"].values, sample["input"].values)
    decided = [measures.decision(one) for one in pair]
    answers = [one.classes[one.answer] for one in decided]
    (headline,) = [m.value for m in test.markdown if m.value.startswith("## Left")]
    assert (
        f"Left answers {answers[0]} (" in headline and f"right answers {answers[1]} (" in headline
    )
    assert "It is" not in headline, "nobody knows the label"


def test_two_networks_see_the_own_input_and_the_link_keeps_it(page, run):
    test = page("compare", **MAP, right=run, image=OWN)
    assert not test.exception and not test.error and not test.warning
    pair = own_recordings([checkpoints.runnable()[name] for name in ("match-map", run)])
    tables = [measures.neuron_table(one) for one in pair]
    expected = [figures.layer_pairs(*tables, of=of) for of in ("tau", "rate")]
    assert shown(test) == [as_shown(figure) for figure in expected]
    test.number_input[1].set_value(0.5).run()
    assert test.query_params["image"] == OWN and test.query_params["noise"] == "0.5"
    next(one for one in test.button if one.label == "Remove").click().run()
    assert "image" not in test.query_params and not test.exception and not test.error


def test_an_own_input_that_no_side_can_see_is_said_once(page):
    test = page("compare", **MAP, events="0123456789ab")
    said = "This checkpoint cannot see the own input. Showing the sample."
    assert test.warning[0].value == said and len(probes(test)) == 2


@pytest.mark.parametrize("other", [False, True])
def test_the_code_reproduces_an_own_input(page, run, monkeypatch, other):
    query = {"right": run} if other else {}
    test = page("compare", **MAP, **query, image=OWN, noise="0.4")
    monkeypatch.setitem(vars(dista.widgets), "probe", lambda one, **place: one)
    made = ran(test.code[0].value)
    assert [as_shown(figure) for figure in made["figures"]] == shown(test)
    both = [checkpoints.runnable()[name] for name in ("match-map", query.get("right", "match-map"))]
    for recording, expected in zip(made["probes"], own_recordings(both, 0.4)):
        assert np.array_equal(recording["input"].values, expected["input"].values)
        assert np.array_equal(recording["head"].values, expected["head"].values)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"checkpoint": "gone"}, "checkpoint='gone'; there are digits, match-map"),
        ({"noise": "loud"}, "noise='loud', which is not a number from 0 to 2"),
        ({"noise": "-1"}, "noise='-1', which is not a number from 0 to 2"),
        ({"sample": "99999"}, "There is no sample 99999"),
        ({"step": "x"}, "step='x', which is not a whole number"),
    ],
)
def test_a_bad_link_is_explained_and_a_view_is_shown_all_the_same(page, query, said):
    test = page("compare", **MAP | query)
    assert not test.exception and not test.error
    assert said in test.warning[0].value and len(probes(test)) == 2


def test_without_assets_the_page_says_which_command_makes_some(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    test = page("compare")
    assert not test.exception and not probes(test)
    assert "dista train" in test.markdown[1].value
