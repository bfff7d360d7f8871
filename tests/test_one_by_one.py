"""One part after another: each answer is that of a run of its own, at the cost of what lies behind the change."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dista.data.task import Split
from dista.experiments import one_by_one
from dista.experiments.ablations import AblationError
from dista.experiments.evaluation import answer
from dista.experiments.one_by_one import Place, Upstream
from dista.neurons import time_constants


@pytest.fixture(params=["map", "projection"])
def moved(request, small_model):
    """A model whose time constants are not those from before its training."""
    model = small_model(memory=dict(form=request.param, window=3), neuron=dict(tau=3.0))
    model.card = {"starting_taus": time_constants(model)}
    with torch.no_grad():
        for module in (m for m in model.modules() if type(m).__name__ == "Tau"):
            module.w.sub_(0.8)
    return model


@pytest.fixture
def small_split(small_config, small_input):
    config = small_config()
    inputs = (255 * small_input(config, 6)).to(torch.uint8)
    return Split("test", inputs, np.arange(6) % config.classes, 1 / 255)


def test_each_answer_is_that_of_a_run_of_its_own(moved, small_split):
    parts = one_by_one.parts(moved)
    assert [len(parts[kind]) for kind in ("heads", "blocks", "denoisers", "taus")] == [6, 2, 8, 16]
    each = [
        (),
        *([text] for texts in parts.values() for text in texts[:: len(texts) // 2 - 1 or 1]),
    ]
    each += [["u=2"], ["memory"], ["neuron-memory"], ["head=0.1", "block=1"]]
    quickly = one_by_one.answer_each(moved, small_split, range(3), each, noise=0.1)
    different = 0
    for switches, quick in zip(each, quickly):
        plain = answer(moved, small_split, range(3), switches, noise=0.1)
        assert np.array_equal(quick.answer, plain.answer), switches
        np.testing.assert_array_equal(quick.confidence, plain.confidence, err_msg=str(switches))
        different += not np.array_equal(quick.confidence, quickly[0].confidence)
    assert different > len(each) / 2  # most of what is taken away is seen in the answers


def test_what_lies_before_a_change_is_computed_once(small_model, small_split, monkeypatch):
    model, runs = small_model(), {"stem": 0, "0": 0, "1": 0}
    for name, module in (("stem", model.stem), *model.blocks.named_children()):
        seen = lambda *_, name=name: runs.__setitem__(name, runs[name] + 1)  # noqa: E731
        target = module if name == "stem" else module.mlp
        target.register_forward_hook(seen)
    each = [(), *([text] for text in one_by_one.parts(model)["heads"])]
    one_by_one.answer_each(model, small_split, range(3), each)
    heads = model.config.heads
    assert runs == {"stem": 1, "0": 1 + heads, "1": 1 + 2 * heads}


def test_a_run_begins_at_the_last_place_before_the_change(small_model):
    run = Upstream(small_model(), torch.zeros(1))
    for name, place in {
        "stem.position.neuron.tau": Place(-1), "blocks.0.attention.query.neuron": Place(0, 0),
        "blocks.1.attention.neuron.tau": Place(1, 1), "blocks.1.mlp": Place(1, 2), "head": Place(2),
    }.items():  # fmt: skip
        assert run._start([name]) == place
        assert run._start(["blocks.1.mlp", "head", name]) == min(place, Place(1, 2))


def test_what_the_model_does_not_have_is_said(small_model, small_split):
    model = small_model()
    for text, said in {
        "head=0.9": "head 9; this model has heads 0 to 2",
        "denoiser-of=5": "block 5; this model has blocks 0 to 1",
        "learned-tau-of=stem": "the card of this checkpoint has not kept",
    }.items():
        with pytest.raises(AblationError, match=said):
            one_by_one.answer_each(model, small_split, [0], [[text]])
    assert one_by_one.parts(model)["taus"] == []
    with pytest.raises(ValueError, match="training mode"):
        one_by_one.answer_each(model.train(), small_split, [0], [()])
