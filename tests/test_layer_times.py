"""Time of layers beside their operations: what was timed, what was counted, and what is said of both."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dista
from dista.experiments import operations
from dista.experiments.layer_times import layer_times
from dista.figures.speed import of_layers
from dista.measures import LayerTimes


@pytest.fixture(scope="module")
def pairs():
    """Two pairs of ``match``: (step, sample, ...)."""
    return dista.data.open("match").test.batch([0, 1])[0]


def test_every_layer_of_weights_and_attention_is_timed_at_every_step(pairs):
    model = dista.load("match-map")
    times, counts = layer_times(model, pairs, rounds=3), operations.count(model, pairs)
    counted = [name for name in counts["layer"].values if name not in ("stem.stages.0", "head")]
    together = [name.rpartition(".")[0] for name in counted if name.endswith(".scores")]
    assert set(times.layers) == {n for n in counted if not n.endswith(("scores", "read"))} | set(
        together
    )
    assert times.seconds.shape == (len(times.layers), len(pairs), 3) and (times.seconds > 0).all()
    total = counts["accumulates"].sel(layer=counted).mean("batch").sum()
    assert times.accumulates.sum() == pytest.approx(float(total))
    assert times.samples == 2 and 0 < times.multiplies.mean() < 1
    assert sorted(np.array(times.layers)[times.attends]) == sorted(together)


def test_timing_leaves_the_model_as_it_was(pairs):
    model = dista.load("match-map")
    with torch.no_grad():
        before = model(pairs)
        layer_times(model, pairs, rounds=1)
        assert torch.equal(model(pairs), before)


def test_a_still_image_is_seen_at_every_step():
    model = dista.load("digits")
    times = layer_times(model, dista.data.open("digits").test.batch([0])[0], rounds=1)
    assert times.accumulates.shape[1] == model.config.time_steps


def made(seconds) -> LayerTimes:
    """Two layers of weights and attention, of one step and one round each."""
    names, counted = (
        ("stem.position", "blocks.0.mlp.hidden", "blocks.0.attention"),
        np.array([[10.0], [30.0], [2.0]]),
    )
    return LayerTimes(names, counted, np.array(seconds)[:, None, None], np.zeros((3, 1), bool), 1)


def test_the_line_goes_through_layers_of_weights_and_attention_is_compared_with_them():
    times = made([3.0, 5.0, 10.0])
    assert times.fit == pytest.approx((2.0, 0.1, 1.0))
    assert times.costlier == pytest.approx((10 / 2) / (8 / 40))
    assert "explain 100 %" in of_layers(times) and "take 25 times as long" in of_layers(times)


def test_a_silent_attention_has_no_price():
    times = made([3.0, 5.0, 10.0])
    times.accumulates[2] = 0
    assert times.costlier is None and of_layers(times).endswith("differ in time")


def test_what_cannot_be_timed_says_why(pairs, monkeypatch):
    model = dista.load("match-map")
    with pytest.raises(ValueError, match="rounds=0; expected at least one"):
        layer_times(model, pairs, rounds=0)
    with pytest.raises(ValueError, match="training mode"):
        layer_times(model.train(), pairs)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    with pytest.raises(ValueError, match=r"cannot be timed.*switched off"):
        layer_times(model.eval(), pairs)
