"""The Denoise page without a browser: its figures are the package's, for noise and thresholds."""

from __future__ import annotations

import dashboard
import numpy as np
import pytest
from dashboard import as_shown, ran, shown

import dista
from app.computed import experiments, models
from app.denoising import curve
from app.inputs import checkpoints, tasks
from dista import figures, measures
from dista.config import DenoiserConfig
from dista.experiments import evaluation
from dista.experiments.corruption import Noise
from dista.experiments.painting import FULL, paint_text
from dista.figures.ablations import points

QUERY = {"checkpoint": "digits", "sample": "3"}
MARKS = np.zeros((28, 28), np.uint8)
MARKS[3:6, 10:20] = FULL
PAINT = paint_text(MARKS)


@pytest.fixture
def digits(page):
    """The checkpoint ``digits`` as the page knows it."""
    return checkpoints.shipped()["digits"]


@pytest.mark.parametrize(
    ("query", "noise", "u"),
    [
        ({}, Noise("salt-and-pepper", 0.3, "centre"), None),
        ({"kind": "occlusion", "level": "0.4", "u": "2"}, Noise("occlusion", 0.4, "centre"), 2),
        dashboard.slow({"kind": "gaussian", "level": "0.3", "where": "centre", "u": "0"},
                       Noise("gaussian", 0.3, "centre"), 0),
        dashboard.slow({"level": "0"}, Noise("salt-and-pepper", 0.0), None),
        dashboard.slow({"where": "everywhere", "u": "8"}, Noise("salt-and-pepper", 0.3), 8),  # nothing is kept
        ({"kind": "painted", "paint": PAINT}, Noise("painted", 1.0, paint=PAINT), None),
    ],
)  # fmt: skip
def test_its_figures_are_the_packages(page, digits, query, noise, u):
    test = page("denoise", **QUERY | query)
    assert not test.exception and not test.error and not test.warning
    clean, noisy = (
        experiments.noisy(digits.weights, 3, None, it, u) for it in (noise._replace(level=0), noise)
    )
    change, received = measures.input_change(clean, noisy), measures.attention_received(noisy)
    without = measures.attention_received(clean)
    looks = measures.attention_to(noisy, np.repeat(change.patches[None], 4, 0))
    lookers = [as_shown(figures.attention_grid(looks, to="corrupted patches"))]
    assert shown(test) == [
        as_shown(figures.input_change(change, received)),
        as_shown(figures.patch_attention(received, change.patches, clean=without)),
        as_shown(figures.map_similarity(measures.map_similarity(clean, noisy))),
    ] + lookers * bool(change.patches.any() and not change.patches.all())
    used = 1 if u is None else u
    for block in measures.denoising(noisy):
        assert block.mass_kept == sum(n * a for a, n in enumerate(block.before) if a > used)
    assert bool(change.patches.any()) == bool(noise.level)


# One step ---------------------------------------------------------------------------------------

MATCH = {"checkpoint": "match-map", "sample": str(dashboard.SAMPLE)}
AT_STEP = [
    ({"kind": "occlusion", "level": "0.4"}, Noise("occlusion", 0.4, "centre", step=6)),
    ({"kind": "painted", "paint": PAINT}, Noise("painted", 1.0, paint=PAINT, step=6)),
]


def steps(test):
    return next((box for box in test.selectbox if box.label == "Steps"), None)


