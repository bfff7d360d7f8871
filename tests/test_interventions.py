"""Interventions: each changes exactly what it says, and nothing afterwards."""

import numpy as np
import pytest
import torch

from dista.experiments.interventions import (
    intervene,
    lookup,
    noise,
    silence,
    tau,
    threshold,
    transplant,
    weaker,
    window,
    zero,
)
from dista.recording import RecordingError, record

DENOISE = "blocks.*.attention.denoise"
MAP3 = dict(memory=dict(form="map", window=3))


def answer(model, x, changes=None):
    with torch.inference_mode(), intervene(model, changes or {}):
        return model.steps(x)


def observed(model, x, name, changes=None):
    """One observable while ``changes`` are in force."""
    with intervene(model, changes or {}):
        return torch.from_numpy(
            record(model, x, name)[name.replace(".", "/")].values.astype(np.float32)
        )


def twin(model, small_model, **changes):
    """A model of another configuration with the weights of ``model``, as far as it has them."""
    other = small_model(**changes)
    weights = model.state_dict()
    other.load_state_dict({name: weights[name] for name in other.state_dict()})
    return other


@pytest.fixture
def mapped(small_model, small_input):
    model = small_model(**MAP3)
    return model, small_input(model.config)


# --- equal to a model that is configured so -----------------------------------------------------


def test_lookup_is_the_configured_table(mapped, small_model):
    model, x = mapped
    table = tuple(0.7 * count for count in range(model.config.head_dim + 1))
    other = small_model(**MAP3, denoiser=dict(kind="lookup", table=table))
    other.load_state_dict(model.state_dict(), strict=False)  # all but the tables
    intervened = answer(model, x, {DENOISE: lookup(table)})
    assert torch.equal(intervened, answer(other, x))
    assert not torch.equal(intervened, answer(model, x))


@pytest.mark.parametrize("table", [[], [0, float("nan")]])
def test_a_table_that_is_none_is_refused(table):
    with pytest.raises(ValueError, match="expected finite numbers"):
        lookup(table)


@pytest.mark.parametrize("u", [0, 2, 4.5])
def test_threshold_is_the_configured_u(mapped, small_model, u):
    model, x = mapped
    other = twin(model, small_model, **MAP3, denoiser=dict(u=u))
    intervened = answer(model, x, {DENOISE: threshold(u)})
    assert torch.equal(intervened, answer(other, x))
    assert not torch.equal(intervened, answer(model, x))


@pytest.mark.parametrize("u", [0, 1, 3])
def test_weaker_leaves_as_much_of_each_map_and_removes_no_count(mapped, u):
    """Each head has one factor in a sample: the sum over its whole map is what the threshold leaves."""
    model, x = mapped
    counts = observed(model, x, "blocks.1.attention.scores").numpy()
    name = "blocks.1.attention.denoise"
    removed, weak = (
        observed(model, x, name, {name: change}).numpy() for change in (threshold(u), weaker(u))
    )
    left = removed.sum((0, -2, -1))
    np.testing.assert_allclose(weak.sum((0, -2, -1)), left, rtol=1e-5)
    assert (left > 0).all() and ((weak > 0) == (counts > 0)).all()
    factor = (left / counts.sum((0, -2, -1)))[None, :, :, None, None]
    np.testing.assert_allclose(weak, factor * counts, rtol=1e-5)
    assert (u == 0) == bool((weak == counts).all())


@pytest.mark.parametrize("kind", ["none", "lookup"])
def test_threshold_replaces_any_denoiser(small_model, small_input, kind):
    model = small_model(**MAP3, denoiser=dict(kind=kind, u=1.0))
    x = small_input(model.config)
    by_threshold = small_model(**MAP3, denoiser=dict(u=3.0))
    by_threshold.load_state_dict(model.state_dict(), strict=False)
    assert torch.equal(answer(model, x, {DENOISE: threshold(3)}), answer(by_threshold, x))


