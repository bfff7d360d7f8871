"""Firing maps, membrane histograms and map similarity, against loops over a recorded model."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from dista import measures, recording
from dista.experiments.interventions import intervene, threshold, zero
from dista.measures import MeasureError

LAYER = "blocks.1.mlp.hidden.neuron"


@pytest.fixture(scope="module")
def recorded(small_model, small_input):
    model = small_model()
    x = small_input(model.config)
    return model, x, recording.record(model, x)


def values(tree, name):
    return tree[name.replace(".", "/")].values


# Rates ------------------------------------------------------------------------------------------


def test_firing_map_is_a_count_of_spikes(recorded):
    _, _, tree = recorded
    result = measures.firing_map(tree)
    assert list(result.layers) == measures.layers(tree) and result.samples == 4
    for i, layer in enumerate(result.layers):
        spikes = values(tree, f"{layer}.spikes")  # time batch channel row column
        assert result.neurons[i] == math.prod(spikes.shape[2:])
        for step in range(5):
            assert result.rate[i, step] == pytest.approx(spikes[step].sum() / spikes[step].size)
        of_neuron = [spikes[..., c, y, x] for c, y, x in np.ndindex(*spikes.shape[2:])]
        dead = sum(not one.any() for one in of_neuron)
        saturated = sum(bool(one.all()) for one in of_neuron)
        assert result.dead[i] * len(of_neuron) == pytest.approx(dead)
        assert result.saturated[i] * len(of_neuron) == pytest.approx(saturated)


def test_overall_shares_weigh_layers_by_their_neurons():
    rate = np.zeros((2, 3))
    result = measures.FiringMap(
        ("a", "b"), rate, np.array([1.0, 0.25]), np.array([0.0, 0.5]), np.array([10, 30]), 1
    )
    assert result.dead_overall == pytest.approx(17.5 / 40)
    assert result.saturated_overall == pytest.approx(15 / 40)


def test_without_spikes_it_says_what_to_record(recorded):
    model, x, _ = recorded
    with pytest.raises(MeasureError, match=r"record '\*\.spikes'"):
        measures.firing_map(recording.record(model, x, ["*.tau"]))


# Membranes --------------------------------------------------------------------------------------


def test_membrane_histogram_counts_what_lies_between_its_edges(recorded):
    _, _, tree = recorded
    result = measures.membrane_histogram(tree, LAYER)
    h = values(tree, f"{LAYER}.membrane")
    assert result.threshold == 1.0 and result.total == h.size
    assert np.abs(result.edges - 1.0).min() == 0  # one edge is the threshold
    assert result.fired == pytest.approx(values(tree, f"{LAYER}.spikes").mean())
    expected, _ = np.histogram(h, result.edges)
    assert np.abs(result.counts - expected).sum() <= 2  # values on an edge, rounded either way
    assert result.outside == pytest.approx(1 - result.counts.sum() / h.size)
    assert 0 < result.outside < 0.02


@pytest.mark.parametrize("h", [[0.25] * 4, [1.0, 1.0, 1.0, 1.0], [-3.0, 1.0, 1.5, 9.0]])
def test_a_membrane_at_the_threshold_fires(h):
    axes = ("time", "batch", "channel", "row", "column")
    array = xr.DataArray(
        np.array(h).reshape(4, 1, 1, 1, 1), dims=axes, attrs={"v_threshold": 1.0, "v_reset": 0.0}
    )
    tree = xr.DataTree.from_dict({"a/neuron": xr.Dataset({"membrane": array})})
    result = measures.membrane_histogram(tree, "a.neuron")
    above = result.edges[:-1] >= 1.0
    assert result.fired * 4 == sum(potential >= 1 for potential in h)
    inside = [potential for potential in h if result.edges[0] <= potential < result.edges[-1]]
    assert result.counts[above].sum() == sum(potential >= 1 for potential in inside)
    assert result.counts.sum() == len(inside)


# Similarity -------------------------------------------------------------------------------------


def test_map_similarity_is_a_cosine(recorded, small_input):
    model, _, tree = recorded
    other = recording.record(model, small_input(model.config, seed=9))
    for block, result in enumerate(measures.map_similarity(tree, other, sample=2)):
        for stage, cosine in (("scores", result.raw), ("denoise", result.denoised)):
            name = f"blocks.{block}.attention.{stage}"
            a, b = (values(one, name)[:, 2].astype(int).ravel().tolist() for one in (tree, other))
            dot = sum(p * q for p, q in zip(a, b))
            expected = dot / math.sqrt(sum(p * p for p in a) * sum(q * q for q in b))
            assert cosine == pytest.approx(expected) and 0 < cosine < 1
    assert measures.map_similarity(tree, tree)[1].denoised == pytest.approx(1)


def test_map_similarity_of_nothing_is_none_and_of_other_shapes_refused(recorded, small_input):
    model, x, tree = recorded
    with intervene(model, {"blocks.0.attention.denoise": zero()}):
        silent = recording.record(model, x)
    result = measures.map_similarity(tree, silent)[0]
    assert result.denoised is None and result.raw == pytest.approx(1)
    with intervene(model, {"blocks.0.attention.denoise": threshold(4)}):
        denoised = recording.record(model, x)
    assert 0 < measures.map_similarity(tree, denoised)[0].denoised < 1
    shorter = recording.record(model, small_input(model.config, steps=3))
    with pytest.raises(MeasureError, match="recordings of the same model"):
        measures.map_similarity(tree, shorter)