@pytest.mark.parametrize(("query", "noise"), AT_STEP)
def test_noise_can_be_at_one_step_only(page, query, noise):
    test = page("denoise", **MATCH, **query, changed="6")
    assert not test.exception and not test.error and not test.warning
    checkpoint, at = checkpoints.shipped()["match-map"], {"step": 6}
    clean, noisy = (
        experiments.noisy(checkpoint.weights, dashboard.SAMPLE, None, it, None)
        for it in (None, noise)
    )
    before, after = (tree["input"].values for tree in (clean, noisy))
    assert [bool((a != b).any()) for a, b in zip(before, after)] == [step == 6 for step in range(8)]
    change = measures.input_change(clean, noisy, **at)
    received = measures.attention_received(noisy, **at)
    assert shown(test)[0] == as_shown(figures.input_change(change, received))
    assert any(
        "corrupted patches of step 7 the denoiser" in element.value for element in test.markdown
    )
    made = ran(test.code[0].value)
    assert np.array_equal(made["after"]["input"].values, after)
    assert as_shown(figures.input_change(made["change"], made["received"])) == shown(test)[0]


def test_the_step_is_chosen_where_the_input_has_steps_and_kept_in_the_link(page):
    test = page("denoise", **MATCH)
    assert steps(test).value == "all" and len(steps(test).options) == 9
    assert steps(test).options[7] == "step 7 (probe) only" and "step=" not in test.code[0].value
    everywhere = shown(test)[0]
    steps(test).set_value("6").run()
    assert test.query_params["changed"] == "7" and shown(test)[0] != everywhere
    assert not test.exception and not test.error
    test = page("denoise", **QUERY, changed="2")  # a still image: there is nothing to choose
    assert steps(test) is None and not test.warning and not test.error


def test_the_brush_knows_the_step(page):
    def brush(test):
        return next(
            b for b in test.get("bidi_component") if b.proto.component_name == "dista_brush"
        )

    assert b'"step":6' in brush(page("denoise", **MATCH, kind="painted", changed="6")).proto.bytes
    assert b'"step":null' in brush(page("denoise", **MATCH, kind="painted")).proto.bytes


def test_the_curve_is_of_the_step(page, monkeypatch):
    monkeypatch.setitem(experiments.LEVELS, "gaussian", (0.0, 0.5))
    noise, checkpoint = Noise("gaussian", 0.3, "centre", step=1), checkpoints.shipped()["match-map"]
    measured = experiments.noise_curve(checkpoint.weights, noise, [1], 50, lambda share: None)
    model, split = models.model(checkpoint.weights), tasks.task("match").test
    answers = evaluation.answers(model, split, ["u=1"], noise=noise._replace(level=0.5), limit=50)
    assert measured.accuracy[0, 1] == pytest.approx(answers.accuracy)
    query = {"kind": "gaussian", "changed": "1", "samples": "50", "thresholds": "1"}
    test = page("denoise", **MATCH, **query)
    assert not test.exception and not test.error
    assert shown(test)[4] == as_shown(figures.noise_curve(measured, own=1.0))
    assert any("noise, centre, at step 2 only" in element.value for element in test.markdown)


# Code and curve ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "noise"),
    [
        ({"kind": "occlusion", "level": "0.4"}, Noise("occlusion", 0.4, "centre")),
        ({"kind": "painted", "paint": PAINT}, Noise("painted", 1.0, paint=PAINT)),
    ],
)
def test_the_code_on_the_page_reproduces_its_figures(page, digits, query, noise):
    test = page("denoise", **QUERY, **query, u="2")
    drawn = [as_shown(figure) for figure in ran(test.code[0].value)["figures"]]
    noisy = experiments.noisy(digits.weights, 3, None, noise, 2)
    assert drawn == [*shown(test)[:4], as_shown(figures.denoising(measures.denoising(noisy)))]


