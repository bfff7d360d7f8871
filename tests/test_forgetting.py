"""Cuts of memory remove what was remembered of this sample, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dista
import dista.data
from dista.attention import causal_pairs
from dista.experiments import forgetting
from dista.experiments.ablations import ablated
from dista.experiments.evaluation import BATCH, answer, answers
from dista.experiments.interventions import intervene
from dista.memories import FORMS
from dista.neurons import LIF
from dista.recording import record

STEPS = 5


@pytest.fixture(scope="module", params=FORMS)
def network(request, small_model, small_input):
    """A model, an input, and another sample for each of its samples."""
    form = request.param
    model = small_model(
        memory=dict(form=form, window=1 if form == "none" else 3), neuron=dict(tau=2.5, v_reset=0.1)
    )
    return model, *(small_input(model.config, steps=STEPS, seed=seed) for seed in (2, 3))


def run(model, x, changes=()):
    with intervene(model, dict(changes)):
        return record(model, x)


def of(recording, layer, part):
    return recording[f"{layer.replace('.', '/')}/{part}"].values


def neurons(model):
    return {name: m for name, m in model.named_modules() if isinstance(m, LIF)}


# --- another sample ------------------------------------------------------------------------------


def test_everybody_gets_another_one_and_each_is_given_once():
    for samples, seed in ((2, 0), (7, 0), (7, 5), (500, 0)):
        other = forgetting.another(samples, seed)
        assert sorted(other) == list(range(samples))
        assert not any(one == own for own, one in enumerate(other))
        assert other == forgetting.another(samples, seed)
    assert len({tuple(forgetting.another(50, seed)) for seed in range(5)}) > 1
    with pytest.raises(ValueError, match="1 sample; expected at least 2"):
        forgetting.another(1)


# --- neurons -------------------------------------------------------------------------------------


def test_the_current_is_this_samples_and_the_membrane_the_others(network):
    """By hand, in every layer: what came in here, and the v that a run of the others left before."""
    model, x, others = network
    cut = run(model, x, forgetting.membranes_of(model, others))
    plain, lent = run(model, x), run(model, others)
    for name, layer in neurons(model).items():
        current, h = of(cut, name, "current"), of(cut, name, "membrane")
        v = np.roll(of(lent, name, "reset"), 1, 0)
        v[0] = layer.membrane.v_reset
        tau = of(cut, name, "tau")[0]
        assert np.allclose(h, v + (current - (v - 0.1)) / tau, atol=1e-5), name
        assert np.array_equal(of(cut, name, "spikes"), h >= layer.membrane.v_threshold)
    first = next(iter(neurons(model)))
    assert np.array_equal(of(cut, first, "current"), of(plain, first, "current"))
    assert not np.allclose(of(cut, first, "membrane")[1:], of(plain, first, "membrane")[1:])
    assert np.array_equal(of(cut, first, "membrane")[0], of(plain, first, "membrane")[0])


def test_its_own_membranes_are_no_cut_and_one_other_is_enough_for_all(network):
    model, x, others = network
    with torch.inference_mode():
        before = model.steps(x)
    for changes in (forgetting.membranes_of, forgetting.past_of):
        own = model_steps(model, x, changes(model, x))
        assert torch.allclose(own, before, atol=1e-5)
        alone = model_steps(model, x, changes(model, others[:, :1]))
        each = model_steps(
            model, x, changes(model, others[:, :1].expand(-1, x.shape[1], -1, -1, -1))
        )
        assert torch.allclose(alone, each, atol=1e-5)


def model_steps(model, x, changes):
    with torch.inference_mode(), intervene(model, changes):
        return model.steps(x)


def test_without_carry_over_the_gain_stays(network):
    """h = v_reset + (x - 0) / tau: the current has the weight of training, where tau = 1 has another."""
    model, x, _ = network
    cut = run(model, x, {"*.membrane": forgetting.without_carry_over()})
    for name in neurons(model):
        h, tau = of(cut, name, "membrane"), of(cut, name, "tau")[0]
        assert np.allclose(h, 0.1 + of(cut, name, "current") / tau, atol=1e-6)
    first = next(iter(neurons(model)))
    assert np.array_equal(of(cut, first, "membrane")[0], of(run(model, x), first, "membrane")[0])


# --- attention -----------------------------------------------------------------------------------


def test_the_past_that_attention_reaches_is_the_others(network):
    """In the first block, whose input the change does not reach: lag by lag, or pair by pair."""
    model, x, others = network
    changes = forgetting.past_of(model, others)
    assert bool(changes) == (model.config.memory.form != "none")
    if not changes:
        return
    cut, plain, lent = run(model, x, changes), run(model, x), run(model, others)
    block = "blocks.0.attention"
    assert np.array_equal(
        of(cut, "stem.position.neuron", "spikes"), of(plain, "stem.position.neuron", "spikes")
    )
    if model.config.memory.form == "map":
        t, m = map(np.array, causal_pairs(STEPS, 3))
        q, k, v = (
            heads(of(plain, f"{block}.{part}.neuron", "spikes"))
            for part in ("query", "key", "value")
        )
        k2, v2 = (heads(of(lent, f"{block}.{part}.neuron", "spikes")) for part in ("key", "value"))
        now = (t == m)[:, None, None, None, None]
        scores = q[t] @ np.where(now, k[m], k2[m]).swapaxes(-1, -2)
        assert np.array_equal(of(cut, block, "scores"), scores)
        products = of(cut, block, "denoise") @ np.where(now, v[m], v2[m])
        read = [products[t == step].mean(0) for step in range(STEPS)]
        assert np.allclose(
            of(cut, block, "read"), model.config.attention_scale * np.array(read), atol=1e-5
        )
        return
    for part in ("query", "key", "value"):
        lags = [of(cut, f"{block}.{part}.lags", str(lag)) for lag in range(3)]
        assert np.array_equal(lags[0], of(plain, f"{block}.{part}.lags", "0"))
        for lag in (1, 2):
            assert np.array_equal(lags[lag], of(lent, f"{block}.{part}.lags", str(lag)))


def heads(spikes):
    """(time, batch, channel, row, column) as (time, batch, head, token, dim)."""
    *leading, channels, rows, columns = spikes.shape
    split = spikes.astype(np.float32).reshape(*leading, 3, channels // 3, rows * columns)
    return split.swapaxes(-1, -2)


def test_others_that_do_not_fit_are_refused(network):
    model, x, others = network
    for wrong in (others[:, :3], others[:4]):
        with pytest.raises(
            ValueError, match="give one other sample for each, or a single one for all"
        ):
            model_steps(model, x, forgetting.membranes_of(model, wrong))


# --- what it is worth ----------------------------------------------------------------------------


def test_a_sample_gets_the_same_other_in_whatever_batch_it_is_run():
    model, split = dista.load("digits"), dista.data.open("digits").test
    at_once = answers(model, split, ["neuron-memory"], limit=BATCH + 3)
    later = answer(model, split, range(BATCH, BATCH + 3), ["neuron-memory"])
    assert np.array_equal(at_once.answer[-3:], later.answer)
    assert np.allclose(at_once.confidence[-3:], later.confidence, atol=1e-4)
    assert np.allclose(
        answer(model, split, [4], ["neuron-memory"]).confidence, at_once.confidence[4], atol=1e-4
    )


def test_a_still_image_asks_no_neuron_to_remember():
    """Nothing is to be remembered of it, so that a cut of memory alone costs nothing; one of gain ruins it."""
    model, split = dista.load("digits"), dista.data.open("digits").test
    accuracy = {
        cut: answers(model, split, cut, limit=200).accuracy
        for cut in ((), ("neuron-memory",), ("tau=1",))
    }
    assert abs(accuracy[()] - accuracy["neuron-memory",]) < 0.03
    assert accuracy[()] - accuracy["tau=1",] > 0.5


def test_most_frequent_answers_show_a_broken_network():
    answers = dista.measures.Answers(np.array([3, 3, 3, 1]), np.array([3, 1, 2, 1]))
    assert answers.most_frequent == 0.75
    before = dista.measures.Answers(np.arange(4), answers.label)
    difference = dista.measures.paired_difference(before, answers)
    assert (difference.most_frequent_before, difference.most_frequent_after) == (0.25, 0.75)


def test_it_works_in_a_block_of_its_own(network):
    model, x, others = network
    with torch.inference_mode():
        before = model.steps(x)
        with ablated(model, ["neuron-memory"], others):
            assert not torch.equal(model.steps(x), before)
        assert torch.equal(model.steps(x), before)
