"""Who looks where: counts against loops over the map, ranks against sorting, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

import dista
from dista import measures
from dista.measures import MeasureError


@pytest.fixture(scope="module")
def recording(small_model, small_input):
    model = small_model(memory=dict(form="map", window=3))
    x = small_input(model.config, samples=6, steps=5)
    return dista.record(model, x, "*", labels=[0, 1, 2, 0, 1, 2])


def entries(recording, block, sample):
    """Query step, key step, head, query, key and count of every entry of a map, the slow way."""
    map_ = recording[f"blocks/{block}/attention/denoise"].isel(batch=sample)
    map_ = map_.transpose("pair", "head", "query", "key")
    times = [map_.coords[name].values for name in ("query_time", "key_time")]
    for (pair, head, query, key), value in np.ndenumerate(map_.values):
        yield times[0][pair], times[1][pair], head, query, key, int(value)


def test_what_is_paid_is_the_sum_over_the_chosen_keys(recording):
    rows, columns = measures.patch_grid(recording, 1)
    patches = np.zeros((5, rows, columns), bool)
    patches[2, 1, 2] = patches[3, 0, 0] = True
    chosen = {
        "steps": (np.arange(5) < 2, lambda t, m, k: m < 2),
        "past": (measures.past(5), lambda t, m, k: m < t),
        "patches": (patches, lambda t, m, k: patches.reshape(5, -1)[m, k]),
    }
    for name, (keys, counts) in chosen.items():
        result = measures.attention_to(recording, keys, sample=1)[1]
        paid, total = (np.zeros_like(result.paid) for _ in range(2))
        even = np.zeros((2, 5))
        for t, m, head, query, key, value in entries(recording, 1, 1):
            place = head, t, *divmod(query, columns)
            paid[place] += value * counts(t, m, key)
            total[place] += value
            even[:, t] += counts(t, m, key), 1
        assert np.array_equal(result.paid, paid) and np.array_equal(result.total, total), name
        np.testing.assert_allclose(result.even, even[0] / even[1], err_msg=name)
        says = (even[0] > 0) & (even[0] < even[1]) & (total.sum((2, 3)) > 0)
        assert np.array_equal(~np.isnan(result.share), says) and says.any()
        assert result.share[says] == pytest.approx((paid.sum((2, 3)) / total.sum((2, 3)))[says])


def test_those_who_pay_most_beyond_even_attention_come_first(recording):
    results = measures.attention_to(recording, np.arange(5) < 2)
    lookers = measures.rank_patches(results)
    surplus = [
        (one.paid - one.total * one.even[:, None, None])[
            one.paid > one.total * one.even[:, None, None]
        ]
        for one in results
    ]
    assert [one.surplus for one in lookers] == pytest.approx(np.sort(np.concatenate(surplus))[::-1])
    for one in lookers[:5]:
        maps = measures.key_maps(recording, one.block, one.head, (one.row, one.column), one.step)
        assert one.paid == maps.denoised[maps.key_steps < 2].sum()
        assert one.total == maps.denoised.sum()
    assert measures.rank_patches(results, 3) == lookers[:3]
    late = measures.rank_patches(results, since=3)
    assert late == [one for one in lookers if one.step >= 3] and len(late) < len(lookers)
    heads = measures.rank_heads(results)
    places = [(one.block, one.head) for one in heads]
    assert len(set(places)) == len(heads) and heads == sorted(heads, key=lambda h: -h.surplus)
    best = {
        (b.block, h): b.surplus[h].sum((1, 2)).max() for b in results for h in range(len(b.paid))
    }
    assert all(one.surplus == pytest.approx(best[one.block, one.head]) for one in heads)


def test_rates_of_classes_are_means_over_their_samples(recording):
    layer = "blocks.0.attention.neuron"
    rates = measures.class_rates(recording, layer, 17)
    spikes = recording["blocks/0/attention/neuron/spikes"].transpose("batch", "channel", ...).values
    for label, channel in ((0, 3), (2, 7)):
        own = spikes[[label, label + 3], channel].mean()
        assert rates.rate[channel, label] == pytest.approx(own)
    others = np.nanmean(np.delete(rates.rate[5], rates.favours[5]))
    assert rates.contrast[5] == pytest.approx(rates.rate[5, rates.favours[5]] - others)
    assert np.isnan(rates.rate[:, 3:]).all() and rates.samples.tolist() == [2] * 3 + [0] * 14
    with pytest.raises(MeasureError, match="two classes"):
        measures.class_rates(recording.isel(batch=[0]), layer, 17)


def test_what_is_drawn_is_where_pixels_are_high(small_model, small_input):
    model = small_model()
    x = 0.2 * small_input(model.config, samples=1)
    rows, columns = model.config.grid
    high, wide = x.shape[-2] // rows, x.shape[-1] // columns
    x[..., high : 2 * high, 2 * wide : 3 * wide] = 1
    keys = measures.drawn(dista.record(model, x, ["*.denoise", "*.spikes"]), 1)
    assert np.argwhere(keys.all(0)).tolist() == [[1, 2]] and keys.sum() == len(keys)
    x[:] = 0.5
    assert measures.drawn(dista.record(model, x, ["*.denoise"]), 1) is None


def test_keys_of_another_shape_are_refused(recording):
    with pytest.raises(MeasureError, match=r"shape \(4,\); expected steps \(5,\)"):
        measures.attention_to(recording, np.ones(4, bool))