def test_the_curve_is_what_evaluation_measures(page, digits, monkeypatch):
    monkeypatch.setitem(experiments.LEVELS, "gaussian", (0.0, 0.5))
    done = []
    measured = experiments.noise_curve(
        digits.weights, Noise("gaussian", 0.1), [0, 3], 30, done.append
    )
    assert done == sorted(done) and done[-1] == 1 and len(done) == 2 * 4
    model, split = models.model(digits.weights), tasks.task("digits").test
    for i, u in enumerate((0, 3)):
        for j, level in enumerate((0.0, 0.5)):
            answers = evaluation.answers(model, split, [f"u={u}"], noise=level, limit=30)
            assert measured.accuracy[i, j] == pytest.approx(answers.accuracy)
    test = page("denoise", **QUERY, kind="gaussian", samples="50", thresholds="0,3")
    assert not test.exception and not test.error
    asked = Noise("gaussian", 0.3, "centre")
    expected = experiments.noise_curve(digits.weights, asked, [0, 3], 50, done.append, 1.0)
    assert shown(test)[4] == as_shown(figures.noise_curve(expected, own=1.0))
    assert shown(test)[5] == as_shown(figures.noise_differences(expected))
    assert expected.unit == "standard deviation per pixel" and 0 < expected.added[1] < 0.5 / 2
    found = experiments.likeness(digits.weights, asked, None, 16)
    said = f"in {found.less} of 16 samples: a mean cosine of {found.denoised:.2f} against {found.raw:.2f}"
    (maps,) = [m.value for m in test.markdown if m.value.startswith("**The maps.**")]
    assert said in maps
    assert not any("**The answers.**" in m.value for m in test.markdown), "u = 1 is not among them"


def test_maps_and_answers_are_two_questions():
    """Where maps do not become cleaner and u = 1 answers more, both are said, with the same samples' interval."""
    levels = {0.0: (40, 44), 0.5: (20, 29)}  # of 50: right with u = 0, and with u = 1
    label = np.zeros(50, int)
    joined = {
        (u, level): measures.Answers((np.arange(50) >= right[u]).astype(int), label)
        for level, right in levels.items()
        for u in (0, 1)
    }
    result = measures.noise_curve("gaussian", (0, 1), tuple(levels), joined, 1)
    said = curve.answers(result, 1, 0.4)
    assert said.startswith("At level 0.5 58 % are correct with u = 1 and 40 % with u = 0")
    pair = measures.paired_difference(joined[0, 0.5], joined[1, 0.5])
    assert (
        f"{points(pair.difference)} points" in said
        and "another question than that of the maps" in said
    )
    assert curve.answers(result, 2, 0.4) == curve.answers(result, None, 0.4) == ""
    worse = experiments.Likeness(12, 16, 0.7, 0.6)
    assert "does not make these maps cleaner" in curve.likeness(worse)


def test_no_samples_are_never_called_0(page):
    for view, query in (
        ("denoise", QUERY),
        ("memory", {"checkpoint": "match-map", "samples": "0"}),
    ):
        test = page(view, **query)
        (group,) = [one.proto for one in test.button_group if one.proto.label == "Held-out samples"]
        assert group.options[0].content == "none"


def test_what_is_removed_without_noise_stands_beside_it(page, digits):
    test = page("denoise", **QUERY)
    clean, noisy = (
        experiments.noisy(digits.weights, 3, None, it, None)
        for it in (None, Noise("salt-and-pepper", 0.3, "centre"))
    )
    patches = measures.input_change(clean, noisy).patches
    removed = [
        measures.patch_attention(measures.attention_received(tree)[0], patches).removed
        for tree in (noisy, clean)
    ]
    said = (
        f"Of the attention to corrupted patches the denoiser of block 1 removes {100 * removed[0]:.0f} %. Without noise "
        f"it removes {100 * removed[1]:.0f} % of the attention to the same patches"
    )
    assert any(said in element.value for element in test.markdown)


def test_likeness_is_counted_over_samples(page, digits):
    noise = Noise("gaussian", 0.3)
    found = experiments.likeness(digits.weights, noise, None, 5)
    model, split = models.model(digits.weights), tasks.task("digits").test
    trees = [
        dista.record(model, x, ["*.scores", "*.denoise"])
        for x in (split.batch(range(5))[0], evaluation.noisy(split, range(5), noise)[0])
    ]
    each = np.array(
        [
            [(b.raw, b.denoised) for b in measures.map_similarity(*trees, sample)]
            for sample in range(5)
        ]
    ).mean(1)
    assert (found.less, found.samples) == ((each[:, 1] < each[:, 0]).sum(), 5)
    assert (found.raw, found.denoised) == pytest.approx(each.mean(0))


