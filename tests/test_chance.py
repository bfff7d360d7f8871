"""The chance level of a map, against spikes that were shuffled; what patches pay and receive, against sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from einops import rearrange

import dista
from dista import measures

SPLIT = "time batch (head dim) row column -> time batch head (row column) dim"


@pytest.fixture(scope="module")
def recorded(small_model, small_input):
    model = small_model()
    return model, dista.record(model, small_input(model.config), ["blocks.*.attention.*"])


def spikes(recording, part, heads):
    array = recording[f"blocks/1/attention/{part}/neuron/spikes"].values
    return rearrange(array, SPLIT, head=heads).astype(int)


def test_a_chance_level_is_the_mean_over_shuffled_channels(recorded):
    """Which channels of a key fire is drawn anew; how many do stays."""
    model, tree = recorded
    q, k = (spikes(tree, part, model.config.heads) for part in ("query", "key"))
    scores = tree["blocks/1/attention/scores"]
    chance = measures.chance_map(tree, 1)
    assert chance.shape == scores.shape
    pair, t, m = 4, int(scores.query_time[4]), int(scores.key_time[4])
    assert t != m, "a pair of two steps"
    random, query, key = np.random.default_rng(0), q[t, 1, 2, 5], k[m, 1, 2, 9]
    assert query.any() and key.any()
    shuffled = [query @ random.permutation(key) for _ in range(4000)]
    assert chance[pair, 1, 2, 5, 9] == pytest.approx(np.mean(shuffled), abs=0.06)
    assert chance[pair, 1, 2, 5, 9] == pytest.approx(
        query.sum() * key.sum() / model.config.head_dim
    )


def test_levels_are_means_of_the_maps(recorded):
    _, tree = recorded
    levels = measures.chance_levels(tree)
    assert [level.block for level in levels] == [0, 1]
    scores, chance = tree["blocks/1/attention/scores"].values, measures.chance_map(tree, 1)
    one = levels[1]
    assert (one.counted, one.chance) == pytest.approx((scores.mean(), chance.mean()))
    assert one.share == pytest.approx(chance.sum() / scores.sum()) and 0.5 < one.share < 1.5
    assert one.alike == pytest.approx(np.corrcoef(scores.ravel(), chance.ravel())[0, 1] ** 2)
    assert one.table()["share"].tolist() == [one.share]


def test_spikes_in_the_same_channels_coincide_more_than_by_chance(recorded):
    """All patches fire 2 of the 13 channels of each head, always the same: 2 coincidences, 4/13 by chance."""
    _, tree = recorded
    same = tree.copy(deep=True)
    fixed = tree["blocks/1/attention/query/neuron/spikes"].copy(deep=True)
    fixed.values[:] = (np.arange(39) % 13 < 2)[:, None, None]
    for part in ("query", "key"):
        same[f"blocks/1/attention/{part}/neuron/spikes"] = fixed
    scores = tree["blocks/1/attention/scores"]
    same["blocks/1/attention/scores"] = scores.copy(data=np.full(scores.shape, 2))
    level = measures.chance_levels(same)[1]
    assert (level.counted, level.chance) == pytest.approx((2, 4 / 13))
    assert level.share == pytest.approx(2 / 13) and level.alike is None


def test_patches_pay_rows_and_receive_columns(recorded):
    _, tree = recorded
    for of, name in (("raw", "scores"), ("kept", "denoise")):
        map_ = tree[f"blocks/1/attention/{name}"].values.astype(int)
        totals = measures.patch_totals(tree, 1, of=of)
        assert totals.paid.shape == totals.received.shape == (7, 11) and totals.samples == 4
        assert totals.paid[2, 3] == pytest.approx(map_[:, :, :, 2 * 11 + 3, :].sum() / 4)
        assert totals.received[2, 3] == pytest.approx(map_[:, :, :, :, 2 * 11 + 3].sum() / 4)
        assert totals.paid.sum() == pytest.approx(totals.received.sum())
        table = totals.table()
        assert (
            len(table) == 77
            and table.query("row == 2 and column == 3")["paid"].item() == totals.paid[2, 3]
        )


def test_what_is_missing_is_named(recorded):
    _, tree = recorded
    alone = tree.copy()
    del alone["blocks/0/attention"]["query"]
    with pytest.raises(measures.MeasureError, match=r"blocks\.0\.attention\.query\.neuron\.spikes"):
        measures.chance_levels(alone)
    with pytest.raises(measures.MeasureError, match="no attention maps"):
        measures.chance_levels(tree["blocks/0/attention/key"])
