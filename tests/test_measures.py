"""Measures, against numbers counted by hand on small trees and against what a recorded model did."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
import torch
import xarray as xr
from einops import rearrange

from dista import measures, recording
from dista.measures import MeasureError

ACTIVITY = ("time", "batch", "channel", "row", "column")
MAP = ("pair", "batch", "head", "query", "key")


def tree(nodes: dict[str, dict], **attrs) -> xr.DataTree:
    """A recording from paths to variables; ``coords`` of a node are those of its ``pair``."""
    datasets = {}
    for path, variables in nodes.items():
        coords = variables.pop("coords", {})
        datasets[path] = xr.Dataset(variables, coords)
    made = xr.DataTree.from_dict(datasets)
    made.attrs = attrs
    return made


def neuron(steps: int = 3) -> dict:
    """Two samples, two channels of 1 x 3 neurons. Channel 0: dead, every step, step 0 of sample 0."""
    spikes = np.zeros((steps, 2, 2, 1, 3), bool)
    spikes[:, :, 0, 0, 1] = True
    spikes[0, 0, 0, 0, 2] = True
    spikes[1:, 0, 1, 0, 0] = True
    h = np.arange(spikes.size, dtype=np.float32).reshape(spikes.shape)
    membrane = xr.DataArray(h, dims=ACTIVITY, attrs={"v_threshold": 1.5, "v_reset": "soft"})
    return {
        "spikes": (ACTIVITY, spikes),
        "membrane": membrane,
        "reset": (ACTIVITY, h - 1),
        "tau": (("group",), np.array([1.0, 4.0], np.float32)),
    }


def maps(raw: np.ndarray, denoised: np.ndarray, query_time, key_time, **rule) -> dict:
    return {
        "scores": (MAP, raw),
        "denoise": (MAP, denoised, rule),
        "coords": {"query_time": ("pair", query_time), "key_time": ("pair", key_time)},
    }


def three_steps(dtype=np.uint8) -> xr.DataTree:
    """Three steps with a window of two, two heads, 1 x 3 patches; u = 1 removes ones."""
    raw = np.zeros((5, 1, 2, 3, 3), dtype)  # pairs (0,0) (1,0) (1,1) (2,1) (2,2)
    raw[3, 0, 0, 1] = [1, 5, 2]  # query patch 1 at step 2, head 0, keys of step 1
    raw[4, 0, 0, 1] = [0, 1, 3]  # keys of step 2
    raw[3, 0, 1, 1] = [4, 1, 0]  # head 1
    denoised = np.where(raw > 1, raw, 0).astype(dtype)
    attention = maps(raw, denoised, [0, 1, 1, 2, 2], [0, 0, 1, 1, 2], kind="threshold", u=1.0)
    spikes = {"spikes": (ACTIVITY, np.zeros((3, 1, 2, 1, 3), bool))}
    return tree({"blocks/0/attention": attention, "blocks/0/attention/neuron": spikes})


# Neurons ----------------------------------------------------------------------------------------


def test_layers_come_in_network_order_whatever_the_order_of_the_file():
    ordered = [
        "stem.stages.0.neuron",
        "stem.stages.10.neuron",
        "stem.position.neuron",
        "blocks.2.attention.query.neuron",
        "blocks.2.attention.key.neuron",
        "blocks.2.attention.value.neuron",
        "blocks.2.attention.neuron",
        "blocks.2.attention.output.neuron",
        "blocks.2.mlp.hidden.neuron",
        "blocks.2.mlp.output.neuron",
        "blocks.10.attention.neuron",
    ]
    paths = [name.replace(".", "/") for name in sorted(ordered)]
    assert measures.layers(tree({path: neuron() for path in paths})) == ordered


def test_neuron_table_counts_rates_dead_and_saturated():
    (row,) = measures.neuron_table(tree({"stem/position/neuron": neuron()}))
    # 6 neurons in 2 samples and 3 steps; 6 + 1 + 2 spikes; 3 never fire, 1 always.
    assert row.layer == "stem.position.neuron"
    assert (row.tau, row.tau_min, row.tau_max) == (2.5, 1.0, 4.0)
    assert row.rate == pytest.approx(9 / 36)
    assert row.dead == pytest.approx(3 / 6)
    assert row.saturated == pytest.approx(1 / 6)


def test_neuron_table_is_json_and_none_where_nothing_was_recorded():
    only_tau = {"tau": (("group",), np.array([2.0], np.float32))}
    only_spikes = {"spikes": neuron()["spikes"]}
    table = measures.neuron_table(tree({"a/neuron": only_tau, "b/neuron": only_spikes}))
    first, second = json.loads(json.dumps([asdict(row) for row in table]))
    assert first["tau"] == 2.0 and first["rate"] is first["dead"] is first["saturated"] is None
    assert second["tau"] is second["tau_min"] is second["tau_max"] is None
    assert second["rate"] == pytest.approx(0.25)


def test_half_life_is_when_half_is_left():
    assert measures.half_life(1.0) == 0.0
    assert measures.half_life(2.0) == pytest.approx(1.0)
    assert measures.half_life(math.inf) == math.inf
    assert (1 - 1 / 4.5) ** measures.half_life(4.5) == pytest.approx(0.5)
    assert measures.half_life(math.inf, 0.5) == pytest.approx(1.0), "resets alone"
    assert ((1 - 1 / 4.5) * (1 - 0.3)) ** measures.half_life(4.5, 0.3) == pytest.approx(0.5)
    assert measures.half_life(2.0, 1.0) == 0.0
    with pytest.raises(MeasureError, match=r"tau=0\.5"):
        measures.half_life(0.5)
    with pytest.raises(MeasureError, match=r"rate=1\.5"):
        measures.half_life(2, 1.5)


def test_resets_at_the_measured_rate_forget_sooner_than_the_leak(small_model, small_input):
    layer, model = "blocks.0.mlp.hidden.neuron", small_model()
    recorded = recording.record(model, small_input(model.config))
    trace = measures.membrane_trace(recorded, layer, (0, 0, 0), sample=1)
    rate = recorded[f"{layer.replace('.', '/')}/spikes"].isel(batch=1).values.mean()
    assert 0 < rate < 1
    assert trace.half_life_with_resets == pytest.approx(measures.half_life(trace.tau, rate))
    assert trace.half_life_with_resets < trace.half_life == pytest.approx(1)


def test_membrane_trace_takes_one_neuron_of_one_sample():
    made = tree({"blocks/0/mlp/hidden/neuron": neuron()})
    trace = measures.membrane_trace(made, "blocks.0.mlp.hidden.neuron", (1, 0, 2), sample=1)
    np.testing.assert_array_equal(trace.h, [11, 23, 35])
    np.testing.assert_array_equal(trace.v, [10, 22, 34])
    # Not recorded: tau (h - v before) + v before.
    np.testing.assert_array_equal(trace.current, [44, 62, 74])
    np.testing.assert_array_equal(trace.current, [44, 62, 74], "tau (h - v before) + v before")
    assert (trace.threshold, trace.v_reset, trace.tau) == (1.5, None, 4.0)
    assert trace.half_life == pytest.approx(measures.half_life(4.0))
    assert trace.half_life_with_resets is None, "a soft reset leaves something"
    with pytest.raises(MeasureError, match=r"column=3; the recording has 0 to 2"):
        measures.membrane_trace(made, "blocks.0.mlp.hidden.neuron", (1, 0, 3))


def test_raster_shows_the_most_active_first_then_in_order_of_their_index():
    made = tree({"stem/position/neuron": neuron()})
    result = measures.raster(made, "stem.position.neuron", limit=4)
    expected = [(0, 0, 1), (1, 0, 0), (0, 0, 2), (0, 0, 0)]
    np.testing.assert_array_equal(result.neurons, expected)
    np.testing.assert_array_equal(
        result.spikes.astype(int), [[1, 1, 1], [0, 1, 1], [1, 0, 0], [0, 0, 0]]
    )
    assert (result.total, result.active, result.shown) == (6, 3, 4)


def test_representatives_reach_from_the_most_to_the_least_active():
    activity = np.array([0, 3, 5, 1, 5, 2, 0, 4])
    assert measures.representatives(activity, 3).tolist() == [2, 7, 3]
    assert measures.representatives(activity, 6).tolist() == [2, 4, 7, 1, 5, 3]
    assert measures.representatives(activity, 7).tolist() == [2, 4, 7, 1, 5, 3, 0]
    assert measures.representatives(activity, 50).tolist() == [2, 4, 7, 1, 5, 3, 0, 6]


# Attention --------------------------------------------------------------------------------------


def test_key_maps_hold_the_reachable_steps_alone():
    result = measures.key_maps(three_steps(), 0, head=0, query=1, step=2)
    assert result.query == (0, 1) and result.steps == 3
    assert result.key_steps.tolist() == [1, 2] and result.outside.tolist() == [0]
    np.testing.assert_array_equal(result.raw, [[[1, 5, 2]], [[0, 1, 3]]])
    np.testing.assert_array_equal(result.denoised, [[[0, 5, 2]], [[0, 0, 3]]])
    np.testing.assert_array_equal(result.removed, [[[1, 0, 0]], [[0, 1, 0]]])


def test_all_heads_are_summed_and_each_removes_on_its_own():
    result = measures.key_maps(three_steps(), 0, head=None, query=(0, 1), step=2)
    np.testing.assert_array_equal(result.raw[0], [[5, 6, 2]])
    np.testing.assert_array_equal(result.denoised[0], [[4, 5, 2]])
    np.testing.assert_array_equal(result.removed[0], [[1, 1, 0]])


def test_sums_over_heads_do_not_overflow_the_counts():
    raw = np.full((1, 1, 3, 4, 4), 200, np.uint8)
    made = tree({"blocks/0/attention": maps(raw, raw, [0], [0])})
    assert measures.key_maps(made, 0, None, 3, 0).raw.tolist() == [[[600, 600], [600, 600]]]
    assert measures.attention_over_time(made, 0).mass.tolist() == [200 * 48]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (dict(step=3), "step=3; the recording has 0 to 2"),
        (dict(head=2), "head=2; the recording has 0 to 1"),
        (dict(query=3), "query=3; the patches are 0 to 2"),
        (dict(query=(1, 0)), r"a grid of 1 x 3"),
        (dict(sample=1), "sample=1; the recording has 0 to 0"),
        (dict(block=1), r"no 'blocks\.1\.attention\.scores'"),
    ],
)
def test_what_is_not_there_is_refused_by_name(asked, said):
    asked = dict(block=0, head=0, query=0, step=0) | asked
    with pytest.raises(MeasureError, match=said):
        measures.key_maps(three_steps(), **asked)


def test_split_is_by_patch_and_step_and_sums_to_one():
    # Head 0 keeps, at step 1: 0, 5, 2, and at its own step 2: 0, 0, 3. The query is patch 1.
    result = measures.attention_split(three_steps(), 0, 0, 1, 2)
    assert (result.same_patch, result.same_step, result.elsewhere) == pytest.approx((0.5, 0.3, 0.2))
    assert result.even == pytest.approx((1 / 2 / 3, 1 / 2, 1 / 2 * 2 / 3)), "3 patches, 2 steps"
    raw = measures.attention_split(three_steps(), 0, 0, 1, 2, of="raw")
    assert (raw.same_patch * 12, raw.same_step * 12, raw.elsewhere * 12) == pytest.approx((5, 4, 3))
    assert raw.total == 12
    silent = measures.attention_split(three_steps(), 0, 0, 0, 2)
    assert (silent.same_patch, silent.same_step, silent.elsewhere, silent.total) == (0, 0, 0, 0)


def test_split_of_a_stage_that_is_missing_is_refused():
    made = three_steps()
    del made["blocks/0/attention"]["denoise"]
    assert measures.key_maps(made, 0, 0, 1, 2).removed is None
    with pytest.raises(MeasureError, match="the kept map of block 0 was not recorded"):
        measures.attention_split(made, 0, 0, 1, 2)


def test_attention_over_time_shares_each_step_among_the_reachable():
    result = measures.attention_over_time(three_steps(), 0)
    np.testing.assert_allclose(result.share[2], [np.nan, 11 / 14, 3 / 14])
    np.testing.assert_array_equal(result.share[1], [0, 0, np.nan])
    np.testing.assert_array_equal(result.mass, [0, 0, 14])
    np.testing.assert_allclose(result.past[2], 11 / 14)
    np.testing.assert_allclose(result.even[2], 1 / 2, err_msg="two steps are reached")
    assert measures.attention_over_time(three_steps(), 0, head=1, of="raw").mass[2] == 5


def test_denoising_counts_what_is_gone():
    (block,) = measures.denoising(three_steps())
    assert (block.block, block.kind, block.u, block.entries) == (0, "threshold", 1.0, 90)
    assert (block.mass_raw, block.mass_kept) == (17, 14)
    assert block.mass_removed == pytest.approx(3 / 17)
    assert block.entries_removed == pytest.approx(3 / 7)
    assert block.before.tolist() == [83, 3, 1, 1, 1, 1]
    assert block.after.tolist() == [83, 0, 1, 1, 1, 1]


def test_map_statistics_are_a_line_a_block():
    (block,) = measures.map_statistics(three_steps())
    assert (block.block, block.count, block.silent) == (0, 17 / 90, 83 / 90)
    assert block.removed == pytest.approx(3 / 17)
    assert block.reach == pytest.approx(11 / 14)  # 11 of 14 counts that are kept lie a step back
    nothing = three_steps()
    nothing["blocks/0/attention/denoise"].values[:] = 0
    assert measures.map_statistics(nothing)[0].reach is None


@pytest.mark.parametrize(
    ("denoised", "rule", "u"),
    [
        ([0, 1, 2, 3], dict(kind="none", u=1.0), 0.0),
        ([0, 0, 2, 3], dict(kind="threshold", u=1.5), 1.5),  # 1.5 and 1 do the same
        ([0, 0, 0, 3], dict(kind="threshold", u=1.0), 2.0),  # somebody intervened with u = 2
        ([0, 0, 0, 0], dict(kind="threshold", u=9.0), 9.0),
        ([0, 1, 0, 3], dict(kind="lookup", u=1.0), None),
        ([0, 2, 2, 9], dict(kind="lookup"), 0.0),
    ],
)
def test_u_is_the_threshold_that_describes_what_happened(denoised, rule, u):
    raw = np.arange(4, dtype=np.uint8).reshape(1, 1, 1, 2, 2)
    made = maps(raw, np.array(denoised, np.uint8).reshape(raw.shape), [0], [0], **rule)
    (block,) = measures.denoising(tree({"blocks/0/attention": made}))
    assert block.u == u


def test_lag_contributions_share_the_absolute_current():
    nodes = {}
    for factor, part in enumerate(("query", "key", "value"), 1):
        lags = np.zeros((2, 3, 1, 2, 1, 3), np.float32)
        lags[0] = factor  # what lag 0 adds everywhere
        lags[1, 1:, :, 0] = -2  # lag 1: one of two channels, from step 1
        nodes[f"blocks/0/attention/{part}/lags"] = {
            str(lag): (ACTIVITY, lags[lag]) for lag in range(2)
        }
    share = measures.lag_contributions(tree(nodes), 0).share
    assert share.shape == (3, 3, 2)
    np.testing.assert_allclose(share[:, 0, 0], 1)
    np.testing.assert_allclose(share[:, 2, 1], [1 / 2, 1 / 3, 1 / 4])
    assert measures.lag_contributions(three_steps(), 0) is None


# Decision ---------------------------------------------------------------------------------------


def logits(*rows, readout=None, **root) -> xr.DataTree:
    values = np.array(rows, np.float32)[:, None]
    config = json.dumps({"readout_steps": readout})
    nodes = {"/": {"head": (("time", "batch", "class"), values), **root}}
    return tree(nodes, model_config=config, classes=["no", "yes"])


def test_decision_averages_the_window_and_says_when_it_settled():
    made = logits([9, 0], [0, 1], [3, 0], [0, 4], readout=3, label=("batch", [0]))
    result = measures.decision(made)
    # Means from step 1 on: yes 1; no 1.5 against 0.5; yes 5/3 against 1.
    assert (result.first, result.answer, result.settled_at) == (1, 1, 3)
    assert (result.label, result.classes) == (0, ("no", "yes"))
    assert np.isnan(result.running[0]).all() and np.isnan(result.probabilities[0]).all()
    np.testing.assert_allclose(result.running[1:], [[0, 1], [1.5, 0.5], [1, 5 / 3]])
    np.testing.assert_allclose(result.probabilities[1:].sum(1), 1)
    assert result.probabilities[3, 1] == pytest.approx(1 / (1 + math.exp(-2 / 3)))


def test_a_decision_that_never_wavers_settles_where_the_window_begins():
    assert measures.decision(logits([0, 1], [0, 1], [1, 0])).settled_at == 0
    late = measures.decision(logits([9, 0], [0, 1], [0, 1], readout=2))
    assert (late.first, late.settled_at, late.label) == (1, 1, None)


@pytest.mark.parametrize(
    ("measure", "path"),
    [
        (measures.decision, "head"),
        (lambda r: measures.attention_over_time(r, 0), "blocks.0.attention.denoise"),
        (lambda r: measures.raster(r, "a.neuron"), "a.neuron.spikes"),
        (lambda r: measures.membrane_trace(r, "a.neuron", (0, 0, 0)), "a.neuron.membrane"),
        (lambda r: measures.raster(r, "b.neuron"), "a.neuron"),
        (measures.denoising, "blocks.*.attention.scores"),
    ],
)
def test_missing_parts_are_named(measure, path):
    made = tree({"a/neuron": {"tau": (("group",), np.array([2.0]))}})
    with pytest.raises(MeasureError) as error:
        measure(made)
    assert path in str(error.value)


# A recorded model -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(small_model, small_input):
    model = small_model()
    x = small_input(model.config)
    return model, x, recording.record(model, x, labels=[3, 1, 4, 1])


def test_maps_count_the_coincidences_of_the_recorded_spikes(recorded):
    model, _, tree_ = recorded
    heads = "time (head dim) row column -> time head dim row column"
    q, k = (
        rearrange(
            tree_[f"blocks/1/attention/{part}/neuron/spikes"].values[:, 2], heads, head=3
        ).astype(int)
        for part in ("query", "key")
    )
    result = measures.key_maps(tree_, 1, head=2, query=(4, 9), step=3, sample=2)
    assert result.key_steps.tolist() == [1, 2, 3] and result.outside.tolist() == [0, 4]
    expected = np.einsum("d,mdrc->mrc", q[3, 2, :, 4, 9], k[1:4, 2])
    np.testing.assert_array_equal(result.raw, expected)
    np.testing.assert_array_equal(
        result.denoised, np.where(expected > model.config.denoiser.u, expected, 0)
    )
    np.testing.assert_array_equal(result.denoised + result.removed, result.raw)
    assert (
        measures.key_maps(tree_, 1, head=2, query=4 * 11 + 9, step=3, sample=2).raw == result.raw
    ).all()


def test_denoising_of_a_recorded_model_is_its_threshold(recorded):
    model, _, tree_ = recorded
    for block in measures.denoising(tree_):
        assert block.u == model.config.denoiser.u
        assert block.before.sum() == block.entries
        assert block.before @ np.arange(len(block.before)) == block.mass_raw > block.mass_kept > 0


def test_decision_of_a_recorded_model_is_its_answer(recorded):
    model, x, tree_ = recorded
    with torch.inference_mode():
        answers = model(x)
    for sample in range(4):
        result = measures.decision(tree_, sample)
        assert result.answer == int(answers[sample].argmax())
        np.testing.assert_allclose(result.running[-1], answers[sample], atol=1e-6)
    assert result.label == 1


def test_layers_of_a_model_are_those_of_a_saved_recording(recorded, tmp_path):
    _, _, tree_ = recorded
    names = measures.layers(tree_)
    assert len(names) == 2 + 2 * 7 and names[1] == "stem.position.neuron"
    opened = recording.open_recording(recording.save(tree_, tmp_path / "one.zarr.zip"))
    assert measures.layers(opened) == names
    assert measures.neuron_table(opened) == measures.neuron_table(tree_)


@pytest.mark.parametrize("form", ["projection", "attenuated"])
def test_memory_in_the_projections_shows_in_lags_not_in_the_map(small_model, small_input, form):
    model = small_model(memory=dict(form=form, window=3))
    tree_ = recording.record(model, small_input(model.config, samples=1))
    result = measures.key_maps(tree_, 0, head=None, query=5, step=4)
    assert result.key_steps.tolist() == [4] and result.outside.tolist() == [0, 1, 2, 3]
    assert measures.split(result, "raw").same_step == 1
    share = measures.lag_contributions(tree_, 0).share
    assert share.shape == (3, 5, 3)
    np.testing.assert_allclose(share.sum(2), 1)
    assert (share[:, 0, 1:] == 0).all() and (share[:, 2:, 2] > 0).all()


# Two runs side by side ----------------------------------------------------------------------------


def test_spike_distance_counts_the_spikes_that_are_not_shared(small_model, small_input):
    """Against sets of the neurons that fire, layer by layer and step by step."""
    model = small_model()
    trees = [
        recording.record(model, small_input(model.config, seed=seed), "*.spikes") for seed in (2, 3)
    ]
    result = measures.spike_distance(*trees, sample=1)
    assert result.layers == tuple(measures.layers(trees[0]))
    for row, layer in enumerate(result.layers):
        for t in range(5):
            sets = [
                set(zip(*np.nonzero(tree[f"{layer}.spikes".replace(".", "/")].values[t, 1])))
                for tree in trees
            ]
            expected = len(sets[0] ^ sets[1]) / max(1, len(sets[0]) + len(sets[1]))
            assert result.distance[row, t] == pytest.approx(expected)
    assert 0 < result.distance.max() <= 1
    assert not measures.spike_distance(trees[0], trees[0]).distance.any()


def test_spike_distance_needs_the_same_network():
    one, two = (tree({"stem/position/neuron": neuron(steps)}) for steps in (3, 2))
    with pytest.raises(MeasureError, match="steps and neurons"):
        measures.spike_distance(one, two)
    with pytest.raises(MeasureError, match="other layers"):
        measures.spike_distance(one, tree({"stem/stages/0/neuron": neuron()}))