def test_no_threshold_is_called_trained_where_the_denoiser_is_a_table(page, monkeypatch, tmp_path):
    monkeypatch.setitem(experiments.LEVELS, "gaussian", (0.0, 0.5))
    model = dashboard.tiny_model(
        "digits", dista.data.open("digits"), denoiser=DenoiserConfig(kind="lookup")
    )
    model.name, model.card = "table", {"name": "table", "task": "digits"}
    dista.save(model, tmp_path / "table")
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page("denoise", checkpoint="table", kind="gaussian", samples="50", thresholds="0,1")
    assert not test.exception and not test.error
    assert [line["name"] for line in shown(test)[4]["data"]] == ["u = 0", "u = 1"]


def test_thresholds_are_kept_in_the_link(page):
    test = page("denoise", **QUERY)
    pills = next(group for group in test.get("button_group") if group.label == "Thresholds u")
    assert pills.value == [0, 1, 3]
    pills.set_value([4, 0]).run()
    assert test.query_params["thresholds"] == "0,4"


def test_it_opens_with_an_answer(page):
    test = page("denoise")
    said = [element.value for element in test.markdown]
    assert any("Of the attention to corrupted patches the denoiser" in text for text in said)


def test_the_brush_is_there_to_paint_and_what_has_no_level_has_no_curve(page):
    test = page("denoise", **QUERY, kind="painted")
    assert not test.exception and not test.warning
    assert (
        len(test.get("bidi_component")) == len(page("denoise", **QUERY).get("bidi_component")) + 1
    )
    said = " ".join(element.value for kind in (test.markdown, test.caption) for element in kind)
    assert "Paint on the input" in said and "no curve of accuracy" in said
    groups = [group.proto.label for group in test.get("button_group")]
    assert groups == ["One after another"] and not test.slider  # neither thresholds nor samples


@pytest.mark.parametrize(
    "query, said",
    [
        ({"kind": "fog"}, "kind='fog'; there are salt-and-pepper"),
        dashboard.slow({"level": "2"}, "level='2', which is not a number from 0 to 1"),
        ({"u": "99"}, "There is no u = 99: counts of this model end at 8"),
        dashboard.slow({"thresholds": "1,x"}, "thresholds='1,x'; expected some of 0, 1, 2"),
        dashboard.slow({"u": "-1"}, "u='-1', which is not a whole number"),
        dashboard.slow({"where": "behind"}, "where='behind'; there are everywhere"),
        ({"kind": "painted", "paint": "AAAA"}, "a painting that cannot be shown: the painting is"),
    ],
)
def test_a_bad_link_is_explained_and_a_view_is_shown_all_the_same(page, query, said):
    test = page("denoise", **QUERY | query)
    assert not test.exception and not test.error
    assert said in test.warning[0].value
    looked_at = query.get("kind") != "painted"  # without noise nothing is there to be looked at
    assert len(shown(test)) == 3 + looked_at


def test_a_step_that_is_not_there_is_explained(page):
    test = page("denoise", **MATCH, changed="8")
    assert not test.exception and not test.error and steps(test).value == "all"
    assert "changed='9'; there are all, 1, 2" in test.warning[0].value


def test_memory_in_the_map(page):
    test = page("denoise", checkpoint="match-map", sample=str(dashboard.SAMPLE), where="left half")
    assert not test.exception and not test.error and len(shown(test)) == 4
    assert "corrupted patches" in str(shown(test)[3])


def test_without_assets_the_page_says_which_command_makes_some(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path))
    test = page("denoise")
    assert not test.exception and "dista train" in test.markdown[0].value