@pytest.mark.parametrize("tau_per", ["layer", "channel"])
@pytest.mark.parametrize("learn_tau", [True, False])
def test_tau_is_the_time_constant(small_model, small_input, tau_per, learn_tau):
    model = small_model(neuron=dict(tau=3.0, tau_per=tau_per, learn_tau=learn_tau))
    x = small_input(model.config)
    before, intervened = answer(model, x), answer(model, x, {"*.tau": tau(2.0)})
    with torch.no_grad():
        for module in (m for m in model.modules() if type(m).__name__ == "Tau"):
            module.w.zero_()  # tau = 1 + exp(0)
    assert torch.equal(intervened, answer(model, x)) and not torch.equal(intervened, before)


def test_tau_of_one_layer(mapped):
    model, x = mapped
    name = "blocks.1.mlp.hidden.neuron.tau"
    changes = {name: tau(5.0)}
    assert observed(model, x, name, changes).tolist() == [5.0]
    assert observed(model, x, "blocks.0.mlp.hidden.neuron.tau", changes).tolist() == [2.0]
    spikes = "blocks.1.attention.output.neuron.spikes"
    assert torch.equal(observed(model, x, spikes, changes), observed(model, x, spikes))


@pytest.mark.parametrize("form", ["projection", "attenuated"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_window_is_the_configured_one(small_model, small_input, form, steps):
    model = small_model(memory=dict(form=form, window=3))
    x = small_input(model.config)
    other = twin(model, small_model, memory=dict(form=form, window=steps))
    intervened = answer(model, x, {"blocks.*.attention.*": window(steps)})
    assert torch.equal(intervened, answer(other, x))
    assert torch.equal(intervened, answer(model, x)) == (steps == 3)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_window_of_a_map_keeps_the_normalisation(mapped, small_model, steps):
    """The read sums fewer steps, divided by as many as in training."""
    model, x = mapped
    other = twin(model, small_model, memory=dict(form="map", window=steps))
    name = "blocks.0.attention.read"
    cut = observed(model, x, name, {"blocks.*.attention.*": window(steps)})
    trained, visible = (torch.arange(1, 6).clamp(max=w).view(5, 1, 1, 1, 1) for w in (3, steps))
    torch.testing.assert_close(cut, observed(other, x, name) * visible / trained, rtol=0, atol=1e-5)
    assert torch.equal(cut, observed(model, x, name)) == (steps == 3)


def test_a_silent_head_is_one_without_values(small_model, small_input):
    model = small_model(**MAP3)
    x = small_input(model.config)
    intervened = answer(model, x, {DENOISE: silence(head=1)})
    assert torch.equal(intervened, answer(model, x, {"blocks.*.attention.read": silence(head=1)}))
    assert not torch.equal(intervened, answer(model, x))
    with torch.no_grad():
        for block in model.blocks:
            block.attention.value.norm.weight[13:26] = 0
            block.attention.value.norm.bias[13:26] = -1
    assert torch.equal(intervened, answer(model, x))


# --- what is changed, and what is not -----------------------------------------------------------


@pytest.mark.parametrize("heads", [0, 2, [0, 2]])
@pytest.mark.parametrize("name", ["scores", "denoise", "read"])
def test_silence_leaves_the_other_heads(mapped, name, heads):
    model, x = mapped
    name = f"blocks.0.attention.{name}"
    before, after = observed(model, x, name), observed(model, x, name, {name: silence(head=heads)})
    silent = [heads] if isinstance(heads, int) else heads
    for head in range(3):
        assert before[:, :, head].any()
        assert (
            not after[:, :, head].any()
            if head in silent
            else torch.equal(after[:, :, head], before[:, :, head])
        )


def test_window_leaves_the_visible_pairs(mapped):
    model, x = mapped
    name = "blocks.0.attention.denoise"
    before, after = observed(model, x, name), observed(model, x, name, {name: window(2)})
    a = record(model, x, name)[name.replace(".", "/")]
    visible = torch.from_numpy((a["query_time"] - a["key_time"]).values < 2)
    assert torch.equal(after[visible], before[visible])
    assert before[~visible].any() and not after[~visible].any()


def test_zero_with_a_mask(mapped):
    model, x = mapped
    name = "blocks.0.attention.denoise"
    mask = torch.zeros(77, 77, dtype=torch.bool)
    mask[3, :] = mask[:, 5] = True
    before, after = observed(model, x, name), observed(model, x, name, {name: zero(mask)})
    assert torch.equal(after, before * ~mask) and (before * mask).any()


def test_zero_without_a_mask(mapped):
    model, x = mapped
    everything = {f"blocks.{i}.attention": zero() for i in range(2)}
    assert not torch.equal(answer(model, x, everything), answer(model, x))
    assert not observed(model, x, "head", {"head": zero()}).any()


def test_noise_is_seeded_and_as_strong_as_asked(mapped):
    model, x = mapped
    before = observed(model, x, "head")
    added = observed(model, x, "head", {"head": noise(0.3, seed=5)}) - before
    drawn = 0.3 * torch.randn(before.shape, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(added, drawn, rtol=0, atol=1e-5)
    other = observed(model, x, "head", {"head": noise(0.3, seed=6)}) - before
    assert not torch.allclose(added, other, atol=0.01)
    assert torch.equal(observed(model, x, "head", {"head": noise(0)}), before)


def test_noise_on_a_current_changes_spikes_downstream_only(mapped):
    model, x = mapped
    changes = {"blocks.0.attention.output.norm": noise(1.0)}
    for name, same in [
        ("blocks.0.attention.read", True),
        ("blocks.0.mlp.hidden.neuron.spikes", False),
    ]:
        assert torch.equal(observed(model, x, name, changes), observed(model, x, name)) == same


def test_a_tensor_replaces_the_output(mapped):
    model, x = mapped
    logits = torch.randn(5, 4, 17)
    assert torch.equal(answer(model, x, {"head": logits}), logits)
    with intervene(model, {"head": logits.double()}):  # in the type of what it replaces
        assert torch.equal(model(x), logits.mean(0))


def test_a_function_replaces_the_output(mapped):
    model, x = mapped
    seen = []

    def negate(module, inputs, output):
        seen.append((module, inputs[0].shape))
        return -output

    assert torch.equal(answer(model, x, {"head": negate}), -answer(model, x))
    assert seen == [(model.head, (5, 4, 39, 7, 11))]


def test_a_function_that_returns_nothing_changes_nothing(mapped):
    model, x = mapped
    assert torch.equal(answer(model, x, {"head": lambda *_: None}), answer(model, x))


def test_a_recording_shows_the_intervention(mapped):
    model, x = mapped
    with intervene(model, {DENOISE: threshold(3)}):
        tree = record(model, x, ["*.scores", "*.denoise"])
    scores = tree["blocks/1/attention/scores"].values
    assert np.array_equal(tree["blocks/1/attention/denoise"].values, scores * (scores > 3))


# --- several ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        lambda first, second: {"head": [first, second]},
        lambda first, second: {"head": first, "[h]ead": second},
    ],
)
def test_changes_apply_in_the_order_given(mapped, changes):
    model, x = mapped

    def double(module, inputs, output):
        return 2 * output

    def increase(module, inputs, output):
        return output + 1

    before = answer(model, x)
    assert torch.equal(answer(model, x, changes(double, increase)), 2 * before + 1)
    assert torch.equal(answer(model, x, changes(increase, double)), 2 * (before + 1))


def test_nested_interventions(mapped):
    model, x = mapped
    with (
        intervene(model, {"head": zero()}),
        intervene(model, {"head": lambda m, i, output: output + 3}),
    ):
        assert model(x).unique().tolist() == [3]


def test_a_glob_reaches_only_what_can_take_the_change(mapped):
    model, x = mapped
    everywhere = {"*": threshold(3)}
    assert torch.equal(answer(model, x, everywhere), answer(model, x, {DENOISE: threshold(3)}))


# --- afterwards ---------------------------------------------------------------------------------


def hook_count(model):
    return sum(len(m._forward_hooks) for m in model.modules())


def test_the_model_is_restored(mapped):
    model, x = mapped
    before, state = answer(model, x), {n: v.clone() for n, v in model.state_dict().items()}
    answer(model, x, {DENOISE: [threshold(4), noise(1.0)], "*.tau": tau(7), "*": silence(head=0)})
    assert torch.equal(answer(model, x), before) and hook_count(model) == 0
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_the_model_is_restored_after_an_exception(mapped):
    model, x = mapped
    before = answer(model, x)
    with pytest.raises(ArithmeticError), intervene(model, {DENOISE: threshold(4)}):
        raise ArithmeticError
    with (
        pytest.raises(RecordingError),
        intervene(model, {DENOISE: threshold(4), "nothing.here": zero()}),
    ):
        pytest.fail("an unknown name was accepted")
    assert hook_count(model) == 0 and torch.equal(answer(model, x), before)


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"blocks.0.attention.denoiser": threshold(1)}, ["denoiser", "blocks.0.attention.denoise"]),
        ({"blocks.5.*.tau": tau(2)}, ["blocks.5", "tau"]),
        ({"hed": zero()}, ["hed", "head"]),
        ({"head": threshold(1)}, ["threshold(1)", "'head'", "a denoiser"]),
        ({"*.scores": threshold(1)}, ["threshold(1)", "blocks.0.attention.scores", "a denoiser"]),
        ({"*.spikes": tau(2.0)}, ["tau(2.0)", "'*.spikes'", "axis 'group'"]),
        ({"head": silence(head=0)}, ["silence(head=[0])", "axis 'head'"]),
        ({"*.read": window(1)}, ["window(1)", "lags or map"]),
    ],
)
def test_names_that_cannot_take_the_change(mapped, changes, words):
    model, x = mapped
    with pytest.raises(RecordingError) as error:
        answer(model, x, changes)
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"head": torch.zeros(4, 17)}, ["'head'", "(4, 17)", "(5, 4, 17)"]),
        ({"head": lambda m, i, output: output[:1]}, ["'head'", "(1, 4, 17)", "(5, 4, 17)"]),
        ({DENOISE: silence(head=3)}, ["head=[3]", "0 to 2"]),
        ({DENOISE: silence(head=[0, -1])}, ["head=[0, -1]", "0 to 2"]),
    ],
)
def test_outputs_that_do_not_fit(mapped, changes, words):
    model, x = mapped
    with pytest.raises(ValueError) as error:
        answer(model, x, changes)
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)
    assert hook_count(model) == 0


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: tau(0.5), "tau=0.5.*at least 1"),
        (lambda: tau(float("nan")), "tau=nan.*at least 1"),
        (lambda: window(0), "window=0.*at least 1"),
        (lambda: noise(-1), "std=-1.*at least 0"),
    ],
)
def test_wrong_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# --- taus of another model ----------------------------------------------------------------------


def test_a_transplant_gives_every_shared_layer_the_tau_of_the_donor(mapped, small_model):
    model, x = mapped
    donor = small_model(depth=1, neuron=dict(tau=3.0, tau_per="channel"))
    with torch.no_grad():
        donor.blocks[0].attention.key.neuron.tau.w[0] = -4.0  # one channel listens further back
    changes = transplant(model, donor)
    assert set(changes) == {n for n, _ in model.named_modules() if n.endswith(".tau")} - {
        n for n, _ in model.named_modules() if n.startswith("blocks.1.")
    }
    key = "blocks.0.attention.key.neuron.tau"
    mean = (38 * 3 + 1 + np.exp(4.0)) / 39
    assert observed(model, x, key, changes).item() == pytest.approx(mean, rel=1e-5)
    assert observed(model, x, "stem.position.neuron.tau", changes).item() == pytest.approx(3.0)
    assert observed(model, x, "blocks.1.mlp.hidden.neuron.tau", changes).item() == 2.0


def test_a_transplant_needs_a_layer_in_common(mapped):
    with pytest.raises(ValueError, match="no layer of neurons"):
        transplant(mapped[0], torch.nn.Linear(2, 2))
