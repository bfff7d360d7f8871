"""The whole network: inputs it takes and refuses, its answer, its size, its gradients."""

import itertools

import pytest
import torch

from dista.config import MemoryConfig
from dista.memories import FORMS
from dista.model import DISTA
from dista.presets import presets

SMALL_PRESETS = [name for name in presets() if not name.startswith(("dista_", "spikformer_"))]
MEMORIES = [
    dict(form="none"),
    *[dict(form=name, window=3) for name, form in FORMS.items() if form.remembers],
]


def tiny(config):
    """A preset in miniature: its switches and input, a handful of channels."""
    stages = len(config.stem_pools)
    return config.replace(dim=2 ** (stages + 1), heads=2, depth=1)


# --- input and answer ---------------------------------------------------------------------------


@pytest.mark.parametrize("memory", MEMORIES, ids=lambda m: m["form"])
def test_an_image_is_its_repetition(small_model, small_input, memory):
    model = small_model(memory=memory).double()  # rounding moves no spike
    x = small_input(model.config).double()
    with torch.inference_mode():
        from_image = model.steps(x)
        from_frames = model.steps(x.expand(model.config.time_steps, *x.shape))
    assert from_image.shape == (5, 4, 17)
    torch.testing.assert_close(from_image, from_frames, rtol=0, atol=1e-10)
    assert not torch.equal(from_image[0], from_image[-1])


def test_samples_do_not_see_each_other(small_model, small_input):
    model = small_model().double()
    x = small_input(model.config).double()
    with torch.inference_mode():
        together, alone = model(x), torch.cat([model(sample[None]) for sample in x])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-10)
    assert (together[0] - together[1]).abs().max() > 1e-3


@pytest.mark.parametrize("steps", [1, 2, 5, 9])
def test_frames_of_any_length(small_model, small_input, steps):
    model = small_model()
    x = small_input(model.config, steps=steps)
    assert model.steps(x).shape == (steps, 4, 17) and model(x).shape == (4, 17)


@pytest.mark.parametrize("readout, averaged", [(None, 5), (1, 1), (2, 2), (5, 5)])
def test_the_answer_is_the_mean_of_the_read_out_steps(small_model, small_input, readout, averaged):
    model = small_model(readout_steps=readout)
    x = small_input(model.config, steps=5)
    with torch.inference_mode():
        steps, answer = model.steps(x), model(x)
    expected = sum(steps[t] for t in range(5 - averaged, 5)) / averaged
    torch.testing.assert_close(answer, expected, rtol=0, atol=1e-6)


def test_normalisation_is_part_of_the_model(small_model, small_input):
    mean, std = (0.2, 0.6), (0.5, 2.0)
    normalising, plain = small_model(mean=mean, std=std), small_model()
    plain.load_state_dict(normalising.state_dict())
    x = small_input(plain.config)
    channels = [(x[:, c] - mean[c]) / std[c] for c in range(2)]
    assert torch.equal(normalising(x), plain(torch.stack(channels, 1)))
    assert not {"mean", "std"} & set(normalising.state_dict())


@pytest.mark.parametrize(
    "shape, dtype, words",
    [
        (
            (4, 13, 21),
            torch.float32,
            ["(4, 13, 21)", "(batch, 2, 13, 21)", "(time, batch, 2, 13, 21)"],
        ),
        ((4, 1, 13, 21), torch.float32, ["(4, 1, 13, 21)", "(batch, 2, 13, 21)"]),
        ((4, 2, 21, 13), torch.float32, ["(4, 2, 21, 13)", "(batch, 2, 13, 21)"]),
        ((1, 5, 4, 2, 13, 21), torch.float32, ["(1, 5, 4, 2, 13, 21)", "frames"]),
        ((0, 2, 13, 21), torch.float32, ["(0, 2, 13, 21)", "empty"]),
        ((0, 4, 2, 13, 21), torch.float32, ["(0, 4, 2, 13, 21)", "empty"]),
        ((4, 2, 13, 21), torch.uint8, ["torch.uint8", "floats", "0..1"]),
        ((4, 2, 13, 21), torch.int64, ["torch.int64", "floats", "0..1"]),
    ],
)
def test_wrong_inputs(small_model, shape, dtype, words):
    with pytest.raises(ValueError) as error:
        small_model(depth=1)(torch.zeros(shape, dtype=dtype))
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)


