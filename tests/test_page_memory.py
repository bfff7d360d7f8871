"""The Memory page without a browser: its matrices and its close look are the package's."""

from __future__ import annotations

import dashboard
import pytest
from dashboard import as_shown, ran, shown

from app.computed import reruns
from app.inputs import checkpoints, tasks
from app.page import charts
from dista import figures, measures

SWITCHES = {
    "As trained": (),
    "Without neuron memory": ("neuron-memory",),
    "Without attention's memory": ("memory",),
    "Without both": ("memory", "neuron-memory"),
}
MAP = {"checkpoint": "match-map", "sample": str(dashboard.SAMPLE)}
LAYER = "blocks.0.mlp.hidden.neuron"


def expected_matrices(checkpoint, other, of, step):
    """Without the page: the effects in each network, drawn on one scale."""
    results = {
        name: reruns.effects(checkpoint.weights, dashboard.SAMPLE, other, switches)[of]
        for name, switches in SWITCHES.items()
    }
    largest = max(result.largest for result in results.values())
    labels = tasks.task(checkpoint.task).step_labels
    return [
        figures.causal_memory(r, subject=name, largest=largest, step=step, step_labels=labels)
        for name, r in results.items()
    ]


@pytest.mark.parametrize(
    ("query", "other", "of", "step"),
    [
        ({}, None, "head", 0),
        ({"input": "other", "other": "3", "changed": "2"}, 3, "head", 2),
        dashboard.slow(
            {"compared": "blocks.1.attention.denoise", "changed": "7"},
            None,
            "blocks.1.attention.denoise",
            7,
        ),
        dashboard.slow({"compared": f"{LAYER}.membrane"}, None, f"{LAYER}.membrane", 0),
    ],
)
def test_matrices_are_the_packages(page, query, other, of, step):
    test = page("memory", **MAP, **query)
    assert not test.exception and not test.error and not test.warning
    expected = expected_matrices(checkpoints.shipped()["match-map"], other, of, step)
    for drawn, figure in zip(shown(test)[:4], expected, strict=True):
        assert drawn == as_shown(charts.clickable(figure))


def test_a_close_look_at_one_change_in_one_network(page):
    test = page("memory", **MAP, changed="3", network="neurons", layer=LAYER)
    checkpoint = checkpoints.shipped()["match-map"]
    tree = reruns.changed_steps(
        checkpoint.weights, dashboard.SAMPLE, None, ("neuron-memory",), LAYER
    )
    neuron = measures.most_changed(tree, LAYER, 3)
    labels = tasks.task("match").step_labels
    traces = [measures.membrane_trace(tree, LAYER, neuron, side) for side in (0, 4)]
    decision, membrane, attention = shown(test)[4:7]
    assert membrane == as_shown(figures.membrane_change(*traces, step_labels=labels))
    decisions = [measures.decision(tree, side) for side in (0, 4)]
    assert decision == as_shown(figures.decision_change(*decisions, step_labels=labels))
    sides = [[measures.attention_over_time(tree, b, sample=s) for b in (0, 1)] for s in (0, 4)]
    assert attention == as_shown(figures.attention_change(*sides))


@pytest.mark.parametrize(
    ("name", "kind"), [("match-map", "attention_over_time"), ("digits", "lag_contributions")]
)
def test_attention_gives_its_own_account(page, name, kind):
    test = page("memory", checkpoint=name, sample="3")
    assert not test.exception and not test.error and not test.warning
    tree = reruns.own_account(checkpoints.shipped()[name].weights, 3)
    labels = tasks.task(checkpoints.shipped()[name].task).step_labels
    for block, drawn in enumerate(shown(test)[7:9]):
        result = getattr(measures, kind)(tree, block)
        assert drawn == as_shown(getattr(figures, kind)(result, step_labels=labels))


def test_the_code_on_the_page_makes_the_matrices(page):
    test = page("memory", **MAP, input="other", other="3", changed="2")
    made = ran(test.code[0].value)
    for drawn, figure in zip(shown(test)[:4], made["matrices"], strict=True):
        assert drawn == as_shown(charts.clickable(figure))


def test_controls_write_the_link(page):
    test = page("memory", **MAP)
    test.button_group[0].set_value("other").run()
    assert test.query_params["input"] == "other" and test.number_input[1].value == 12
    test.button_group[1].set_value(4).run()
    assert test.query_params["changed"] == "5"
    assert not test.exception and not test.error and not test.warning


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            {"compared": "gone"},
            "compared='gone'; there are the logits, the attention map of block 1",
        ),
        ({"changed": "8"}, "There is no step 9: the steps are 1 to 8"),
        ({"input": "swap"}, "input='swap'; there are blank, other"),
        ({"input": "other", "other": "99999"}, "There is no sample 99999"),
        ({"network": "none"}, "network='none'; there are trained"),
        ({"layer": "stem"}, "layer='stem'; there are stem 1, stem"),
    ],
)
def test_a_bad_link_is_explained_and_a_view_is_shown_all_the_same(page, query, said):
    test = page("memory", **MAP | query)
    assert not test.exception and not test.error
    assert said in test.warning[0].value and len(shown(test)) >= 7


def test_without_assets_the_page_says_which_command_makes_some(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page("memory")
    assert not test.exception and not shown(test)
    assert any("dista train" in element.value for element in test.markdown)
