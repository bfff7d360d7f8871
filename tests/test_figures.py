"""Every figure in one table: valid, described, numpy-backed, in both themes; and what is true of all of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
import small

from dista import figures, measures
from dista.figures.theme import palette, short, text_on
from dista.measures import (
    AttentionSplit,
    EventFrames,
    MapSimilarity,
    SpikeDistance,
)

FIGURES = {
    "filmstrip": lambda t: figures.filmstrip(small.key_maps(), theme=t),
    "filmstrip, labelled": lambda t: figures.filmstrip(
        small.key_maps(), step_labels=small.LABELS, theme=t
    ),
    "filmstrip, raw alone": lambda t: figures.filmstrip(
        replace(small.key_maps(), denoised=None, removed=None), theme=t
    ),
    "attention_split": lambda t: figures.attention_split(measures.split(small.key_maps()), theme=t),
    "attention_split of nothing": lambda t: figures.attention_split(
        AttentionSplit(0.0, 0.0, 0.0, 0.0, "kept"), theme=t
    ),
    "attention_over_time": lambda t: figures.attention_over_time(
        small.over_time(), step_labels=small.LABELS, theme=t
    ),
    "lag_contributions": lambda t: figures.lag_contributions(small.lags(), theme=t),
    "causal_memory": lambda t: figures.causal_memory(
        small.causal(), subject="As trained", step=1, step_labels=small.LABELS, theme=t
    ),
    "cue_effects": lambda t: figures.cue_effects(small.cues(), theme=t),
    "causal_memory, of a map": lambda t: figures.causal_memory(
        small.causal("blocks.0.attention.denoise"), theme=t
    ),
    "causal_memory, of a membrane": lambda t: figures.causal_memory(
        small.causal("blocks.0.attention.query.neuron.membrane"), theme=t
    ),
    "chance_levels": lambda t: figures.chance_levels(small.by_chance(), theme=t),
    "event_frames": lambda t: figures.event_frames(small.events(), theme=t),
    "event_frames of nothing": lambda t: figures.event_frames(
        EventFrames(np.zeros((2, 3, 4)), np.zeros((2, 3, 4))), theme=t
    ),
    "patch_totals": lambda t: figures.patch_totals(small.patch_totals(), theme=t),
    "accuracy_changes": lambda t: figures.accuracy_changes(small.changes(), theme=t),
    "attention_grid": lambda t: figures.attention_grid(
        small.looked(), to="the cue", place=(1, 1, 2), step_labels=small.LABELS[:3], theme=t
    ),
    "part_changes": lambda t: figures.part_changes(
        small.part_changes(), chance=0.5, what="head", theme=t
    ),
    "part_changes, of two models": lambda t: figures.part_changes(
        small.part_changes("map", "projection"), theme=t
    ),
    "seed_accuracies": lambda t: figures.seed_accuracies(small.of_seeds(), theme=t),
    "event_statistics": lambda t: figures.event_statistics(small.cameras(), theme=t),
    "seed_curves": lambda t: figures.seed_curves(small.seed_curves(), theme=t),
    "seed_differences": lambda t: figures.seed_differences(small.seed_changes(), theme=t),
    "run_curves": lambda t: figures.run_curves(small.curves(), theme=t),
    "parallel_runs": lambda t: figures.parallel_runs(small.swept_runs(), theme=t),
    "option_importance": lambda t: figures.option_importance(small.importance(), theme=t),
    "spike_distance": lambda t: figures.spike_distance(
        small.apart(), step_labels=small.LABELS, theme=t
    ),
    "spike_distance of nothing": lambda t: figures.spike_distance(
        SpikeDistance(small.LAYERS, np.zeros((3, 5))), theme=t
    ),
    "layer_pairs": lambda t: figures.layer_pairs(small.rows(), small.rows()[1:], theme=t),
    "layer_pairs, taus": lambda t: figures.layer_pairs(
        small.rows(), [replace(row, tau=3.0) for row in small.rows()], of="tau", theme=t
    ),
    "raster": lambda t: figures.raster(small.raster(), step_labels=small.LABELS, theme=t),
    "membrane": lambda t: figures.membrane(small.trace(), step_labels=small.LABELS, theme=t),
    "membrane, h alone": lambda t: figures.membrane(
        replace(small.trace(), v=None, current=None, spikes=None, tau=None, half_life=None), theme=t
    ),
    "membrane, a neuron alone": lambda t: figures.membrane(
        replace(small.trace(), layer=""), theme=t
    ),
    "entry_effects": lambda t: figures.entry_effects(small.entries(), theme=t),
    "time_by_rate": lambda t: figures.time_by_rate(small.timed(), theme=t),
    "layer_times": lambda t: figures.layer_times(small.clocked_layers(), theme=t),
    "time_by_spikes": lambda t: figures.time_by_spikes(small.swept_layer(), theme=t),
    "tau_sweep": lambda t: figures.tau_sweep(small.sweep(), theme=t),
    "learning": lambda t: figures.learning(small.learners(), theme=t),
    "taus": lambda t: figures.taus(small.rows(), start=2.0, theme=t),
    "taus, no start": lambda t: figures.taus(small.rows()[:1], theme=t),
    "decision": lambda t: figures.decision(small.decision(), step_labels=small.LABELS, theme=t),
    "decision, ten classes": lambda t: figures.decision(small.decision(10, None), theme=t),
    "denoising": lambda t: figures.denoising(small.denoised(), theme=t),
    "firing_map": lambda t: figures.firing_map(small.firing(), theme=t),
    "firing_change": lambda t: figures.firing_change(small.firing(), small.firing(0.4), theme=t),
    "firing_change of nothing": lambda t: figures.firing_change(
        small.firing(), small.firing(), theme=t
    ),
    "membrane_histogram": lambda t: figures.membrane_histogram(small.histogram(), theme=t),
    "membrane_histogram, slope": lambda t: figures.membrane_histogram(
        small.histogram(), slope=np.ones(6), theme=t
    ),
    "membrane_change": lambda t: figures.membrane_change(
        small.trace(), replace(small.trace(), h=small.trace().h / 2, spikes=None, tau=4.0), theme=t
    ),
    "attention_change": lambda t: figures.attention_change(
        [small.over_time()],
        [replace(small.over_time(), mass=np.arange(5.0) * 3)],
        step_labels=small.LABELS,
        theme=t,
    ),
    "decision_change": lambda t: figures.decision_change(
        small.decision(10), replace(small.decision(10), answer=4), theme=t
    ),
    "input_change": lambda t: figures.input_change(small.input_change(), small.received(), theme=t),
    "input_change of nothing": lambda t: figures.input_change(
        replace(small.input_change(), patches=np.zeros((2, 3), bool)), theme=t
    ),
    "patch_attention": lambda t: figures.patch_attention(
        small.received(), small.input_change().patches, theme=t
    ),
    "map_similarity": lambda t: figures.map_similarity(
        [MapSimilarity(0, 0.8, 0.9), MapSimilarity(1, 0.7, None)], theme=t
    ),
    "noise_curve": lambda t: figures.noise_curve(small.curve(), own=2, theme=t),
    "noise_differences": lambda t: figures.noise_differences(small.compared(), theme=t),
    "energy_map": lambda t: figures.energy_map(small.energy(), theme=t),
    "energy_map, spikes": lambda t: figures.energy_map(small.energy(), of="spikes", theme=t),
    "energy_comparison": lambda t: figures.energy_comparison(small.energy(), theme=t),
    "anytime": lambda t: figures.anytime(small.any_time(), stop=2, theme=t),
    "anytime, no stop": lambda t: figures.anytime(small.any_time(), theme=t),
    "learning_curves": lambda t: figures.learning_curves(small.epochs(), theme=t),
    "learning_curves, first epoch": lambda t: figures.learning_curves(small.epochs()[:1], theme=t),
    "accuracy_by_run": lambda t: figures.accuracy_by_run(
        {name: small.epochs()[1:] for name in small.LABELS[:2]}, theme=t
    ),
    "gradient_history": lambda t: figures.gradient_history(small.gradients(), theme=t),
    "gradient_history, weights": lambda t: figures.gradient_history(
        small.gradients()[:-1], "weights", theme=t
    ),
    "loss_by_step": lambda t: figures.loss_by_step(small.steps(), epoch=1, theme=t),
    "tau_history": lambda t: figures.tau_history(small.neurons(), theme=t),
    "tau_history, first epoch": lambda t: figures.tau_history(small.neurons()[:3], theme=t),
    "rate_history": lambda t: figures.rate_history(small.neurons(), theme=t),
}


def test_the_table_has_every_figure():
    assert {name.split(",")[0].split(" of ")[0] for name in FIGURES} == set(figures.__all__)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", FIGURES)
def test_figure(name, theme):
    figure = FIGURES[name](theme)
    assert isinstance(figure, go.Figure)
    assert json.loads(figure.to_json())["data"]
    assert figure.layout.paper_bgcolor == palette(theme).panel
    assert figure.layout.width is None and figure.layout.height >= 120
    _is_described(figure)
    for trace_ in figure.data:
        for part in ("x", "y", "z", "customdata"):
            value = getattr(trace_, part, None)
            assert value is None or isinstance(value, np.ndarray), f"{trace_.type}.{part}"


def _is_described(figure: go.Figure) -> None:
    """A sentence as a title that fits a narrow screen, and more of them in the description."""
    alt = figure.layout.meta["alt"]
    lines = figure.layout.title.text.removeprefix("<b>").removesuffix("</b>").split("<br>")
    assert all(len(line) <= 40 for line in lines)
    assert alt.endswith(".") and len(alt) > len(" ".join(lines))
    assert "nan" not in alt and "None" not in alt


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_on_a_scale_are_readable(theme):
    """At least 4.5 : 1, the contrast that WCAG asks of text, wherever on the scale they stand."""
    shares, colours = np.linspace(0, 1, 41), palette(theme).amount
    rgb = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours]

    def luminance(channels):
        parts = [c / 255 for c in channels]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for share, text in zip(shares, text_on(shares, colours)):
        low, high = (rgb[0], rgb[1]) if share <= 0.5 else (rgb[1], rgb[2])
        along = 2 * share if share <= 0.5 else 2 * share - 1
        cell = luminance([a + along * (b - a) for a, b in zip(low, high)])
        ink = {"#000000": 0.0, "#ffffff": 1.0}[text]
        assert (max(cell, ink) + 0.05) / (min(cell, ink) + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: figures.filmstrip(small.key_maps(), theme="sepia"),
            "theme='sepia'; expected one of light",
        ),
        (lambda: figures.raster(small.raster(), step_labels=["cue"]), "1 entries for 5 steps"),
        (lambda: figures.learning_curves(small.epochs()[["epoch"]]), "has no train_loss, val_loss"),
        (lambda: figures.tau_history(small.epochs()), "neurons table has no layer, tau"),
        (
            lambda: figures.gradient_history(small.gradients(), "rate"),
            "of='rate'; expected weights or",
        ),
        (lambda: figures.accuracy_by_run({}), "runs is empty"),
        (lambda: figures.denoising([]), "blocks is empty"),
        (lambda: figures.accuracy_changes({}), "results is empty"),
        (lambda: figures.part_changes({"map": {}}), "results is empty"),
        (lambda: figures.attention_grid([], to="the cue"), "results is empty"),
        (lambda: figures.seed_accuracies({}), "results is empty"),
        (lambda: figures.entry_effects({}), "results is empty"),
        (lambda: figures.seed_differences({}), "results is empty"),
        (lambda: figures.seed_curves({}), "results is empty"),
        (lambda: figures.event_statistics({}), "results is empty"),
        (
            lambda: figures.seed_curves(
                small.seed_curves() | {"x": replace(small.seed_curves()["u=1"], kind="events")}
            ),
            "results are of events, gaussian; expected one kind of noise",
        ),
        (
            lambda: figures.layer_pairs(small.rows(), []),
            "no layer in common of which the firing rate",
        ),
        (
            lambda: figures.firing_change(
                small.firing(), replace(small.firing(), layers=small.LAYERS[:2])
            ),
            "recordings of the same model",
        ),
        (lambda: figures.energy_map(small.energy(), of="joy"), "of='joy'; expected one of energy"),
        (lambda: figures.anytime(small.any_time(), stop=4), "stop=4; expected 1 to 3 steps"),
        (lambda: figures.patch_attention([], np.ones((1, 1), bool)), "received is empty"),
        (lambda: figures.map_similarity([]), "results is empty"),
        (lambda: figures.attention_change([small.over_time()], []), "the same blocks"),
    ],
)
def test_wrong_input_is_explained(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("stem.stages.0.neuron", "stem 1"),
        ("stem.position.neuron", "stem position"),
        ("blocks.0.attention.query.neuron", "1 Q"),
        ("blocks.1.attention.neuron", "2 read-out"),
        ("blocks.1.mlp.hidden.neuron", "2 MLP hidden"),
    ],
)
def test_short_names_count_from_one(layer, name):
    assert short(layer) == name


EVIL = "<a href='https://example.org'>x</a> & <img src=x>"


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for name, one in value.items() if name != "meta" for text in _texts(one))
    elif isinstance(value, (list, tuple)):
        yield from (text for one in value for text in _texts(one))
    elif isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        yield from _texts(value.ravel().tolist())


@pytest.mark.parametrize("name", FIGURES)
def test_names_from_outside_are_shown_as_they_are(name, monkeypatch):
    """Plotly reads a part of HTML in every text; a layer, a step or a class may be called like some."""
    monkeypatch.setattr(small, "LAYERS", tuple(f"{EVIL}{i}" for i in range(3)))
    monkeypatch.setattr(small, "LABELS", tuple(f"{EVIL}{i}" for i in range(5)))
    plain = small.decision
    monkeypatch.setattr(
        small, "decision", lambda classes=2, label=1: replace(
            plain(classes, label), classes=tuple(f"{EVIL}{i}" for i in range(classes))
        ),
    )  # fmt: skip
    figure = FIGURES[name]("light")
    texts = list(_texts(figure.to_plotly_json()))
    assert texts
    for text in texts:
        assert "<a" not in text and "<img" not in text and "</a>" not in text, text
    alt = figure.layout.meta["alt"]
    assert "&lt;" not in alt, "a description is text already"


def test_names_from_outside_are_themselves_in_numbers_and_hovers():
    from dista.figures.tables import table

    classes = ("a < b & c", "<b>5 %</b> %{x}")
    figure = figures.decision(replace(small.decision(), classes=classes))
    assert [trace.name for trace in figure.data][-1] == "a &lt; b &amp; c"
    assert "a < b & c" in table(figure).to_string()
    assert all("%{x}" not in trace.hovertemplate for trace in figure.data)
    assert "Answer: a &lt; b &amp; c" in figure.layout.title.text.replace("<br>", " ")
    assert "Answer: a < b & c" in figure.layout.meta["alt"]
