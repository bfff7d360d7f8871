"""One neuron alone: by hand, and by the equations of the layers."""

import numpy as np
import pytest

from dista.experiments.single_neuron import driven, tau_sweep
from dista.widgets.lab import tau_lab


def by_hand(current, tau, threshold, reset):
    v, h, s = 0.0, [], []
    for x in current:
        v = v + (x - v) / tau
        h.append(v)
        s.append(v >= threshold)
        v = v * (not s[-1]) if reset == "hard" else v - threshold * s[-1]
    return h, s


@pytest.mark.parametrize("reset", ["hard", "soft"])
@pytest.mark.parametrize("tau", [1.0, 2.0, 3.7])
def test_a_neuron_does_what_its_equations_say(tau, reset):
    current = np.random.default_rng(0).normal(1, 1, 40)
    trace = driven(current, tau, threshold=0.8, reset=reset)
    h, s = by_hand(current, tau, 0.8, reset)
    np.testing.assert_allclose(trace.h, h)
    np.testing.assert_array_equal(trace.spikes, s)
    assert (
        0 < len(trace.fired) < 40
        and trace.tau == tau
        and trace.v_reset == (0.0 if reset == "hard" else None)
    )


@pytest.mark.parametrize("tau", [1.0, 2.0, 5.0])
def test_below_its_current_a_neuron_is_silent_and_above_it_speaks(tau):
    least = float(tau_sweep([1.0] * 9, [tau]).silent_below[0])
    assert not len(driven([0.999 * least] * 9, tau).fired)
    assert len(driven([1.001 * least] * 9, tau).fired)


def test_a_slower_neuron_speaks_less():
    sweep = tau_sweep([1.5] * 24, range(1, 9))
    assert sweep.spikes[0] == 24 and (np.diff(sweep.spikes) <= 0).all()
    assert sweep.steps == 24 and (np.diff(sweep.silent_below) >= 0).all()


@pytest.mark.parametrize(
    "current, options, words",
    [
        ([1.0], {"tau": 0.5}, "tau=0.5; expected 1 or more"),
        ([1.0], {"threshold": 0}, "threshold=0; expected a positive"),
        ([1.0], {"reset": "none"}, "expected one of hard, soft"),
        ([], {}, "has no step"),
    ],
)
def test_what_no_neuron_has(current, options, words):
    with pytest.raises(ValueError, match=words):
        driven(current, **options)


def test_the_lab_follows_every_lever():
    lab = tau_lab([1.5] * 6, tau=2.0)
    assert lab.drawn["spikes"] == [1, 3, 5] and len(lab.drawn["h"]) == 6
    lab.tau = 1.0
    assert lab.drawn["spikes"] == list(range(6))
    lab.threshold = 2.0
    assert lab.drawn["spikes"] == []
    lab.current = [4.0, 0, 0, 0, 0, 0]
    assert lab.drawn["spikes"] == [0] and lab.drawn["v"][0] == 0
    lab.reset = "soft"
    assert lab.drawn["v"][0] == 2.0 and lab.trace.v_reset is None
    assert "soft reset: it fires at 1." in lab._repr_mimebundle_()[0]["text/plain"]
