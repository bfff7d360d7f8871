"""One neuron that learns to fire at a step."""

import numpy as np
import pytest

from dista.experiments.learning_neuron import learn_to_fire
from dista.experiments.single_neuron import driven


def test_both_together_wake_a_quiet_neuron_and_tau_alone_never():
    both = learn_to_fire(5, weight=0.9, rate=0.1, updates=20)
    assert both.reached == len(both.weight) - 1 > 0
    assert driven([both.weight[-1]] * 8, both.tau[-1]).fired.tolist() == [5]
    low, high = both.window(both.tau[-1:])
    assert low[0] <= both.weight[-1] < high[0]
    assert np.isnan(both.first[0]) and both.first[-1] == 5 and both.loss[-1] == 0
    alone = learn_to_fire(5, learn=["tau"], weight=0.9, rate=0.1, updates=5)
    assert alone.reached is None and not alone.fired.any() and len(alone.tau) == 6
    assert (alone.weight == alone.weight[0]).all() and (np.diff(alone.tau) < 0).all()
    assert (alone.name, both.name) == ("tau", "weight and tau")


def test_what_is_left_out_does_not_move():
    run = learn_to_fire(5, learn=["weight"], weight=1.3, updates=3)
    assert (run.tau == 2.0).all() and run.weight[1] != run.weight[0]


@pytest.mark.parametrize(
    "arguments, words",
    [(dict(step=9), "step=9; expected 0 to 7"), (dict(step=1, learn=["bias"]), "weight, tau")],
)
def test_what_cannot_be_learned(arguments, words):
    with pytest.raises(ValueError, match=words):
        learn_to_fire(**arguments)
