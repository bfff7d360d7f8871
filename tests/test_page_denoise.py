"""The Denoise page without a browser: its figures are the package's, for noise and thresholds."""

from __future__ import annotations

import dashboard
import experiments
import pytest
import state
from dashboard import as_shown, shown

from dista import evaluation, figures, measures
from dista.corruption import Noise

QUERY = {"checkpoint": "digits", "sample": "3"}


@pytest.fixture
def digits(page):
    """The checkpoint ``digits`` as the page knows it."""
    return state.checkpoints()["digits"]


@pytest.mark.parametrize(
    ("query", "noise", "u"),
    [
        ({}, Noise("salt-and-pepper", 0.05), None),
        ({"noise": "occlusion", "level": "0.4", "u": "2"}, Noise("occlusion", 0.4), 2.0),
        ({"noise": "gaussian", "level": "0.3", "where": "centre", "u": "0"},
         Noise("gaussian", 0.3, "centre"), 0.0),
        ({"level": "0"}, Noise("salt-and-pepper", 0.0), None),
        ({"u": "8"}, Noise("salt-and-pepper", 0.05), 8.0),  # more than any count: nothing is kept
    ],
)  # fmt: skip
def test_its_figures_are_the_packages(page, digits, query, noise, u):
    test = page("denoise", **QUERY | query)
    assert not test.exception and not test.error and not test.warning
    clean, noisy = (
        experiments.noisy(digits, 3, None, it, u) for it in (noise._replace(level=0), noise)
    )
    change, received = measures.input_change(clean, noisy), measures.attention_received(noisy)
    assert shown(test) == [
        as_shown(figures.denoising(measures.denoising(noisy))),
        as_shown(figures.input_change(change, received)),
        as_shown(figures.patch_attention(received, change.patches)),
        as_shown(figures.map_similarity(measures.map_similarity(clean, noisy))),
    ]
    used = 1 if u is None else u
    for block in measures.denoising(noisy):
        assert block.mass_kept == sum(n * a for a, n in enumerate(block.before) if a > used)
    assert bool(change.patches.any()) == bool(noise.level)


def test_the_code_on_the_page_reproduces_its_figures(page):
    test = page("denoise", **QUERY, noise="occlusion", level="0.4", u="2")
    *lines, last = test.code[0].value.splitlines()
    made = {}
    exec("\n".join([*lines, f"figure = {last}"]), made)
    assert as_shown(made["figure"]) == shown(test)[0]
    change = figures.input_change(made["change"], made["received"])
    assert as_shown(change) == shown(test)[1]


def test_the_curve_is_what_evaluation_measures(page, digits, monkeypatch):
    monkeypatch.setitem(experiments.LEVELS, "gaussian", (0.0, 0.5))
    done = []
    curve = experiments.noise_curve(digits, Noise("gaussian", 0.1), [0, 3], 30, done.append)
    assert done == sorted(done) and done[-1] == 1 and len(done) == 2 * 4
    model, split = state.model(digits.path, state.changed(digits)), state.task("digits").test
    for i, u in enumerate((0, 3)):
        for j, level in enumerate((0.0, 0.5)):
            given = evaluation.answers(model, split, [f"u={u}"], noise=level, limit=30)
            assert curve.accuracy[i, j] == pytest.approx(given.accuracy)
    test = page("denoise", **QUERY, noise="gaussian", curve="50", thresholds="0,3")
    assert not test.exception and not test.error
    expected = experiments.noise_curve(digits, Noise("gaussian", 0.05), [0, 3], 50, done.append)
    assert shown(test)[4] == as_shown(figures.noise_curve(expected, own=1.0))


def test_thresholds_are_kept_in_the_link(page):
    test = page("denoise", **QUERY)
    pills = next(group for group in test.get("button_group") if group.label == "Thresholds u")
    assert pills.value == [0, 1, 3]
    pills.set_value([4, 0]).run()
    assert test.query_params["thresholds"] == "0,4"


def test_as_trained_takes_u_out_of_the_link(page):
    test = page("denoise", **QUERY, u="2")
    button = next(button for button in test.button if button.label == "As trained")
    assert not button.disabled
    button.click().run()
    assert "u" not in test.query_params and not test.exception
    assert next(button for button in test.button if button.label == "As trained").disabled


@pytest.mark.parametrize(
    "query, said",
    [
        ({"noise": "fog"}, "noise='fog'; there are salt-and-pepper"),
        ({"level": "2"}, "level='2', which is not a number from 0 to 1"),
        ({"u": "99"}, "There is no u = 99: counts of this model end at 8"),
        ({"thresholds": "1,x"}, "thresholds='1,x'; expected some of 0, 1, 2"),
        ({"where": "behind"}, "where='behind'; there are everywhere"),
    ],
)
def test_a_bad_link_is_explained_and_a_view_is_shown_all_the_same(page, query, said):
    test = page("denoise", **QUERY | query)
    assert not test.exception and not test.error
    assert said in test.warning[0].value and len(shown(test)) == 4


def test_memory_in_the_map(page):
    test = page("denoise", checkpoint="match-map", sample=str(dashboard.SAMPLE), where="left half")
    assert not test.exception and not test.error and len(shown(test)) == 4


def test_without_assets_the_page_says_which_command_makes_some(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page("denoise")
    assert not test.exception and "dista train" in test.markdown[0].value
