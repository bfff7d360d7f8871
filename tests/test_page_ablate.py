"""The Ablate page without a browser: its numbers are the package's, for every switch."""

from __future__ import annotations

import dashboard
import pytest
import streamlit as st
from dashboard import as_shown, ran, shown

import dista.data
from app.computed import reruns
from app.inputs import checkpoints
from app.link import switches
from dista import figures, measures
from dista.config import TrainingConfig
from dista.experiments import evaluation, one_by_one
from dista.figures.ablations import points
from dista.runs import Run
from dista.runs.differences import of_checkpoint

QUERY = {"checkpoint": "digits", "samples": "40"}


def changes(checkpoint, experiments, limit=40):
    """Without the page: what each experiment does to the answers."""
    model, split = dista.load(checkpoint.path), dista.data.open(checkpoint.task).test
    before = evaluation.answers(model, split, limit=limit)
    return {
        name: measures.paired_difference(
            before, evaluation.answers(model, split, switches, noise=noise, limit=limit)
        )
        for name, (switches, noise) in experiments.items()
    }


def test_the_difference_comes_first_and_each_switch_has_its_row(page):
    test = page("ablate", **QUERY, switches="memory,u=2,noise=0.4", together="open")
    assert not test.exception and not test.error and not test.warning
    experiments = {
        "All of it together": (("memory", "u=2"), 0.4),
        "Attention's memory: off": (("memory",), 0.0),
        "Denoiser: u = 2": (("u=2",), 0.0),
        "Noise in the input: 0.4": ((), 0.4),
    }
    results = changes(checkpoints.shipped()["digits"], experiments)
    assert shown(test)[0] == as_shown(figures.accuracy_changes(results))
    name, together = max(results.items(), key=lambda item: abs(item[1].difference))
    headline = next(m.value for m in test.markdown if ", the largest of 4 effects" in m.value)
    assert headline.startswith(
        f"## {name}, the largest of 4 effects: {points(together.difference)} points"
    )
    right = [round(share * 40) for share in (together.after, together.before)]
    assert f"{right[0]} instead of {right[1]} of 40 held-out samples" in headline
    links = " ".join(element.value for element in test.markdown)
    changed = [*together.lost[:12], *together.gained[:12]]
    assert changed and all(f"sample={sample})" in links for sample in changed)


def test_every_switch_of_the_page_is_one_of_the_package(small_config, small_model, small_input):
    """Heads, blocks and thresholds are those that the model has; each can be applied."""
    from dista.experiments.ablations import SWITCHES, changes

    config, one = small_config(), small_model()
    one.card = {"starting_taus": {"stem.stages.0.neuron": [2.0]}}
    offered = [text for row in switches.rows(config) for text in row.options]
    model = [text for text in offered if not text.startswith("noise=")]
    others = small_input(config, samples=1)
    assert all(changes([text], one, others) for text in model)
    model += [text for texts in one_by_one.parts(one).values() for text in texts]
    assert {text.partition("=")[0] for text in model} == set(SWITCHES)
    assert sum(text.startswith("head=") for text in offered) == config.depth * config.heads
    bare = [row.options for row in switches.rows(config, starting_taus=False)]
    assert not any("learned-taus" in options for options in bare), "the card has not kept them"
    without = [
        row.options for row in switches.rows(small_config(memory=dict(form="none", window=1)))
    ]
    assert not any("memory" in options for options in without)


def pills(test):
    return {group.proto.label: group for group in test.button_group}


def test_pills_write_the_link_and_exclude_each_other(page):
    test = page("ablate", **QUERY)
    assert pills(test)["Attention's memory"].value == "memory"
    pills(test)["Silent heads, block.head"].set_value(["head=0.1", "head=1.0"]).run()
    assert test.query_params["switches"] == "memory,head=1.2,head=2.1"
    pills(test)["Attention's memory"].set_value("window=2").run()
    assert test.query_params["switches"] == "window=2,head=1.2,head=2.1"
    assert len(shown(test)[0]["data"]) == 3 and not test.exception and not test.error
    together = next(box for box in test.checkbox if box.label == "Also all of it together")
    together.check().run()  # together only when it is asked for
    assert test.query_params["together"] == "open" and len(shown(test)[0]["data"]) == 4


def test_all_parts_of_a_kind_are_taken_away_in_one_click(page):
    test = page("ablate", **QUERY, switches="")
    pills(test)["One after another"].set_value("heads").run()
    assert test.query_params["each"] == "heads" and not test.exception and not test.error
    of_heads = {
        f"block {b + 1} head {h + 1}": ((f"head={b}.{h}",), 0.0) for b in (0, 1) for h in (0, 1)
    }
    checkpoint = checkpoints.shipped()["digits"]
    results = changes(checkpoint, of_heads)
    expected = figures.part_changes({checkpoint.title: results}, chance=0.1, what="head")
    assert shown(test)[0] == as_shown(expected)
    said = next(m.value for m in test.markdown if "than chance may" in m.value)
    worst = min(results.values(), key=lambda result: result.difference)
    assert f"{sum(one.high < 0 for one in results.values())} of 4 heads" in said
    assert points(worst.difference) in said
    (figure,) = ran(test.code[0].value)["figures"]
    (dots,) = (trace for trace in figure.data if trace.mode == "markers")
    assert sorted(dots.x) == sorted(100 * one.difference for one in results.values())


