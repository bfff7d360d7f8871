"""Time against firing rate: what was timed, how much it fires, and when time follows it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dista.experiments.speed import time_by_rate
from dista.figures.speed import of_layer, sentence
from dista.measures import TimeByRate, TimeBySpikes
from dista.recording import record


def measured(least, most) -> TimeByRate:
    return TimeByRate(("few", "many"), np.array([0.1, 0.3]), np.array([least, most], float))


def test_rates_are_those_of_a_recording_and_every_round_is_there(small_model, small_input):
    model = small_model()
    x = small_input(model.config, 2)
    inputs = {"blank": 0 * x, "image": x}
    result = time_by_rate(model, inputs, rounds=2)
    assert result.names == ("blank", "image") and result.seconds.shape == (2, 2)
    assert (result.seconds > 0).all()
    for rate, one in zip(result.rate, inputs.values()):
        nodes = record(model, one, ["*.spikes"]).subtree
        spikes = [node["spikes"].values for node in nodes if "spikes" in node.data_vars]
        assert rate == pytest.approx(sum(s.sum() for s in spikes) / sum(s.size for s in spikes))
    assert result.rate[0] != result.rate[1]


@pytest.mark.parametrize(
    "least, most, follows",
    [
        ([1, 1, 1], [2, 3, 2], True),
        ([1, 1, 1], [1.05, 1.05, 1.05], False),
        ([1, 2.5, 1], [2, 2, 2], False),
        ([2, 2, 2], [1, 1, 1], False),
    ],
)
def test_time_follows_spikes_where_every_round_says_so(least, most, follows):
    result = measured(least, most)
    assert result.follows is follows
    assert ("time follows" in sentence(result)) is follows
    assert result.ratios == pytest.approx(np.divide(most, least))
    assert result.times_the_spikes == pytest.approx(3)


def test_silence_is_no_division():
    silent = TimeByRate(("none", "some"), np.array([0.0, 0.3]), np.ones((2, 3)))
    assert silent.times_the_spikes == np.inf and not silent.follows and "hardly" in sentence(silent)


def test_its_table_has_a_row_for_each_round():
    table = measured([1, 2], [3, 4]).table()
    assert table["seconds"].tolist() == [1, 2, 3, 4] and table["rate"].tolist() == [
        0.1,
        0.1,
        0.3,
        0.3,
    ]


@pytest.mark.parametrize(
    "inputs, rounds",
    [({"one": torch.zeros(1)}, 3), ({"a": torch.zeros(1), "b": torch.zeros(2)}, 3),
     ({"a": torch.zeros(1), "b": torch.zeros(1)}, 0)],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(small_model, inputs, rounds):
    with pytest.raises(ValueError, match="expected two or more of one shape, and a round"):
        time_by_rate(small_model(), inputs, rounds=rounds)


def test_a_model_that_trains_is_refused(small_model):
    with pytest.raises(ValueError, match="training mode"):
        time_by_rate(small_model().train(), {})


def swept(added, multiplied) -> TimeBySpikes:
    rate = np.array([0.1, 0.2, 0.4])
    return TimeBySpikes(
        ("rows added", "all multiplied"), rate, 1e6 * rate, np.array([added, multiplied])
    )


def test_what_a_spike_costs_is_the_slope():
    line = swept([3.0, 5.0, 9.0], [6.0, 6.0, 6.0]).fit
    assert line == pytest.approx((1.0, 2e-5, 1.0))
    by_hand = np.corrcoef([0.1, 0.2, 0.4], [3.0, 4.0, 9.0])[0, 1] ** 2
    assert swept([3.0, 4.0, 9.0], [6.0] * 3).fit.r_squared == pytest.approx(by_hand)


@pytest.mark.parametrize(
    "multiplied, rate",
    [((6.0,) * 3, 0.25), ((10.0,) * 3, None), ((1.0,) * 3, 0.1), ((3.0, 6.0, 8.0), 0.3)],
)
def test_from_which_rate_on_multiplying_is_faster(multiplied, rate):
    crossover = swept([3.0, 5.0, 9.0], multiplied).crossover
    assert crossover is None if rate is None else crossover == pytest.approx(rate)


def test_a_layer_in_one_sentence():
    said = of_layer(swept([0.003, 0.005, 0.009], [0.006] * 3))
    assert said == "1 ms and 20 ms a million accumulates; multiplying is faster from 25 % on"
    assert "never faster" in of_layer(swept([0.003, 0.005, 0.009], [0.01] * 3))
