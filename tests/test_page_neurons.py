"""The Neurons page without a browser: its figures are the package's, for every surgery."""

from __future__ import annotations

import dashboard
import pytest
from dashboard import alike, as_shown, ran, shown

import dista
from app.computed import experiments
from app.computed.experiments import Surgery
from app.inputs import checkpoints
from dista import figures, measures

LAYER = "blocks.1.attention.key.neuron"
QUERY = {"checkpoint": "digits", "sample": "3", "layer": LAYER}


def values(tree, layer, part):
    return tree[f"{layer.replace('.', '/')}/{part}"].values


@pytest.fixture
def digits(page):
    """The checkpoint ``digits`` as the page knows it."""
    return checkpoints.shipped()["digits"]


def test_without_a_surgery_it_shows_what_was_learned(page, digits):
    test = page("neurons", **QUERY, channel="3", row="1", column="2")
    assert not test.exception and not test.error and not test.warning
    tree = experiments.operated(digits.weights, 3, None)
    expected = [
        figures.raster(measures.raster(tree, LAYER)),
        figures.membrane(measures.membrane_trace(tree, LAYER, (3, 1, 2))),
    ]
    raster, membrane, histogram, firing, taus = shown(test)
    assert raster["data"][0] == as_shown(expected[0])["data"][0]  # and points to click on
    assert membrane == as_shown(expected[1])
    counts = measures.membrane_histogram(tree, LAYER)
    slope = experiments.slope(tree, counts)
    assert histogram == as_shown(figures.membrane_histogram(counts, slope=slope))
    population = experiments.population(digits.weights, 64)
    assert population.samples == 64 and firing == as_shown(figures.firing_map(population))
    rows = measures.neuron_table(tree)
    assert taus == as_shown(figures.taus(rows, start=digits.starting_taus))
    assert any("learned tau = 2.0, from 2.0 at the" in element.value for element in test.markdown)


def test_what_was_not_kept_or_not_learned_is_said(page, assets, tmp_path, monkeypatch):
    model = dista.load(assets / "digits")
    del model.card["starting_taus"]
    dista.save(model, tmp_path / "digits")
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page("neurons", **QUERY, taus="initial")
    assert any("(that of the start was not kept)" in element.value for element in test.markdown)
    assert any("before training were not kept" in element.value for element in test.caption)
    assert any("taus" in warning.value for warning in test.warning), "a link cannot ask for them"


@pytest.mark.parametrize(
    ("query", "surgery"),
    [
        ({"taus": "set", "tau": "1.5"}, Surgery("set", LAYER, 1.5)),
        ({"taus": "set", "tau": "1.5", "scope": "all"}, Surgery("set", None, 1.5)),
        ({"taus": "initial"}, Surgery("initial", LAYER, 2.0)),
        ({"taus": "match-map", "scope": "all"}, Surgery("match-map", None, 2.0)),
    ],
)
def test_a_surgery_is_seen_in_membrane_spikes_attention_and_answer(page, digits, query, surgery):
    test = page("neurons", **QUERY, **query, channel="3", row="1", column="2")
    assert not test.exception and not test.error and not test.warning
    before = experiments.operated(digits.weights, 3, None)
    after = experiments.operated(digits.weights, 3, None, surgery)
    pair, drawn = (before, after), shown(test)
    traces = [measures.membrane_trace(tree, LAYER, (3, 1, 2)) for tree in pair]
    assert drawn[2] == as_shown(figures.membrane_change(*traces))
    assert drawn[3] == as_shown(figures.firing_change(*map(measures.firing_map, pair)))
    sides = [[measures.attention_over_time(t, b, sample=0) for b in (0, 1)] for t in pair]
    assert drawn[4] == as_shown(figures.attention_change(*sides))
    assert drawn[5] == as_shown(figures.decision_change(*map(measures.decision, pair)))
    scope = [layer for layer in measures.layers(after) if surgery.layer in (None, layer)]
    for layer in measures.layers(after):
        tau = 1.5 if surgery.kind == "set" and layer in scope else 2.0
        assert values(after, layer, "tau") == pytest.approx(tau)


def test_the_code_on_the_page_reproduces_the_figure(page, digits):
    for query in (
        {},
        {"taus": "set", "tau": "1.5"},
        {"taus": "match-map", "scope": "all"},
        {"taus": "match-map"},
    ):
        test = page("neurons", **QUERY, **query)
        drawn = [as_shown(figure) for figure in ran(test.code[0].value)["figures"]]
        on_page = shown(test)
        assert alike(drawn[1], on_page[1]) and (not query or alike(drawn[2], on_page[2]))
        assert drawn[0]["layout"]["title"] == on_page[0]["layout"]["title"]


def test_the_taus_of_a_donor_are_those_that_both_have(page, digits):
    model = dista.load(digits.path)
    layer = dict(model.named_modules())[f"{LAYER}.tau"]
    changes = experiments.changes(Surgery("match-map", LAYER), model)
    assert list(changes) == [f"{LAYER}.tau"] and layer().item() == pytest.approx(2.0)
    with pytest.raises(ValueError, match="has no layer blocks"):
        experiments.changes(Surgery("match-map", "blocks.7.attention.key.neuron"), model)


@pytest.mark.parametrize(
    "query, said",
    [
        ({"layer": "blocks.9"}, "layer='blocks.9'; there are stem 1, stem"),
        ({"tau": "nan", "taus": "set"}, "tau='nan', which is not a number from 1 to 20"),
        ({"taus": "gone"}, "taus='gone'; there are learned"),
        ({"neuron-row": "99"}, "There is no row 100: 1 to 7 are there"),
    ],
)
def test_a_bad_link_is_explained_and_a_view_is_shown_all_the_same(page, query, said):
    test = page("neurons", **QUERY | query)
    assert not test.exception and not test.error
    assert said in test.warning[0].value and len(shown(test)) >= 5


def test_memory_in_the_map_has_labelled_steps(page):
    test = page("neurons", checkpoint="match-map", sample=str(dashboard.SAMPLE))
    assert not test.exception and not test.error
    assert "probe" in str(shown(test)[1]["layout"]["xaxis2"]["ticktext"])


def test_without_assets_the_page_says_which_command_makes_some(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page("neurons")
    assert not test.exception and "dista train" in test.markdown[0].value
