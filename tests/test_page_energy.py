"""The Energy page without a browser: its figures are the package's, for every quantity and stop."""

from __future__ import annotations

import numpy as np
import pytest
from dashboard import as_shown, ran, shown

from app.computed import experiments, models
from app.inputs import checkpoints, tasks
from dista import figures


@pytest.fixture
def digits(page):
    """The checkpoint ``digits`` as the page knows it."""
    return checkpoints.shipped()["digits"]


@pytest.mark.parametrize(
    ("query", "of", "stop"),
    [({}, "energy", 4), ({"quantity": "operations", "stop": "2"}, "operations", 2),
     ({"quantity": "spikes", "convention": "neurobench"}, "spikes", 4)],
)  # fmt: skip
def test_its_figures_are_the_packages(page, digits, query, of, stop):
    test = page("energy", checkpoint="digits", **query)
    assert not test.exception and not test.error and not test.warning
    done = []
    energy, anytime = experiments.operations(
        digits.weights, 25, done.append, query.get("convention", "accumulates")
    )
    assert done[-1] == 1 and energy.samples == anytime.samples == 25
    assert shown(test) == [
        as_shown(figures.energy_map(energy, of=of)),
        as_shown(figures.energy_comparison(energy)),
        as_shown(figures.anytime(anytime, stop=stop)),
    ]
    said = " ".join(element.value for element in test.markdown)
    assert any("Left out: the denoiser's comparisons" in element.value for element in test.caption)
    if stop == 4:
        assert ("multiply (NeuroBench)" in said) == ("convention" in query)
    assert ("Stopping after 2 steps of 4 saves" in said) == (stop == 2)


def test_batches_add_up_to_one_count(page, digits):
    from dista.experiments import operations

    energy, anytime = experiments.operations(digits.weights, 50, lambda share: None)
    x, _ = tasks.task("digits").test.batch(range(50))
    model = models.model(digits.weights)
    whole = operations.count(model, x)
    accumulates = whole["accumulates"].mean("batch").values
    np.testing.assert_allclose(energy.accumulates, accumulates, rtol=1e-3)  # rounding flips spikes
    assert energy.dense.shape == accumulates.shape and anytime.samples == 50


def test_the_code_on_the_page_reproduces_its_figures(page):
    test = page("energy", checkpoint="digits", quantity="spikes", stop="3")
    made = ran(test.code[0].value)
    assert [as_shown(figure) for figure in made["figures"]] == shown(test)


def test_the_machine_is_asked_where_the_link_says_so(page, digits):
    test = page("energy", checkpoint="digits", timed="open")
    assert not test.exception and not test.error and test.checkbox[-1].value
    times = experiments.layer_times(digits.weights, 25)
    *others, last = shown(test)
    assert last == as_shown(figures.layer_times(times)) and len(others) == 3
    made = ran(test.code[0].value)
    assert made["times"].layers == times.layers and len(made["figures"]) == 4
    np.testing.assert_allclose(made["times"].accumulates, times.accumulates, rtol=1e-3)
    test.checkbox[-1].uncheck().run()
    assert len(shown(test)) == 3


def test_what_cannot_be_timed_is_said_and_the_rest_is_shown(page, monkeypatch):
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    experiments.layer_times.clear()
    test = page("energy", checkpoint="digits", timed="open")
    assert not test.exception and len(shown(test)) == 3
    assert any(
        "Layers cannot be timed" in element.value for element in (*test.error, *test.warning)
    )


def test_the_slider_writes_the_stop_into_the_link(page):
    test = page("energy", checkpoint="match-map")
    assert not test.exception and not test.error
    assert test.slider[0].value == 8
    test.slider[0].set_value(6).run()
    assert test.query_params["stop"] == "6" and not test.exception


@pytest.mark.parametrize(
    "query, said",
    [
        ({"stop": "9"}, "cannot be read out after step 9: there are 1 to 4"),
        ({"samples": "7"}, "samples='7'; there are 25, 100"),
        ({"quantity": "joy"}, "quantity='joy'; there are energy, operations, spikes"),
        ({"convention": "mine"}, "convention='mine'; there are accumulates, neurobench, rate"),
    ],
)
def test_a_bad_link_is_explained_and_a_view_is_shown_all_the_same(page, query, said):
    test = page("energy", checkpoint="digits", **query)
    assert not test.exception and not test.error
    assert said in test.warning[0].value and len(shown(test)) == 3


def test_without_assets_the_page_says_which_command_makes_some(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page("energy")
    assert not test.exception and "dista train" in test.markdown[0].value