def test_with_nothing_taken_away_it_says_how_good_the_network_is(page):
    test = page("ablate", **QUERY, switches="")
    assert not test.exception and not shown(test)
    assert "Choose something to take away" in " ".join(m.value for m in test.markdown)


def test_stopping_makes_do_with_what_there_is(page, monkeypatch):
    """Stopped after the first batch: the button is there, and leads to what 25 samples say."""

    def halt(asked, limit, seen, so_far):
        seen(25)
        st.stop()

    with monkeypatch.context() as patch:
        patch.setattr(reruns, "answers", halt)
        test = page("ablate", **QUERY)
    assert "2 networks: 25 of 40 held-out samples" in test.get("progress")[0].proto.text
    test.button[0].click().run()
    assert test.query_params["samples"] == "25" and test.number_input[0].value == 25
    results = changes(
        checkpoints.shipped()["digits"], {"Attention's memory: off": (("memory",), 0.0)}, 25
    )
    assert shown(test)[0] == as_shown(figures.accuracy_changes(results))


def test_the_code_on_the_page_reproduces_the_figure(page):
    test = page("ablate", **QUERY, switches="neuron-memory,head=0.1,noise=0.2")
    (figure,) = ran(test.code[0].value)["figures"]
    assert as_shown(figure) == shown(test)[0]


@pytest.fixture
def family(tmp_path, monkeypatch, assets):
    """Runs of ``digits``: one with fixed taus, one that differs in two switches, one without a checkpoint."""
    task = dista.data.open("digits")
    model = dashboard.tiny_model("digits", task)
    model.card = {"task": "digits", "training": TrainingConfig().model_dump(), "metrics": {}}
    dista.save(model, tmp_path / "assets" / "digits")
    ours = of_checkpoint(tmp_path / "assets" / "digits")
    fixed = ours.model.replace(neuron=ours.model.neuron.replace(learn_tau=False))
    two = fixed.replace(denoiser=dict(kind="none"))
    for name, config in (("fixed", fixed), ("two", two), ("young", fixed)):
        run = Run.create(tmp_path / "runs" / name, ours.replace(model=config), {})
        if name != "young":
            other = dista.DISTA(config).eval()
            other.card = {"task": "digits", "metrics": {}}
            dista.save(other, run.checkpoint("best"))
    return tmp_path


def test_runs_that_differ_in_one_switch_are_measured_on_the_same_samples(page, family, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(family / "assets"))
    monkeypatch.setenv("DISTA_RUNS", str(family / "runs"))
    assert set(checkpoints.runnable()) == {
        "digits", *(f"runs/{name}/checkpoints/best" for name in ("fixed", "two")),
    }  # fmt: skip
    test = page("ablate", **QUERY)
    assert not test.exception and not test.error
    name = "neuron.learn_tau False, not True (fixed)"
    model, split = (
        dista.load(family / "assets" / "digits"),
        dista.data.open("digits").test,
    )
    other = dista.load(family / "runs" / "fixed" / "checkpoints" / "best")
    pair = [evaluation.answers(each, split, limit=40) for each in (model, other)]
    expected = figures.accuracy_changes({name: measures.paired_difference(*pair)})
    assert shown(test)[1] == as_shown(expected)


def test_where_the_card_says_too_little_there_is_nothing_to_compare_with(page):
    captions = " ".join(c.value for c in page("ablate", **QUERY).caption)
    assert "does not say on what and how it was trained" in captions


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"switches": "memory,head=7.0"}, "switches='head=8.1', which this model does not have"),
        ({"switches": "memory,window=2"}, "two switches for one part, attention's memory"),
        ({"samples": "0"}, "samples=0; there are 1 to 1000 held-out samples"),
        ({"checkpoint": "/etc"}, "checkpoint='/etc'; there are match-map, digits"),
    ],
)
def test_a_bad_link_is_explained_and_a_view_is_shown_all_the_same(page, query, said, monkeypatch):
    monkeypatch.setattr("dista.experiments.evaluation.BATCH", 300)
    test = page("ablate", **QUERY | query)
    assert not test.exception and not test.error
    assert said in test.warning[0].value and len(shown(test)) == 1


def test_without_assets_the_page_says_which_command_makes_some(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page("ablate")
    assert not test.exception and not shown(test)
    assert "dista train" in test.markdown[1].value
