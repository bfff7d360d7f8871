"""One step changed: the inputs, and what the model still knows of it at every later step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr

from dista import measures
from dista.experiments.ablations import ablated
from dista.experiments.counterfactuals import changed_cue, changed_steps, cue_steps
from dista.measures import MeasureError, causal_memory
from dista.memories import FORMS
from dista.recording import record

NAMES = ["head", "*.denoise", "*.scores", "*.membrane"]
MAP, MEMBRANE = "blocks.1.attention.denoise", "blocks.1.attention.key.neuron.membrane"


def frames(small_input, config, seed=2):
    return small_input(config, samples=1, steps=5, seed=seed)


def recorded(model, batch, switches=(), others=None):
    with ablated(model, switches, others):
        return record(model, batch, NAMES)


# --- inputs -------------------------------------------------------------------------------------


def test_each_copy_differs_in_one_step(small_input, small_config):
    x, other = (frames(small_input, small_config(), seed) for seed in (2, 3))
    for replacement, new in ((None, torch.zeros_like(x)), (other, other)):
        batch = changed_steps(x, 5, replacement)
        assert batch.shape == (5, 6, *x.shape[2:])
        assert torch.equal(batch[:, 0], x[:, 0])
        for m in range(5):
            expected = x[:, 0].clone()
            expected[m] = new[m, 0]
            assert torch.equal(batch[:, 1 + m], expected)


def test_an_image_is_shown_at_every_step(small_input, small_config):
    x = small_input(small_config(), samples=1)
    batch = changed_steps(x, 3)
    assert batch.shape == (3, 4, *x.shape[1:])
    assert torch.equal(batch[2, 2], x[0]) and not batch[1, 2].any()


def test_other_shapes_are_refused(small_input, small_config):
    x = small_input(small_config(), samples=2)
    with pytest.raises(ValueError, match="expected one sample each"):
        changed_steps(x, 3)
    with pytest.raises(ValueError, match="of the same shape"):
        changed_steps(x[:1], 3, x[:1, :, 1:])


# --- effects ------------------------------------------------------------------------------------


@pytest.fixture
def run(small_model, small_input):
    model = small_model()
    batch = changed_steps(frames(small_input, model.config), 5)
    return model, batch, recorded(model, batch)


def test_effects_are_those_of_one_run_at_a_time(run):
    """Against loops over steps, on recordings of the original and of each copy alone."""
    model, batch, together = run
    alone = [record(model, batch[:, [i]], NAMES) for i in range(6)]
    logits, maps, h = (
        [r[name.replace(".", "/")].values.astype(float) for r in alone]
        for name in ("head", MAP, MEMBRANE)
    )
    query_time = alone[0]["blocks/1/attention/denoise"].coords["query_time"].values
    of_head, of_map, of_h = (causal_memory(together, n).effect for n in ("head", MAP, MEMBRANE))
    for m, t in [(m, t) for m in range(5) for t in range(5)]:
        if t < m:
            assert np.isnan([of_head[t, m], of_map[t, m], of_h[t, m]]).all()
            continue
        change = logits[1 + m][t, 0] - logits[0][t, 0]
        assert of_head[t, m] == pytest.approx(np.sqrt((change**2).mean()), abs=1e-5)
        new, old = (maps[i][query_time == t] for i in (1 + m, 0))
        apart = abs(new - old).sum() / max(1, (new + old).sum())
        assert of_map[t, m] == pytest.approx(apart)
        assert of_h[t, m] == pytest.approx(abs(h[1 + m][t] - h[0][t]).mean(), abs=1e-5)
    assert np.nanmax(of_map) <= 1 and np.diag(of_h).min() > 0


@pytest.mark.parametrize("form", FORMS)
def test_each_memory_carries_a_change_and_without_both_nothing_does(small_model, small_input, form):
    model = small_model(memory=dict(form=form, window=1 if form == "none" else 3))
    batch, others = (
        changed_steps(frames(small_input, model.config), 5), frames(small_input, model.config, 9)
    )  # fmt: skip
    later = {
        cut: causal_memory(recorded(model, batch, cut, others)).later
        for cut in ((), ("neuron-memory",), ("memory",), ("memory", "neuron-memory"))
    }
    assert later[()] > 1e-3 and later["memory",] > 1e-3
    assert (later["neuron-memory",] > 1e-3) == (form != "none")
    assert later["memory", "neuron-memory"] == 0


@pytest.mark.parametrize("form", ["projection", "map"])
def test_a_window_limits_how_far_a_change_reaches(small_model, small_input, form):
    """One block, no neuron memory: W steps, the changed one included, and not one more."""
    model = small_model(depth=1, memory=dict(form=form, window=3))
    batch = changed_steps(frames(small_input, model.config), 5)
    others = frames(small_input, model.config, 9)
    result = causal_memory(recorded(model, batch, ["neuron-memory"], others))
    assert result.reach.tolist() == [2, 2, 2, 1, 0]


@pytest.mark.parametrize("form", FORMS)
def test_the_cue_reaches_the_answer_through_memory_alone(small_model, small_input, form):
    """The root mean square by hand; 0, exactly, without both memories; never what a cut does to all answers."""
    model = small_model(readout_steps=2, memory=dict(form=form, window=1 if form == "none" else 3))
    x, other, lent = (small_input(model.config, steps=5, seed=seed) for seed in (2, 3, 9))
    changed = changed_cue(x, 5, [0, 1], other)
    assert torch.equal(changed[:2], other[:2]) and torch.equal(changed[2:], x[2:])
    assert not changed_cue(x, 5, [1])[1].any()
    results = {}
    for cut in ((), ("memory", "neuron-memory")):
        pair = [recorded(model, each, cut, lent) for each in (x, changed)]
        results[cut] = measures.cue_effect(*pair)
        before, after = (tree["head"].values[-2:].mean(0) for tree in pair)
        assert np.allclose(results[cut].effect, np.sqrt(((after - before) ** 2).mean(1)))
    one, none = results.values()
    assert one.low < one.mean < one.high and one.mean == pytest.approx(one.effect.mean())
    assert (none.mean, none.low, none.high) == (0, 0, 0) and one.mean > 0
    assert list(one.table()["effect"]) == list(one.effect)


def test_the_interval_of_the_mean_effect_covers_it():
    """In about 95 of 100 draws of 30 samples from a skewed distribution whose mean is 1."""
    random = np.random.default_rng(3)
    drawn = [measures.mean_effect(random.exponential(size=30)) for _ in range(100)]
    assert 85 <= sum(one.low <= 1 <= one.high for one in drawn) <= 99


def test_a_cue_is_where_a_task_says_so_or_the_first_step():
    assert cue_steps(["cue", "cue", "delay", "probe"]) == [0, 1]
    assert cue_steps(None) == cue_steps(["a", "b"]) == [0]
    with pytest.raises(ValueError, match="expected the same"):
        changed_cue(torch.zeros(3, 1, 1, 2, 2), 3, [0], torch.zeros(3, 2, 1, 2, 2))
    with pytest.raises(MeasureError, match="record the same samples"):
        measures.cue_effect(
            *(
                xr.DataTree(xr.Dataset({"head": (("time", "batch", "class"), np.zeros((3, n, 2)))}))
                for n in (1, 2)
            )
        )


def test_reach_counts_steps_and_ignores_rounding():
    effect = np.full((3, 3), np.nan)
    effect[np.tril_indices(3)] = [2.0, 1e-9, 0.0, 1.0, 0.0, 0.0]
    result = measures.CausalMemory("head", effect)
    assert result.reach.tolist() == [2, -1, -1]
    assert result.largest == 2.0 and result.later == 1.0


def test_the_most_changed_neuron_is_the_one_of_a_loop(run):
    _, _, together = run
    layer = MEMBRANE.removesuffix(".membrane")
    h = together[MEMBRANE.replace(".", "/")].values  # time batch channel row column
    for m, later in ((1, slice(2, None)), (4, slice(4, None))):
        change = abs(h[later, 1 + m] - h[later, 0]).sum(0)
        places = [(c, r, k) for c in range(39) for r in range(7) for k in range(11)]
        assert measures.most_changed(together, layer, m) == max(places, key=lambda p: change[p])
    with pytest.raises(MeasureError, match="step=5; the recording has 0 to 4"):
        measures.most_changed(together, layer, 5)


def test_what_is_no_such_recording_is_refused(run, small_input):
    model, batch, together = run
    with pytest.raises(MeasureError, match="4 samples for 5 steps; expected an input"):
        causal_memory(record(model, batch[:, :4], NAMES))
    with pytest.raises(MeasureError, match=r"no 'blocks\.7\.attention\.denoise'"):
        causal_memory(together, "blocks.7.attention.denoise")