@pytest.mark.parametrize("memory", MEMORIES, ids=lambda m: m["form"])
def test_layers_add_to_their_input(small_model, small_input, memory):
    """x + position(x); x = x + attention(x); x = x + mlp(x)."""
    model = small_model(memory=memory)
    seen = {}
    for name, module in model.named_modules():
        module.register_forward_hook(
            lambda _, inputs, output, name=name: seen.update(
                {name: (inputs[0] if inputs else None, output)}
            )
        )
    with torch.inference_mode():
        model.steps(small_input(model.config))
    x = seen["stem.position"][0]
    assert torch.equal(seen["stem"][1], x + seen["stem.position"][1])
    x = seen["stem"][1]
    for block in ("blocks.0", "blocks.1"):
        for part in ("attention", "mlp"):
            before, change = seen[f"{block}.{part}"]
            assert torch.equal(before, x) and change.any()
            x = x + change
        assert torch.equal(seen[block][1], x)
    assert torch.equal(seen["head"][0], x)


# --- size ---------------------------------------------------------------------------------------


def parameters_by_formula(config):
    """Weights of each part: convolutions, two of batch norm for each channel, one tau for each layer."""
    dim, hidden = config.dim, int(config.dim * config.mlp_ratio)
    stages = len(config.stem_pools)
    widths = [config.input_shape[0], *(dim // 2 ** (stages - 1 - i) for i in range(stages))]
    tau = 1 if config.neuron.learn_tau else 0
    stem = sum(9 * a * b + 2 * b + tau for a, b in itertools.pairwise(widths))
    stem += 9 * dim * dim + 2 * dim + tau
    lags = config.memory.window if config.memory.form == "projection" else 1
    block = 3 * (lags * dim * dim + 2 * dim + tau) + tau + (dim * dim + 2 * dim + tau)
    block += (dim * hidden + 2 * hidden + tau) + (hidden * dim + 2 * dim + tau)
    return stem + config.depth * block + (dim + 1) * config.classes


def count(config):
    with torch.device("meta"):
        return sum(p.numel() for p in DISTA(config).parameters())


@pytest.mark.parametrize("name", presets())
def test_parameter_counts(name):
    config = presets()[name]
    assert count(config) == parameters_by_formula(config)


@pytest.mark.parametrize("window", [1, 2, 5])
def test_projection_memory_adds_its_weights(small_config, window):
    """(W - 1) * 3 * D^2 a block; the other forms add what they say, the shipped ones nothing."""
    without = count(small_config(memory=dict(form="none")))
    added = {
        form: count(small_config(memory=dict(form=form, window=window))) - without
        for form, declared in FORMS.items()
        if declared.remembers
    }
    config = small_config()
    expected = config.depth * (window - 1) * 3 * config.dim**2
    assert added | {"projection": expected, "attenuated": 0, "map": 0} == added
    said = {form: FORMS[form].own_weights(MemoryConfig(form=form, window=window)) for form in added}
    assert added == {form: config.depth * many * config.dim**2 for form, many in said.items()}


def test_grid_is_what_the_stem_makes(small_model, small_config):
    for pools in ((True,), (False,), (True, True), (False, True, True)):
        config = small_config(stem_pools=pools, dim=12)
        model = DISTA(config).eval()
        x = model.stem(torch.rand(5, 4, *config.input_shape), 5)
        assert x.shape == (5, 4, 12, *config.grid)


# --- training -----------------------------------------------------------------------------------


def without_gradient(model, x):
    """Parameters that a backward through the summed squares of the logits leaves without gradient."""
    model.train()(x).square().sum().backward()
    return [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@pytest.mark.parametrize("memory", MEMORIES, ids=lambda m: m["form"])
@pytest.mark.parametrize("tau_per", ["layer", "channel"])
def test_every_parameter_gets_a_gradient(small_model, small_input, memory, tau_per):
    model = small_model(memory=memory, neuron=dict(tau_per=tau_per))
    assert without_gradient(model, small_input(model.config, steps=5)) == []


@pytest.mark.parametrize("name", SMALL_PRESETS)
def test_every_preset_trains(name):
    torch.manual_seed(0)
    config = tiny(presets()[name])
    model = DISTA(config)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    assert without_gradient(model, torch.rand(config.time_steps, 3, *config.input_shape)) == []
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert not [n for n, p in model.named_parameters() if torch.equal(p, before[n])]


def test_fixed_tau_is_not_trained(small_model):
    model = small_model(neuron=dict(learn_tau=False))
    assert not [name for name, _ in model.named_parameters() if "tau" in name]
    assert [name for name, _ in model.named_buffers() if name.endswith("tau.w")]


def test_the_reference_kernel_gives_the_same_answer(monkeypatch, small_model, small_input):
    model = small_model()
    x = small_input(model.config)
    answer = model(x)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    assert torch.equal(answer, model(x))
