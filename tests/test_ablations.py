"""Ablations: each switch is the intervention that it says, answers are paired, intervals hold."""

from __future__ import annotations

from itertools import product
from typing import get_type_hints

import numpy as np
import pytest
import torch

from dista import checkpoint, measures
from dista.cli.checkpoints import ablate
from dista.data.task import Split
from dista.experiments import forgetting
from dista.experiments.ablations import SWITCHES, AblationError, ablated, changes, parse
from dista.experiments.evaluation import BATCH, answer, answers, batches, evaluate, noisy
from dista.experiments.interventions import intervene, silence, tau, threshold, weaker, window, zero
from dista.measures import Answers, MeasureError, paired_difference
from dista.memories import FORMS
from dista.neurons import time_constants


def steps(model, x, switches=(), others=None):
    with torch.inference_mode(), ablated(model, switches, others):
        return model.steps(x)


@pytest.fixture
def mapped(small_model, small_input):
    model = small_model(neuron=dict(tau=3.0))
    model.card = {"starting_taus": time_constants(model)}
    with torch.no_grad():
        for module in (m for m in model.modules() if type(m).__name__ == "Tau"):
            module.w.add_(0.5)  # as if training had moved every tau
    return model, small_input(model.config)


# --- switches -----------------------------------------------------------------------------------

SAME = {
    "denoiser": {"*.denoise": threshold(0)},
    "u=3": {"*.denoise": threshold(3)},
    "weaker=3": {"*.denoise": weaker(3)},
    "denoiser-of=1": {"blocks.1.attention.denoise": threshold(0)},
    "denoiser-of=0.2": {"blocks.0.attention.denoise": threshold(0, head=2)},
    "memory": {"blocks.*.attention.*": window(1)},
    "window=2": {"blocks.*.attention.*": window(2)},
    "tau=1": {"*.tau": tau(1)},
    "carry-over": {"*.membrane": forgetting.without_carry_over()},
    "learned-taus": {"*.tau": tau(3.0)},
    "learned-tau-of=stem.position.neuron": {"stem.position.neuron.tau": tau(3.0)},
    "head=1.2": {"blocks.1.attention.denoise": silence(head=2)},
    "block=1": {"blocks.1.attention": zero(), "blocks.1.mlp": zero()},
}


def test_the_table_has_every_switch():
    told = {text.partition("=")[0] for text in SAME}
    assert told | {"neuron-memory", "own-past"} == set(
        SWITCHES
    )  # those two: tests/test_forgetting.py


@pytest.mark.parametrize("text", SAME)
def test_a_switch_is_its_intervention_and_has_an_effect(mapped, text):
    model, x = mapped
    with torch.inference_mode(), intervene(model, SAME[text]):
        expected = model.steps(x)
    before = steps(model, x)
    assert torch.equal(steps(model, x, [text]), expected)
    assert not torch.equal(before, expected)
    assert torch.equal(steps(model, x), before)  # nothing stays


def test_switches_add_up_in_whatever_order_they_come(mapped):
    model, x = mapped
    both = steps(model, x, ["head=0.1", "head=0.2", "u=2", "memory"])
    assert torch.equal(both, steps(model, x, ["memory", "u=2", "head=0.2", "head=0.1"]))
    chained = {
        "blocks.*.attention.denoise": threshold(2),
        "blocks.*.attention.*": window(1),
        "blocks.0.attention.denoise": silence(head=[1, 2]),
    }
    with torch.inference_mode(), intervene(model, chained):
        assert torch.equal(both, model.steps(x))


