"""Under figures stand links that lead to what they show: the layer, the step, the run, on another page."""

from __future__ import annotations

import dashboard
import pytest

import dista
import dista.data
from app.computed import reruns
from app.computed.reruns import Side
from app.inputs import checkpoints
from app.link import vocabulary
from app.studies.options import best_of
from app.views import __path__ as views
from dista import measures
from dista.figures.training import furthest_layers
from dista.measures.comparison import layer_pairs
from dista.runs import Run, overview
from dista.style.labels import layer as short

RUN = "runs/some-run/checkpoints/best"
MAP = {"checkpoint": "match-map", "sample": str(dashboard.SAMPLE)}


@pytest.fixture
def trained(page, runs):
    """``trained(view, **query)``: a page with the menu, where a run has a checkpoint; its links by what they say."""
    path = runs / "some-run" / "checkpoints" / "best"
    if not path.is_dir():
        model = dashboard.tiny_model("match_projection", dista.data.open("match"))
        model.card = {"task": "match", "metrics": {}}
        dista.save(model, path)

    def open_page(view, **query):
        test = dashboard.main_page().run()
        for name in list(test.query_params):
            del test.query_params[name]
        for name, value in query.items():
            test.query_params[name] = value
        test = test.switch_page(f"{views[0]}/{view}.py").run()
        assert not test.exception and not test.error
        return {link.proto.label: said(link.proto) for link in test.get("page_link")}

    return open_page


def said(link):
    """The page that a link leads to, and what it says there, places counted from 0."""
    parts = (part.split("=") for part in link.query_string.split("&") if part)
    return link.page, vocabulary.read({name: value.replace("%2F", "/") for name, value in parts})


def one(links, words):
    """The page and the state of the only link with these words."""
    (found,) = (link for label, link in links.items() if words in label)
    return found


def test_where_two_inputs_part_most_is_looked_at_closely(trained):
    links = trained("compare", **MAP, noise="0.4")
    checkpoint = checkpoints.shipped()["match-map"]
    sides = [reruns.side(Side(checkpoint, dashboard.SAMPLE, noise)) for noise in (0.0, 0.4)]
    apart = measures.spike_distance(*sides)
    layer, step = apart.furthest
    assert apart.distance[apart.layers.index(layer), step] == apart.distance.max() > 0
    page, state = one(links, f"{short(layer)}, where most spikes differ, in Neurons")
    assert page == "neurons" and state.items() >= (MAP | {"layer": layer}).items()
    page, state = one(links, f"Step {step + 1}, where they do, in Memory")
    assert page == "memory" and state["changed"] == str(step)


def test_what_differs_most_between_two_networks_is_seen_in_both(trained):
    links = trained("compare", **MAP, right=RUN)
    sides = [Side(checkpoints.runnable()[name], dashboard.SAMPLE) for name in ("match-map", RUN)]
    tables = [measures.neuron_table(reruns.side(side)) for side in sides]
    pairs = layer_pairs(*tables, of="tau")
    layer = next(pair.layer for pair in pairs if pair.apart == max(one.apart for one in pairs))
    _, left = one(links, f"{short(layer)}, whose tau differs most, on the left")
    page, right = one(links, f"{short(layer)} on the right")
    assert page == "neurons" and left["layer"] == right["layer"] == layer
    assert (left["checkpoint"], right["checkpoint"]) == ("match-map", RUN)
    page, both = one(links, "Heads of both in Ablate")
    assert page == "ablate" and (both["each"], both["beside"]) == ("heads", RUN)


def test_the_curves_of_a_run_lead_to_the_layer_that_they_name(trained, runs):
    links = trained("train", run="some-run")
    run = Run(runs / "some-run")
    moved = furthest_layers(run.table("neurons"), "tau")
    found = [link for label, link in links.items() if "whose tau moved furthest" in label]
    assert [state["layer"] for _, state in found] == moved[:1]
    for words, page in (("its denoiser removes", "denoise"), ("its spikes cost", "energy")):
        assert one(links, words) == (page, {"checkpoint": RUN})
    assert one(links, "Beside other runs") == ("runs", {"selected": "some-run"})


def test_the_layers_that_moved_furthest_are_named_in_order():
    import small

    table = small.neurons()
    assert furthest_layers(table, "tau") == [small.LAYERS[2], small.LAYERS[1]]
    assert furthest_layers(table[table["epoch"] == 0], "tau") == []


def test_options_lead_to_the_best_run(tmp_path):
    dashboard.make_study(tmp_path / "tiny")
    runs = [Run(path) for path in sorted((tmp_path / "tiny" / "runs").iterdir())]
    table = overview.table([overview.summary(run) for run in runs], [run.status() for run in runs])
    assert best_of(table).endswith("memory=map,taus=fixed,seed=1")
