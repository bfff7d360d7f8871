"""What follows from a recorded membrane is what would have been recorded."""

from __future__ import annotations

import numpy as np
import pytest

import dista
from dista.measures import membrane_trace
from dista.measures.derived import completed

LAYER = "blocks.1.mlp.hidden.neuron"


@pytest.fixture(params=[(0.0, "layer"), (-0.25, "channel"), (None, "channel")], ids=str)
def recording(request, small_model, small_input):
    """A layer of neurons with each reset, whose taus differ where channels have their own."""
    v_reset, tau_per = request.param
    model = small_model(neuron={"v_reset": v_reset, "tau_per": tau_per})
    for name, parameter in model.named_parameters():
        if name.endswith("tau.w"):
            parameter.data.uniform_(-1.5, 1.5)
    return dista.record(model, small_input(model.config), f"{LAYER}.*")


def test_reset_and_current_follow_from_the_membrane(recording):
    node = recording[LAYER.replace(".", "/")]
    parts = {"membrane": node["membrane"], "spikes": None, "reset": None, "current": None}
    derived = completed(parts, node["tau"])
    assert node["spikes"].any() and derived["spikes"] is None
    np.testing.assert_array_equal(derived["reset"].values, node["reset"].values)
    np.testing.assert_allclose(derived["current"].values, node["current"].values, atol=2e-5)
    for name in ("reset", "current"):
        assert derived[name].dims == node[name].dims and derived[name].dtype == np.float32


def test_what_was_recorded_stays_and_what_does_not_follow_is_none(recording):
    node = recording[LAYER.replace(".", "/")]
    own = node["reset"] + 1
    derived = completed({"membrane": node["membrane"], "reset": own, "current": None}, None)
    assert derived["reset"] is own and derived["current"] is None
    bare = node["membrane"].drop_attrs()
    assert completed({"membrane": bare, "reset": None}, node["tau"])["reset"] is None
    assert completed({"spikes": node["spikes"], "reset": None}, node["tau"])["reset"] is None


def test_a_trace_is_the_same_from_less(recording):
    whole = membrane_trace(recording, LAYER, (3, 1, 2), sample=2)
    less, path = recording.copy(), LAYER.replace(".", "/")
    less[path].dataset = less[path].to_dataset().drop_vars(["reset", "current"])
    trace = membrane_trace(less, LAYER, (3, 1, 2), sample=2)
    np.testing.assert_array_equal(trace.v, whole.v)
    np.testing.assert_allclose(trace.current, whole.current, atol=2e-5)
