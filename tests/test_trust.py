"""Row sums against sums by hand, untrained networks that are what they say, and their likeness."""

import numpy as np
import pytest
import torch

from dista import measures
from dista.experiments.untrained import untrained_like
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
    swapped = recording.copy(deep=True)
    for block in "01":
        maps = swapped[f"blocks/{block}/attention/denoise"]
        maps.values[:] = maps.values[:, :, ::-1].copy()
    other = recording.copy(deep=True)
    for block in "01":
        maps = other[f"blocks/{block}/attention/denoise"]
        maps.values[:] = maps.values[..., ::-1].copy()
    flat = [
        tree["blocks/1/attention/denoise"].isel(batch=3).astype(float).sum("head").values.ravel()
        for tree in (recording, other)
    ]
    cosine = float(flat[0] @ flat[1] / np.prod([np.linalg.norm(v) for v in flat]))
    similarities = measures.untrained_similarity(recording, [swapped, other], 3)
    assert [one.block for one in similarities] == [0, 1] and similarities[1].networks == 2
    assert similarities[1].trained == pytest.approx((1 + cosine) / 2)
    assert similarities[1].trained_spread == pytest.approx((1 - cosine) / 2**0.5)
    assert (
        similarities[1].untrained == pytest.approx(cosine)
        and similarities[1].untrained_spread is None
    )


def test_empty_maps_and_no_networks(recording):
    silent = recording.copy(deep=True)
    silent["blocks/0/attention/denoise"].values[:] = 0
    first, second = measures.untrained_similarity(recording, [silent])
    assert first.trained is None and second.trained == pytest.approx(1)
    assert second.untrained is None
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
