"""Row sums against sums by hand, untrained networks that are what they say, and their likeness."""

import numpy as np
import pytest
import torch

from dista import measures
from dista.experiments.untrained import untrained_like
from dista.measures.similarity import cosine
from dista.recording import record

MAPS = ["*.scores", "*.denoise"]


@pytest.fixture(scope="module")
def recording(small_model, small_input):
    model = small_model()
    return record(model, small_input(model.config, steps=5), MAPS)


def test_row_sums_are_over_all_keys_in_reach(recording):
    node = recording["blocks/1/attention"].isel(batch=2)
    for of, name in (("kept", "denoise"), ("raw", "scores")):
        sums = np.concatenate([
            node[name].isel(pair=np.flatnonzero(node["query_time"] == step)).sum(("pair", "key")).values.ravel()
            for step in range(5)
        ])  # fmt: skip
        some = sums[sums > 0]
        summary = measures.row_sums(recording, 1, 2, of=of)
        assert (summary.low, summary.high) == (some.min(), some.max())
        assert summary.median == np.median(some)
        assert (summary.rows, summary.empty) == (5 * 3 * 77, len(sums) - len(some))
        assert not summary.normalised


def test_normalised_rows_are_recognised_and_empty_maps_are_not(recording):
    changed = recording.copy(deep=True)
    map_ = changed["blocks/0/attention/denoise"]
    steps = changed["blocks/0/attention/query_time"].values
    reach = np.bincount(steps)[steps] * map_.sizes["key"]
    even = np.broadcast_to(1 / reach[:, None, None, None, None], map_.shape)
    node = changed["blocks/0/attention"]
    node["denoise"] = map_.copy(data=even.astype(np.float32))
    summary = measures.row_sums(changed, 0, 1)
    assert summary.normalised and summary.median == pytest.approx(1) and summary.empty == 0
    node["denoise"] = map_.copy(data=np.zeros(map_.shape, np.uint8))
    summary = measures.row_sums(changed, 0, 1)
    assert not summary.normalised and summary.high == 0 and summary.empty == summary.rows


def test_similarity_to_untrained_networks(recording):
    """With heads swapped a network is alike to itself; the yardstick is that of the others' pairs."""
    swapped, other = (changed(recording, axis) for axis in (2, 4))
    flat = [
        tree["blocks/1/attention/scores"]
        .astype(float)
        .sum("head")
        .transpose("batch", ...)
        .values.reshape(4, -1)
        for tree in (recording, other)
    ]
    expected = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(*flat)])
    similarities = measures.untrained_similarity(recording, [swapped, other], [other])
    assert [one.block for one in similarities] == [0, 1]
    second = similarities[1]
    assert (second.of, second.samples, second.networks, second.controls) == ("raw", 4, 2, 1)
    assert second.trained == pytest.approx((1 + expected) / 2)
    assert second.trained_spread == pytest.approx((1 - expected) / 2**0.5)
    assert second.untrained == pytest.approx(expected) and second.untrained_spread is None
    assert second.retrained == pytest.approx(expected) and second.retrained_spread is None


def changed(recording, axis, stage="scores"):
    """The same with an axis of its maps the other way round."""
    tree = recording.copy(deep=True)
    for block in "01":
        maps = tree[f"blocks/{block}/attention/{stage}"]
        maps.values[:] = np.flip(maps.values, axis).copy()
    return tree


def test_maps_that_share_nothing_but_how_full_they_are_are_not_alike(recording):
    """Where the cosine that is not centred says that they are."""
    random = np.random.default_rng(0)
    trees = []
    for _ in range(3):
        tree = recording.copy(deep=True)
        maps = tree["blocks/0/attention/scores"]
        maps.values[:] = random.integers(3, 9, maps.shape)
        trees.append(tree)
    first, _ = measures.untrained_similarity(trees[0], trees[1:])
    assert abs(first.trained) < 0.05 and abs(first.untrained) < 0.05
    a, b = (tree["blocks/0/attention/scores"].values.astype(float).ravel() for tree in trees[:2])
    assert cosine(a, b) > 0.8


def test_empty_maps_and_no_networks(recording):
    silent = recording.copy(deep=True)
    silent["blocks/0/attention/scores"].values[:] = 0
    first, second = measures.untrained_similarity(recording, [silent])
    assert first.trained is None and second.trained == pytest.approx(1)
    assert second.untrained is None and second.retrained is None and second.controls == 0
    with pytest.raises(measures.MeasureError, match="untrained is empty"):
        measures.untrained_similarity(recording, [])


def test_an_untrained_network_starts_as_training_would(small_model, small_input):
    model = small_model(seed=7)
    x = small_input(model.config, steps=5)
    before, state = model.state_dict(), torch.random.get_rng_state()
    fresh = untrained_like(model, x, seed=3)
    assert torch.equal(torch.random.get_rng_state(), state), "torch's random state is left alone"
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    torch.manual_seed(3)
    start = type(model)(model.config)
    for name, value in start.named_parameters():
        assert torch.equal(value, dict(fresh.named_parameters())[name])
    assert not fresh.training and fresh.config == model.config
    other = untrained_like(model, x, seed=4)
    assert not torch.equal(fresh.head.linear.weight, other.head.linear.weight)


def test_its_normalisation_has_the_statistics_of_the_batch(small_model, small_input):
    model = small_model()
    x = small_input(model.config, steps=5)
    fresh = untrained_like(model, x)
    norm = fresh.stem.stages[0].norm
    current = fresh.stem.stages[0].conv(fresh.normalised(x)).flatten(0, 1)
    torch.testing.assert_close(norm.running_mean, current.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, current.var((0, 2, 3)))
    rates = measures.firing_map(record(fresh, x, "*.spikes")).rate
    assert (rates.max(1) > 0).all(), "no layer is silent"
    momenta = {m.momentum for m in fresh.modules() if isinstance(m, torch.nn.BatchNorm2d)}
    assert momenta == {0.1}
