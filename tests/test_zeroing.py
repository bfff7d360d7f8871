"""Pairs of steps taken out of a map, one by one: each effect is that of a run of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dista.experiments.interventions import intervene, zero
from dista.experiments.zeroing import zeroed_pairs
from dista.measures import EntryEffects
from dista.recording import record

NAME = "blocks.1.attention.denoise"


@pytest.fixture
def mapped(small_model, small_input):
    model = small_model(memory=dict(form="map", window=2))
    return model, small_input(model.config, 3)


def test_each_effect_is_that_of_a_run_of_its_own(mapped):
    model, x = mapped
    effects = zeroed_pairs(model, x, block=1)
    counts = record(model, x, [NAME])[NAME.replace(".", "/")]
    for pair in (0, 1, len(effects.query_time) - 1):
        mask = torch.zeros(counts.sizes["pair"], 1, 1, 1, 1, dtype=torch.bool)
        mask[pair] = True
        with torch.inference_mode():
            before = model(x)
            with intervene(model, {NAME: zero(mask)}):
                after = model(x)
        assert effects.effect[:, pair] == pytest.approx(
            (after - before).abs().mean(1).numpy(), abs=1e-6
        )
    assert effects.effect.any(), "a model in which nothing has an effect would prove nothing"


def test_attention_is_the_share_of_all_counts(mapped):
    model, x = mapped
    effects = zeroed_pairs(model, x, block=1)
    counts = record(model, x, [NAME])[NAME.replace(".", "/")]
    expected = counts.sum(("head", "query", "key")) / counts.sum(("head", "query", "key", "pair"))
    assert effects.attention == pytest.approx(expected.transpose("batch", "pair").values)
    assert effects.query_time.tolist() == counts["query_time"].values.tolist()
    assert effects.key_time.tolist() == counts["key_time"].values.tolist()


def effects(attention, effect) -> EntryEffects:
    steps = np.arange(len(attention[0]))
    return EntryEffects(0, steps, steps, np.array(attention), np.array(effect))


def test_agreement_is_of_ranks_and_of_samples_that_have_one():
    assert effects([[0.1, 0.2, 0.7]], [[1, 2, 30]]).agreement == pytest.approx(1)
    assert effects([[0.1, 0.2, 0.7]], [[3, 2, 0]]).agreement == pytest.approx(-1)
    half = effects([[0.1, 0.2, 0.7], [0.2, 0.2, 0.6]], [[1, 2, 3], [0, 0, 0]])
    assert half.agreement == pytest.approx(1)
    assert np.isnan(effects([[0.5, 0.5]], [[1, 2]]).agreement)


def test_attention_without_effect():
    one = effects([[0.1, 0.2, 0.7], [0.5, 0.5, 0]], [[1, 0, 0], [1, 1, 0]])
    assert one.without_effect == pytest.approx(0.45)
    assert one.table().shape == (6, 7)


def test_what_cannot_be_zeroed_is_said(mapped):
    model, x = mapped
    with pytest.raises(ValueError, match="block 7; this model has blocks 0 to 1"):
        zeroed_pairs(model, x, block=7)
    with pytest.raises(ValueError, match="training mode"):
        zeroed_pairs(model.train(), x, block=0)
