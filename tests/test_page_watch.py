"""Watch without a browser: where it opens, what is changed, and the answers before and after."""

from __future__ import annotations

import numpy as np
import torch
from dashboard import as_shown, shown

import dista
from app.computed import recordings
from app.computed.recordings import Changes
from app.inputs import checkpoints
from dista import figures, measures

QUERY = {"checkpoint": "match-map", "sample": "4"}


def answer_of(text):
    """What a card of the playground says: the class and the per cent."""
    return text.strip("*").removeprefix(":orange[").strip("*]")


def test_it_opens_where_most_looks_at_the_cue_and_says_so(page):
    test = page(**QUERY)
    assert not test.exception and not test.error and not test.warning
    recording = recordings.record_input(checkpoints.shipped()["match-map"].weights, 4, None)
    cue = np.array([label == "cue" for label in recording.attrs["step_labels"]])
    looks = measures.attention_to(recording, cue)
    since = measures.decision(recording).first
    most = measures.rank_patches(looks, 1, since=since)[0]
    assert since == 6 and most.step >= since
    said = " ".join(m.value for m in test.markdown)
    where = f"step {most.step + 1}, row {most.row + 1}, column {most.column + 1}"
    even = most.total * looks[most.block].even[most.step]
    assert (
        f"Opened where attention to the cue is furthest beyond an even share: block {most.block + 1}"
        in said
    )
    counts = f"**{most.paid} of this patch's {most.total} counts**"
    assert f"{where}. {counts} go there; spread evenly, {even:.1f} would." in said
    first = next(button.label for button in test.button if button.key == "looker-0")
    assert first.endswith(
        f"{where}: {most.paid} of {most.total} counts, {most.paid - even:.1f} beyond"
    )
    place = most.block, most.head, most.step
    figure = figures.attention_grid(looks, to="the cue", place=place, since=since)
    assert shown(test)[0]["data"][0] == as_shown(figure)["data"][0]
    assert shown(test)[0]["layout"]["shapes"] == as_shown(figure)["layout"]["shapes"]
    code = test.code[0].value
    assert all(f"{name}={getattr(most, name)}" in code for name in ("block", "head", "step", "row"))


def test_what_is_changed_is_in_the_link_and_answers_stand_side_by_side(page):
    test = page(**QUERY, u="3", window="2", silent="0.1,1.0", noise="0.2", **{"tau-times": "2.0"})
    assert not test.exception and not test.error and not test.warning
    model, task = dista.load(checkpoints.shipped()["match-map"].path), dista.data.open("match")
    changes = Changes(3, 2, 2.0, "", ((0, 1), (1, 0)), 0.2)
    after = recordings.changed(checkpoints.shipped()["match-map"].weights, 4, None, changes)
    x, _ = task.test.batch([4])
    noise = dista.experiments.corruption.Noise("gaussian", 0.2)
    x = dista.experiments.corruption.corrupt(x, noise, [4], counts=task.test.unit == 1)
    make = dista.interventions
    plain = {
        "*.denoise": make.threshold(3), "blocks.*.attention.*": make.window(2),
        "*.tau": lambda module, inputs, output: 2 * output,
    }  # fmt: skip
    silent = {f"blocks.{b}.attention.denoise": make.silence(head=h) for b, h in changes.silent}
    with torch.inference_mode(), dista.intervene(model, plain | silent):
        expected = model.steps(x)
    assert np.array_equal(after["head"].values, expected.numpy())
    (heading,) = [m.value for m in test.markdown if m.value.startswith("## ")][:1]
    assert (
        heading == "## As it is changed, no patch pays more to the cue than even attention would."
    )
    before = recordings.record_input(checkpoints.shipped()["match-map"].weights, 4, None)
    said = [answer_of(m.value) for m in test.markdown]
    for one in map(measures.decision, (before, after)):
        sure = one.probabilities[-1, one.answer]
        assert f"{one.classes[one.answer]} {100 * sure:.0f} %" in said
    code = test.code[0].value
    made = {}
    exec(code[: code.index("\ndista.widgets.probe")], made)
    assert np.array_equal(made["recording"]["head"].values, expected.numpy())
    next(button for button in test.button if button.key == "reset").click().run()
    assert not {"u", "window", "silent", "noise", "tau-times"} & set(test.query_params)
    assert "nothing changed yet" in [m.value for m in test.markdown]
    neurons = next(group for group in test.button_group if "fire for" in group.proto.label)
    neurons.set_value("0").run()
    assert not test.exception and test.query_params["class"] == "0"
    assert "Over 64 held-out samples." in [c.value for c in test.caption]


def test_the_heading_is_of_the_network_as_it_is_changed(page):
    test = page(**QUERY, u="2")
    weights = checkpoints.shipped()["match-map"].weights
    after = recordings.changed(weights, 4, None, Changes(u=2))
    cue = np.array([label == "cue" for label in after.attrs["step_labels"]])
    since = measures.decision(after).first
    (most,) = measures.rank_patches(measures.attention_to(after, cue), 1, since=since)
    heading = next(m.value for m in test.markdown if m.value.startswith("## "))
    place = f"block {most.block + 1}, head {most.head + 1}, step {most.step + 1}"
    lead = "## As it is changed, attention to the cue is furthest beyond an even share"
    assert heading.startswith(f"{lead}: {place}, row {most.row + 1}")
    assert f"**{most.paid} of this patch's {most.total} counts**" in heading


def test_a_layer_that_is_not_there_is_said_by_the_names_on_the_screen(page):
    test = page(**QUERY, layer="blocks.9.attention.neuron", **{"class": "0"})
    assert not test.exception and not test.error
    (said,) = (one.value.replace("\\", "") for one in test.warning)
    assert "layer='blocks.9.attention.neuron'; there are stem 1" in said
    assert "1 Q, 1 K" in said and said.endswith("Showing 2 MLP output.")
    assert "Over 64 held-out samples." in [c.value for c in test.caption]
