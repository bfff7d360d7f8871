"""Every figure in one table: its numbers are those of the result that it was drawn from, in a table and a CSV."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import small
from test_figures import FIGURES

from dista import figures, measures
from dista.figures.runs import codes
from dista.figures.tables import table
from dista.measures import MapSimilarity


class Entry(NamedTuple):
    """A figure of a small result, and what its table is.

    ``columns`` are all of them, ``same`` the numbers of the result by column. ``drawn`` makes of the table
    the numbers that are on the figure's axes: those of heatmaps, and of all else those along ``axis``.
    """

    figure: Callable[[], go.Figure]
    columns: str
    same: dict[str, Any]
    drawn: Callable[[pd.DataFrame], Any]
    axis: str = "y"


def of(*columns: str, times: float = 1) -> Callable[[pd.DataFrame], np.ndarray]:
    return lambda rows: times * rows[list(columns)].to_numpy(float)


MAPS, TRACE, DECISION, TIME = small.key_maps(), small.trace(), small.decision(), small.over_time()
REACHED = np.tril_indices(5)
FIRING, AFTER = small.firing(), small.firing(0.4)
HISTOGRAM, ENERGY, ANYTIME = small.histogram(), small.energy(), small.any_time()
INPUT, RECEIVED, CURVE = small.input_change(), small.received(), small.curve()
SLOPE = np.linspace(0, 1, 6)
LAYERS, LOUDER = small.rows(), replace(TIME, mass=np.arange(5.0) * 3)
TURNED, SLOWER = replace(small.decision(10), answer=4), replace(TRACE, h=TRACE.h / 2, spikes=None)
ACTIVITY = "layer tau tau_min tau_max rate dead saturated"
LOGITS = "step class logit running probability class_name is_answer is_label first_readout_step"
LOGITS += " settled_at_step"
NEURON = (
    "layer channel row column step h v current fired threshold tau half_life half_life_with_resets"
)


def differences(rows: pd.DataFrame) -> np.ndarray:
    by = rows.pivot_table(index=["layer", "step"], columns="result", values="rate")
    return (by["after"] - by["before"]).to_numpy()


def bars(rows: pd.DataFrame) -> np.ndarray:
    """A logarithmic axis has no zeros, and there is nothing to remove of a count of 0."""
    numbers = rows[rows["count"] > 0][["removed", "kept"]].to_numpy(float)
    return numbers[numbers > 0]


def of_both(rows: pd.DataFrame) -> np.ndarray:
    return rows[rows.duplicated("layer", keep=False)]["tau"].to_numpy()


def drawn_classes(rows: pd.DataFrame) -> np.ndarray:
    """Of the two answers, and of the true class."""
    classes = rows[rows["is_answer"] | rows["is_label"]]["class"]
    return rows[rows["class"].isin(classes)]["logit"].to_numpy()


def percents(rows: pd.DataFrame) -> np.ndarray:
    losses = rows[["train_loss", "val_loss"]].to_numpy(float)
    return np.append(losses, 100 * rows["val_accuracy"])


ENTRIES = {
    "filmstrip": Entry(
        lambda: figures.filmstrip(MAPS),
        "block head query_step query_row query_column key_step key_row key_column raw denoised removed",
        {"raw": MAPS.raw, "denoised": MAPS.denoised, "removed": MAPS.removed,
         "key_step": np.repeat(MAPS.key_steps, 14), "query_column": [4] * 42},
        of("raw", "denoised", "removed"),
    ),
    "attention_split": Entry(
        lambda: figures.attention_split(measures.AttentionSplit(0.25, 0.5, 0.25, 8.0, "kept")),
        "stage part share even total",
        {"share": [0.25, 0.5, 0.25], "total": [8] * 3},
        of("share"), "x",
    ),
    "attention_over_time": Entry(
        lambda: figures.attention_over_time(TIME),
        "block stage query_step key_step share mass",
        {"share": TIME.share[REACHED], "query_step": REACHED[0], "key_step": REACHED[1],
         "mass": TIME.mass[REACHED[0]]},
        of("share", times=100),
    ),
    "lag_contributions": Entry(
        lambda: figures.lag_contributions(small.lags()),
        "block part step lag share",
        {"share": small.lags().share[:, *np.nonzero(np.tri(5, 3, dtype=bool))]},
        of("share", times=100),
    ),
    "causal_memory": Entry(
        lambda: figures.causal_memory(small.causal()),
        "observable seen_step changed_step effect unit",
        {"effect": small.causal().effect[REACHED], "seen_step": REACHED[0],
         "changed_step": REACHED[1]},
        of("effect"),
    ),
    "cue_effects": Entry(
        lambda: figures.cue_effects(small.cues()),
        "name sample effect mean low high",
        {"effect": np.concatenate([one.effect for one in small.cues().values()])},
        of("effect", "mean", "low", "high"), "x",
    ),
    "chance_levels": Entry(
        lambda: figures.chance_levels(small.by_chance()),
        "name block counted chance alike share",
        {"counted": [0.3, 0.6, 0.3], "chance": [0.27, 0.4, 0.27], "share": [0.9, 2 / 3, 0.9]},
        of("counted", "chance"), "x",
    ),
    "patch_totals": Entry(
        lambda: figures.patch_totals(small.patch_totals()),
        "block stage row column paid received",
        {"paid": range(6), "received": [5, 4, 3, 2, 1, 0], "column": [0, 1, 2] * 2},
        of("paid", "received"),
    ),
    "event_frames": Entry(
        lambda: figures.event_frames(small.events()),
        "step row column on off",
        {"on": small.events().on, "off": small.events().off, "step": np.repeat(range(5), 6)},
        of("on", "off"),
    ),
    "accuracy_changes": Entry(
        lambda: figures.accuracy_changes(small.changes()),
        "name samples before after difference low high lost gained most_frequent_before most_frequent_after",
        {"low": [-0.14, -0.01, 0.02], "difference": [-0.1, 0, 0.05], "lost": [30, 0, 0],
         "gained": [0, 0, 15]},
        of("low", "difference", "high", times=100), "x",
    ),
    "attention_grid": Entry(
        lambda: figures.attention_grid(small.looked(), to="the cue"),
        "block head step share paid total even",
        {"share": [np.nan, 5 / 26, 9 / 26, np.nan, 17 / 26, 21 / 26, np.nan, 7 / 26, 11 / 26, np.nan, 19 / 26, 23 / 26]},
        of("share"),
    ),
    "part_changes": Entry(
        lambda: figures.part_changes(small.part_changes("map", "projection"), chance=0.5),
        "model part samples before after difference low high lost gained most_frequent_before "
        "most_frequent_after",
        {"difference": [0.05, -0.1, -0.1, 0, 0], "lost": [0, 30, 30, 0, 0]},
        of("low", "difference", "high", times=100), "x",
    ),
    "seed_accuracies": Entry(
        lambda: figures.seed_accuracies(small.of_seeds()),
        "name seeds accuracy samples mean spread low high most_frequent chance seed",
        {"accuracy": [0.9, 0.92, 0.97] * 2, "seed": [0, 1, 4] * 2, "seeds": [3] * 6},
        of("accuracy", "mean", "low", "high", times=100), "x",
    ),
    "event_statistics": Entry(
        lambda: figures.event_statistics(small.cameras()),
        "name time_ms rate x y recordings events on centre_x centre_y spread_x spread_y shortest_us noise_hz "
        "noise_hz_most",
        {"x": [14, 16, 19, 16, 18, 21], "rate": [1, 8, 2, 3, 24, 6]},
        of("x", "y", "rate"),
    ),
    "seed_curves": Entry(
        lambda: figures.seed_curves(small.seed_curves()),
        "name noise level seeds samples against mean low high difference difference_low difference_high "
        "seed_0 seed_1 seed_4",
        {"level": [0, 0.1, 0.4] * 2, "seed_4": [0.93, 0.84, 0.55] * 2, "seeds": [3] * 6},
        of("mean", "seed_0", "seed_1", "seed_4", times=100),
    ),
    "seed_differences": Entry(
        lambda: figures.seed_differences(small.seed_changes()),
        "name seeds differences samples difference low high p holm seed",
        {"differences": [-0.01, 0.02, 0.05] * 2, "seed": [0, 1, 4] * 2, "holm": [0.6] * 3 + [0.002] * 3},
        of("differences", "difference", "low", "high", times=100), "x",
    ),
    "run_curves": Entry(
        lambda: figures.run_curves(small.curves()),
        "run epoch val_accuracy",
        {"val_accuracy": [0.5, 0.8, 0.7, 0.6, 0.6, 0.6]},
        of("val_accuracy", times=100),
    ),
    "parallel_runs": Entry(
        lambda: figures.parallel_runs(small.swept_runs()),
        "memory u accuracy",
        {"u": [1, 2, 3], "accuracy": [0.9, 0.7, 0.8]},
        lambda rows: [*codes(rows["memory"]), *rows["u"], *(100 * rows["accuracy"])],
    ),
    "option_importance": Entry(
        lambda: figures.option_importance(small.importance()),
        "option share low high runs",
        {"share": [0.7, 0.2, 0.1], "low": [0.65, 0.15, 0.05]},
        of("low", "share", "high", times=100), "x",
    ),
    "spike_distance": Entry(
        lambda: figures.spike_distance(small.apart()),
        "layer step distance",
        {"distance": small.apart().distance},
        of("distance", times=100),
    ),
    "layer_pairs": Entry(
        lambda: figures.layer_pairs(LAYERS, [replace(r, tau=3.0) for r in LAYERS[1:]], of="tau"),
        f"result {ACTIVITY}",
        {"tau": [1.6, 2.0, 4.5, 3, 3]},
        of_both, "x",
    ),
    "raster": Entry(
        lambda: figures.raster(small.raster()),
        "layer channel row column rank step spike",
        {"spike": small.raster().spikes, "channel": np.repeat([0, 3, 5, 5], 5)},
        of("spike"),
    ),
    "membrane": Entry(
        lambda: figures.membrane(TRACE),
        NEURON,
        {"h": TRACE.h, "v": TRACE.v, "current": TRACE.current, "fired": TRACE.spikes},
        of("h", "v", "current"),
    ),
    "entry_effects": Entry(
        lambda: figures.entry_effects(small.entries()),
        "name block sample pair attention effect query_time key_time",
        {"attention": [0.2, 0.3, 0.5] * 4, "query_time": [0, 1, 1] * 4},
        of("effect"),
    ),
    "time_by_rate": Entry(
        lambda: figures.time_by_rate(small.timed()),
        "input round seconds rate",
        {"seconds": small.timed().seconds, "rate": np.repeat([0.1, 0.2, 0.3], 2)},
        lambda rows: [*(1e3 * rows["seconds"]), *(1e3 * rows.groupby("rate")["seconds"].median())],
    ),
    "time_by_spikes": Entry(
        lambda: figures.time_by_spikes(small.swept_layer()),
        "way input seconds rate accumulates",
        {"rate": [0.1, 0.2, 0.4] * 3, "seconds": small.swept_layer().seconds},
        lambda rows: [*(1e3 * rows["seconds"]), 1, 2, 4],
    ),
    "layer_times": Entry(
        lambda: figures.layer_times(small.clocked_layers()),
        "layer step accumulates seconds multiplies",
        {"accumulates": 1e5 * np.array([1, 2, 3, 4, 5, 6, 9, 8]), "step": [0, 1] * 4},
        lambda rows: 1e6 * rows["seconds"],
    ),
    "tau_sweep": Entry(
        lambda: figures.tau_sweep(small.sweep()),
        "tau spikes silent_below threshold steps",
        {"spikes": [8, 3, 0], "silent_below": [1, 1.02, 1.5], "steps": [8] * 3},
        of("spikes", "silent_below"),
    ),
    "learning": Entry(
        lambda: figures.learning(small.learners()),
        "learns update weight tau loss spikes first_spike_step wanted_step",
        {"weight": [1.5, 1.4, 1.2, 0.75, 0.7, 0.6], "tau": [2.0] * 6, "spikes": [1] * 3 + [0] * 3,
         "first_spike_step": [0, 1, 2, np.nan, np.nan, np.nan]},
        of("weight"), "x",
    ),
    "taus": Entry(
        lambda: figures.taus(LAYERS, start=dict(zip(small.LAYERS, (3.0, 2.5, 1.5)))),
        f"{ACTIVITY} start",
        {"tau": [1.6, 2.0, 4.5], "start": [3, 2.5, 1.5]},
        of("tau", "start"), "x",
    ),
    "decision": Entry(
        lambda: figures.decision(DECISION),
        LOGITS,
        {"logit": DECISION.logits, "running": DECISION.running,
         "probability": DECISION.probabilities, "is_answer": [True, False] * 5},
        of("logit"),
    ),
    "denoising": Entry(
        lambda: figures.denoising(small.denoised()),
        "block denoiser u count before removed kept",
        {"before": [90, 40, 9, 3, 0, 1] * 2, "kept": [90, 0, 9, 3, 0, 1] * 2},
        bars,
    ),
    "firing_map": Entry(
        lambda: figures.firing_map(FIRING),
        "layer step rate dead saturated neurons samples",
        {"rate": FIRING.rate, "dead": FIRING.dead.repeat(5), "neurons": FIRING.neurons.repeat(5)},
        of("rate", "dead", "saturated"), "x",
    ),
    "firing_change": Entry(
        lambda: figures.firing_change(FIRING, AFTER),
        "result layer step rate dead saturated neurons samples",
        {"rate": np.stack([FIRING.rate, AFTER.rate])},
        differences,
    ),
    "membrane_histogram": Entry(
        lambda: figures.membrane_histogram(HISTOGRAM, slope=SLOPE),
        "layer low high count share threshold slope",
        {"count": HISTOGRAM.counts, "low": HISTOGRAM.edges[:-1], "high": HISTOGRAM.edges[1:],
         "slope": SLOPE},
        of("share", "slope"),
    ),
    "membrane_change": Entry(
        lambda: figures.membrane_change(TRACE, SLOWER),
        f"result {NEURON}",
        {"h": np.append(TRACE.h, SLOWER.h), "fired": np.append(TRACE.spikes, SLOWER.h >= 1)},
        of("h"),
    ),
    "attention_change": Entry(
        lambda: figures.attention_change([TIME], [LOUDER]),
        "result block stage query_step mass",
        {"mass": np.append(TIME.mass, LOUDER.mass), "query_step": [*range(5)] * 2},
        of("mass"),
    ),
    "decision_change": Entry(
        lambda: figures.decision_change(small.decision(10), TURNED),
        f"result {LOGITS}",
        {"logit": np.stack([small.decision(10).logits, TURNED.logits])},
        drawn_classes,
    ),
    "input_change": Entry(
        lambda: figures.input_change(INPUT, RECEIVED),
        "result y x clean noisy corrupted block row column raw denoised",
        {"clean": INPUT.clean, "noisy": INPUT.noisy,
         "corrupted": INPUT.patches.repeat(4, 0).repeat(4, 1),
         "raw": [one.raw for one in RECEIVED], "denoised": [one.denoised for one in RECEIVED]},
        of("clean", "noisy", "raw", "denoised"),
    ),
    "patch_attention": Entry(
        lambda: figures.patch_attention(RECEIVED, INPUT.patches),
        "block raw denoised removed removed_elsewhere",
        {"raw": [0.5, 0.5], "denoised": [0.5, 0.75]},
        of("raw", "denoised"),
    ),
    "map_similarity": Entry(
        lambda: figures.map_similarity([MapSimilarity(0, 0.8, 0.9), MapSimilarity(1, 0.7, None)]),
        "block raw denoised",
        {"raw": [0.8, 0.7], "denoised": [0.9, np.nan]},
        of("raw", "denoised"), "x",
    ),
    "noise_curve": Entry(
        lambda: figures.noise_curve(CURVE, own=2),
        "noise u level accuracy low high samples",
        {"accuracy": CURVE.accuracy, "low": CURVE.low, "high": CURVE.high,
         "level": [*CURVE.levels] * 2, "u": np.repeat(CURVE.thresholds, 3)},
        of("accuracy"),
    ),
    "noise_differences": Entry(
        lambda: figures.noise_differences(small.compared()),
        "noise u level accuracy low high samples against difference difference_low difference_high added",
        {"difference": small.compared().difference, "added": [*small.compared().added] * 2},
        lambda rows: 100 * rows[rows["u"] != rows["against"]]["difference"].to_numpy(),
    ),
    "energy_map": Entry(
        lambda: figures.energy_map(ENERGY, of="operations"),
        "layer step spikes accumulates multiplies operations picojoules dense_multiplies "
        "dense_picojoules samples convention",
        {"picojoules": ENERGY.picojoules, "spikes": ENERGY.spikes, "dense_multiplies": ENERGY.dense,
         "operations": ENERGY.accumulates + ENERGY.multiplies},
        of("operations"),
    ),
    "energy_comparison": Entry(
        lambda: figures.energy_comparison(ENERGY),
        "layer picojoules ann_picojoules samples",
        {"picojoules": ENERGY.picojoules.sum(1), "ann_picojoules": ENERGY.ann},
        of("picojoules", "ann_picojoules", times=1e-3), "x",
    ),
    "anytime": Entry(
        lambda: figures.anytime(ANYTIME),
        "steps_used accuracy low high confidence agreement picojoules samples",
        {"steps_used": [1, 2, 3], "accuracy": ANYTIME.accuracy, "low": ANYTIME.low},
        lambda rows: rows[["accuracy", "confidence", "agreement", "picojoules"]] * [1, 1, 1, 1e-3],
    ),
    "learning_curves": Entry(
        lambda: figures.learning_curves(small.epochs()),
        "epoch train_loss val_loss val_accuracy",
        {"epoch": [0, 1, 2], "train_loss": [np.nan, 0.6, 0.4], "val_accuracy": [0.5, 0.8, 0.7]},
        percents,
    ),
    "accuracy_by_run": Entry(
        lambda: figures.accuracy_by_run({"a": small.epochs(), "b": small.epochs()[1:]}),
        "run epoch val_accuracy",
        {"epoch": [0, 1, 2, 1, 2], "val_accuracy": [0.5, 0.8, 0.7, 0.8, 0.7]},
        of("val_accuracy", times=100),
    ),
    "gradient_history": Entry(
        lambda: figures.gradient_history(small.gradients()[:-1]),
        "epoch layer tau",
        {"tau": small.gradients()["tau"][:-1], "epoch": np.repeat([1, 2], 3)},
        of("tau"),
    ),
    "loss_by_step": Entry(
        lambda: figures.loss_by_step(small.steps()),
        "step epoch loss",
        {"step": [1, 2, 3, 4], "loss": [2.0, 1.5, 1.0, 0.5]},
        of("loss"),
    ),
    "tau_history": Entry(
        lambda: figures.tau_history(small.neurons()),
        "epoch layer tau",
        {"tau": small.neurons()["tau"], "epoch": np.repeat(range(3), 3)},
        of("tau"),
    ),
    "rate_history": Entry(
        lambda: figures.rate_history(small.neurons()),
        "epoch layer rate",
        {"rate": small.neurons()["rate"]},
        of("rate", times=100),
    ),
}  # fmt: skip


def test_every_figure_has_an_entry():
    assert set(ENTRIES) == set(figures.__all__)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_table_has_the_numbers_of_the_result(name):
    entry = ENTRIES[name]
    rows = table(entry.figure())
    assert list(rows.columns) == entry.columns.split() and len(rows)
    saved = pd.read_csv(io.StringIO(rows.to_csv(index=False)))
    for column, numbers in entry.same.items():
        wanted = np.ravel(np.asarray(numbers, float))
        for frame in (rows, saved):
            values = frame[column].astype(float).to_numpy(float, na_value=np.nan)
            if frame[column].isna().sum() > np.isnan(wanted).sum():  # rows of another result
                values = values[~np.isnan(values)]
            np.testing.assert_allclose(values, wanted, rtol=1e-6, err_msg=column)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_figure_shows_the_numbers_of_its_table_and_no_others(name):
    entry = ENTRIES[name]
    figure = entry.figure()
    wanted = np.ravel(entry.drawn(table(figure))).astype(float)
    wanted, shown = wanted[np.isfinite(wanted)], on_axes(figure, entry.axis)
    assert shown.size and np.isclose(shown[:, None], wanted).any(1).all(), "shown, not in the table"
    assert np.isclose(wanted[:, None], shown).any(1).all(), "in the table, not shown"


def on_axes(figure: go.Figure, axis: str) -> np.ndarray:
    """The numbers of a figure; outlines and connecting lines have none."""
    traces = [trace for trace in figure.data if getattr(trace, "hoverinfo", "") != "skip"]
    parts = [np.ravel(part).astype(float) for trace in traces for part in parts_of(trace, axis)]
    numbers = np.concatenate(parts)
    return numbers[np.isfinite(numbers)]


def parts_of(trace: Any, axis: str) -> list[Any]:
    if trace.type == "parcoords":
        return [dimension.values for dimension in trace.dimensions]
    return [trace.z if trace.type == "heatmap" else trace[axis]]


@pytest.mark.parametrize("name", FIGURES)
def test_every_form_of_a_figure_has_numbers(name):
    rows = table(FIGURES[name]("light"))
    assert len(rows) and not rows.duplicated().any()
    assert not rows.astype(str).apply(lambda column: column.str.contains("<")).any(axis=None)


def test_a_figure_keeps_its_table_when_it_is_changed_and_a_stranger_has_none():
    figure = figures.raster(small.raster())
    before = table(figure)
    figure.add_scatter(x=[1, 2], y=[3, 4]).update_layout(height=100)
    pd.testing.assert_frame_equal(table(figure), before)
    with pytest.raises(ValueError, match="expected one as a function of dista"):
        table(go.Figure())


def test_a_table_is_made_when_it_is_asked_for(monkeypatch):
    def made(self):
        raise AssertionError("nobody has asked")

    monkeypatch.setattr(measures.Raster, "columns", made)
    figure = figures.raster(small.raster())
    with pytest.raises(AssertionError, match="nobody has asked"):
        table(figure)