@pytest.mark.parametrize("form", FORMS)
def test_without_any_memory_the_past_is_gone(small_model, small_input, form):
    """Both memories cut: what is seen at a step alone decides its logits, whatever the form."""
    model = small_model(memory=dict(form=form, window=1 if form == "none" else 3))
    x = small_input(model.config, steps=5)
    other = x.clone()
    other[1] = 1 - x[1]
    lent = small_input(model.config, steps=5, seed=9)
    cuts = product(("memory", "own-past"), ("neuron-memory", "carry-over", "tau=1"))
    for cut in cuts:
        same = (steps(model, x, cut, lent) == steps(model, other, cut, lent)).flatten(1).all(1)
        assert same.tolist() == [True, False, True, True, True], cut
    assert not torch.equal(steps(model, x)[2:], steps(model, other)[2:])


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        (["memry"], "with or without 'memry'; there are denoiser, u=..., "),
        (["memory=3"], "expected memory alone"),
        (["u"], "expected u=..."),
        (["u=many"], "'many' is not a value of u: the denoiser keeps"),
        (["u=-1"], "u=-1; counts are never negative"),
        (["window=0"], "window=0; expected at least 1"),
        (["head=1"], "'1' is not a value of head"),
        (["head=0.3"], "head 3; this model has heads 0 to 2"),
        (["head=2.0"], "block 2; this model has blocks 0 to 1"),
        (["block=-1"], "block -1; this model has blocks 0 to 1"),
        (["denoiser", "u=2"], "denoiser and u=2 both change the same part, denoiser; choose one"),
        (["learned-taus", "tau=1"], "both change the same part, taus"),
        (["carry-over", "neuron-memory"], "both change the same part, neuron memory"),
        (["memory", "own-past"], "both change the same part, memory"),
        (
            ["own-past"],
            "own-past puts in what the network remembers of another sample; give others",
        ),
    ],
)
def test_a_bad_switch_is_explained(small_model, switches, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        changes(switches, small_model())


def test_the_taus_from_before_training_are_those_of_the_card(small_model):
    """Not those of the configuration, from which a training with another start did not begin."""
    model = small_model(neuron=dict(tau_per="channel"))
    starting = {
        layer: [1.5 + 0.1 * i for i in range(len(taus))]
        for layer, taus in time_constants(model).items()
    }
    model.card = {"starting_taus": starting}
    with ablated(model, ["learned-taus"]):
        now = time_constants(model)
    assert now.keys() == starting.keys()
    assert all(np.allclose(now[layer], starting[layer]) for layer in starting)
    model.card = {}
    with pytest.raises(AblationError, match="has not kept the time constants from before"):
        changes(["learned-taus"], model)


def test_the_taus_of_match_map_began_at_those_of_digits():
    card = checkpoint.read_card("match-map")
    digits = time_constants(checkpoint.load("digits"))
    hidden = "blocks.0.mlp.hidden.neuron"
    assert card["starting_taus"][hidden] == pytest.approx(digits[hidden], abs=1e-5)
    assert card["starting_taus"][hidden][0] < 1.7
    assert "starting_taus" not in checkpoint.read_card("cifar10-small")


def test_the_command_line_names_every_switch():
    hints = get_type_hints(ablate, include_extras=True)
    said = {
        option.strip("_"): hints[option].__metadata__[0].help for option in ("without", "with_")
    }
    for switch in SWITCHES.values():
        assert switch.name + ("=" if switch.read else "") in said[switch.word]


def test_with_and_without_are_told_apart():
    assert parse("memory", "without")[0].name == "memory"
    with pytest.raises(
        AblationError, match=r"nothing can be run with 'memory'; there are u=\.\.\."
    ):
        parse("memory", "with")


# --- answers ------------------------------------------------------------------------------------


def split(config, samples=60, frames=False, unit=1 / 255):
    random = torch.Generator().manual_seed(3)
    shape = (samples, *((config.time_steps,) if frames else ()), *config.input_shape)
    inputs = torch.randint(0, 256, shape, generator=random, dtype=torch.uint8)
    return Split("test", inputs, np.arange(samples) % config.classes, unit)


@pytest.fixture
def undecided(small_model):
    """A model whose answers to ``data`` differ from sample to sample, though it has learned nothing."""

    def build(frames=False):
        model = small_model()
        data = split(model.config, frames=frames)
        with torch.no_grad():
            model.head.linear.bias -= model(data.batch(range(60))[0]).mean(0)
        return model, data

    return build


@pytest.mark.parametrize("frames", [False, True])
def test_answers_are_those_of_the_model_one_by_one(undecided, frames):
    model, data = undecided(frames)
    result = answers(model, data, ["memory"], limit=BATCH + 7)
    with torch.inference_mode(), ablated(model, ["memory"]):
        single = [int(model(data.batch([i])[0]).argmax()) for i in range(BATCH + 7)]
    assert result.answer.tolist() == single and len(set(single)) > 1
    assert result.label.tolist() == data.labels[: BATCH + 7].tolist()
    assert answers(model, data).accuracy == pytest.approx(evaluate(model, data)["accuracy"])


def test_batches_cover_the_samples_once(small_config):
    data = split(small_config())
    assert [i for part in batches(data, 31) for i in part] == list(range(31))
    assert batches(data)[-1][-1] == len(data) - 1
    with pytest.raises(ValueError, match="limit=0 leaves no samples; expected 1 to 60"):
        batches(data, 0)


def test_answers_need_evaluation_mode(small_model):
    model = small_model()
    with pytest.raises(ValueError, match=r"call model\.eval\(\)"):
        answers(model.train(), split(model.config))


@pytest.mark.parametrize("frames", [False, True])
def test_noise_belongs_to_the_sample(small_config, frames):
    data = split(small_config(), frames=frames)
    axis = 1 if frames else 0
    clean, _ = data.batch([4, 9])
    x, y = noisy(data, [4, 9], 0.3)
    assert torch.equal(x.select(axis, 1), noisy(data, [9], 0.3)[0].select(axis, 0))
    assert not torch.equal(x, noisy(data, [4, 9], 0.3, seed=1)[0])
    assert y.tolist() == data.batch([4, 9])[1].tolist()
    assert x.min() >= 0 and x.max() <= 1
    inside = (x > 0) & (x < 1) & (clean > 0.4) & (clean < 0.6)  # where little is cut off
    assert float((x - clean)[inside].std()) == pytest.approx(0.25, abs=0.04)
    assert torch.equal(noisy(data, [4, 9], 0)[0], clean)


def test_counts_of_events_are_not_capped(small_config):
    x, _ = noisy(split(small_config(), unit=1), range(8), 2.0)
    assert x.min() == 0 and x.max() > 250
    with pytest.raises(ValueError, match="noise=-1; expected a level of at least 0"):
        noisy(split(small_config()), [0], -1)


def test_noise_reaches_the_model(undecided):
    model, data = undecided()
    clean, rough = (answer(model, data, range(40), noise=std) for std in (0, 0.5))
    assert clean.answer.tolist() != rough.answer.tolist()


# --- paired differences ---------------------------------------------------------------------------


def table(both: int, lost: int, gained: int, neither: int) -> tuple[Answers, Answers]:
    """Answers with these numbers of samples right in both, the first, the second, none."""
    before = np.repeat([1, 1, 0, 0], [both, lost, gained, neither])
    after = np.repeat([1, 0, 1, 0], [both, lost, gained, neither])
    return Answers(before, np.ones_like(before)), Answers(after, np.ones_like(after))


def test_the_interval_of_a_published_example():
    """Airway hyper-responsiveness before and after treatment (Bentur 2009), as in Fagerland et al. 2014."""
    result = paired_difference(*table(1, 1, 7, 12))
    assert result.difference == pytest.approx(6 / 21)
    assert (result.low, result.high) == pytest.approx((0.0134, 0.5084), abs=1e-4)
    assert result.certain and (result.before, result.after) == pytest.approx((2 / 21, 8 / 21))


def test_lost_and_gained_samples_are_named():
    result = paired_difference(*table(2, 1, 3, 1))
    assert result.lost.tolist() == [2] and result.gained.tolist() == [3, 4, 5]
    swapped = paired_difference(*reversed(table(2, 1, 3, 1)))
    assert (swapped.low, swapped.high) == pytest.approx((-result.high, -result.low))


def test_no_change_is_an_interval_around_zero_that_has_a_width():
    result = paired_difference(*table(90, 0, 0, 10))
    assert result.difference == 0 and -0.03 < result.low < 0 < result.high < 0.03
    assert not result.certain


@pytest.mark.parametrize(("lost", "gained"), [(0.06, 0.02), (0.01, 0.01), (0.2, 0.15)])
def test_the_interval_holds_its_level(lost, gained):
    random, held = np.random.default_rng(0), 0
    for _ in range(2000):
        counts = random.multinomial(300, [0.6, lost, gained, 0.4 - lost - gained])
        result = paired_difference(*table(*counts))
        held += result.low <= gained - lost <= result.high
    assert 0.94 <= held / 2000 <= 0.99


def test_other_samples_cannot_be_paired():
    one, other = Answers(np.zeros(3), np.zeros(3)), Answers(np.zeros(3), np.ones(3))
    with pytest.raises(MeasureError, match="to 3 and 3 samples that are not the same"):
        measures.paired_difference(one, other)


# --- mistakes -------------------------------------------------------------------------------------


def test_answers_say_how_sure_they_are(undecided):
    model, data = undecided()
    result = answers(model, data, limit=40)
    with torch.no_grad():
        expected = model(data.batch(range(40))[0]).softmax(-1)
    assert result.answer.tolist() == expected.argmax(-1).tolist()
    assert np.allclose(result.confidence, expected.amax(-1), atol=1e-6)


def test_the_surest_mistakes_come_first():
    sure = np.array([0.6, 0.9, 0.7, 0.7, 0.99])
    result = Answers(np.array([0, 1, 1, 0, 1]), np.array([1, 0, 0, 1, 1]), sure)
    assert measures.confident_mistakes(result).tolist() == [1, 2, 3, 0]
    with pytest.raises(MeasureError, match="without confidences"):
        measures.confident_mistakes(Answers(result.answer, result.label))
