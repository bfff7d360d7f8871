"""Evaluation driven by spikes: the same spikes as the equations, and only where nobody looks inside."""

import copy
import functools

import numpy as np
import pytest
import torch
from torch import nn

import dista
from dista import hooks
from dista.cli import checkpoints
from dista.config import DenoiserConfig, ModelConfig
from dista.engine import event_builder, events
from dista.engine.vector_code import LANES
from dista.experiments.untrained import take_statistics
from dista.model import DISTA

ROUNDING = 1e-5
"""Of currents of up to about 10 in float32, summed in another order."""

SHAPE = dict(
    input_shape=(2, 11, 13), classes=3, dim=34, depth=2, heads=2, mlp_ratio=1.3, time_steps=5,
    attention_scale=0.5, stem_pools=(False, True),
)  # fmt: skip
TABLE = (0.1, 0.0, 1.5, *range(3, 18))
MODELS = {
    "map": dict(memory=dict(form="map", window=3), neuron=dict(tau_per="channel", v_reset=None)),
    "projection": dict(
        memory=dict(form="projection", window=3),
        neuron=dict(v_reset=-0.3),
        denoiser=dict(kind="lookup", table=TABLE),
    ),
    "spatial": dict(memory=dict(form="none"), denoiser=dict(kind="none"), dim=8, mlp_ratio=5),
    "linear": dict(memory=dict(form="map", window=2), denoiser=dict(kind="none"), dim=8),
    "attenuated": dict(memory=dict(form="attenuated", window=3)),
}


def made(name, dtype=torch.float64):
    """A model that fires: normalised by what it has seen, with taus that differ."""
    model = DISTA(ModelConfig(**SHAPE | MODELS[name]))
    with torch.no_grad():
        for _, w in (each for each in model.named_parameters() if each[0].endswith("tau.w")):
            w.add_(torch.randn_like(w) / 2)
    take_statistics(model, torch.rand(5, 4, 2, 11, 13))
    return model.eval().to(dtype)


def frames(dtype=torch.float64, batch=3):
    return torch.rand(5, batch, 2, 11, 13, dtype=dtype)


def in_bytes(x):
    """(time, batch, channel, row, column) as the loops have it, channels padded."""
    lying = x.permute(1, 0, 3, 4, 2).numpy().astype(np.uint8)
    return np.pad(lying, [(0, 0)] * 4 + [(0, -lying.shape[-1] % LANES)])


def by_equations(model, x):
    with torch.no_grad():
        sequence, steps = model._sequence(x)
        return model.features(model.normalised(sequence), steps)


def by_events(model, x):
    with torch.no_grad():
        sequence, steps = model._sequence(x)
        sequence = model.normalised(sequence)
        assert events.why_not(model, sequence) is None
        return events.features(model, sequence, steps)


@pytest.mark.parametrize("name", MODELS)
def test_in_float64_all_counts_are_those_of_the_equations(name):
    model, x = made(name), frames()
    expected = by_equations(model, x)
    assert 0.02 < (expected != 0).double().mean() < 0.98, "it is no test where nothing fires"
    assert torch.equal(by_events(model, x), expected)
    assert torch.equal(by_events(model, x[0]), by_equations(model, x[0])), "an image"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_adding_rows_and_multiplying_is_the_same(share, monkeypatch):
    builder = functools.partial(event_builder.Builder, dense_from=share)
    monkeypatch.setattr(event_builder, "Builder", builder)
    for name in ("map", "projection"):
        model, x = made(name), frames()
        assert torch.equal(by_events(model, x), by_equations(model, x))


def layers(model):
    """Modules with synapses and neurons, and the layer that computes each, the first apart."""
    network = event_builder.Builder().network(model)
    yield from zip(model.stem.stages[1:], network.stages[1:])
    yield model.stem.position, network.position
    for of, block in zip(model.blocks, network.blocks):
        attention, mlp = of.attention, of.mlp
        yield from ((attention.query, block.query), (attention.key, block.key))
        yield from ((attention.value, block.value), (attention.output, block.output))
        yield from ((mlp.hidden, block.hidden), (mlp.output, block.last))


@pytest.mark.parametrize("name", ["digits", "match-map", "map", "projection"])
def test_in_float32_a_spike_differs_only_where_rounding_decides(name):
    if name in MODELS:
        model, x = made(name, torch.float32), frames(torch.float32)
    else:
        task = {"digits": "digits", "match-map": "match"}[name]
        model, x = dista.load(name).eval(), dista.data.open(task).test.batch(range(3))[0]
    for module, layer in layers(model):
        seen = {}
        with hooks.hooks(model, _looks(model, module, seen)):
            by_equations(model, x)
        spikes = layer(in_bytes(seen["x"]), most=int(seen["x"].max()))
        channels = seen["s"].shape[2]
        spikes = torch.from_numpy(spikes[..., :channels]).permute(1, 0, 4, 2, 3)
        differs = spikes != seen["s"]
        first = differs & (differs.cumsum(0) == 1)  # what follows has another membrane
        distance = (seen["h"] - module.neuron.config.v_threshold).abs()
        assert distance[first].numel() == 0 or distance[first].max() < ROUNDING
        assert differs.float().mean() < 1e-3


def _looks(model, module, seen):
    """Hooks that keep what goes into ``module``, its membranes and its spikes."""
    names = {one: name for name, one in model.named_modules()}

    def whole(_, inputs, output):
        seen.update(x=inputs[0].clone(), s=output.clone())

    return {
        names[module]: whole,
        names[module.neuron.membrane]: lambda _, inputs, output: seen.update(h=output.clone()),
    }


def test_samples_in_parts_and_threads_are_the_same(monkeypatch):
    model, x = made("map"), frames(batch=5)
    expected = by_events(model, x)
    monkeypatch.setattr(events, "CACHED", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert torch.equal(by_events(model, x), expected)


def test_weights_that_were_written_past_their_version_are_seen():
    model, x = made("map"), frames()
    by_events(model, x)
    model.stem.position.conv.weight.data.neg_()
    model.blocks[0].mlp.hidden.neuron.tau.w.data.add_(1.0)
    assert torch.equal(by_events(model, x), by_equations(model, x))


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model.blocks[0].attention.read, "scale", 0.9),
        lambda model: setattr(model.blocks[1].attention.denoise, "config", DenoiserConfig(u=3.0)),
        lambda model: setattr(model.stem.position.norm, "eps", 0.5),
        lambda model: model.blocks[0].mlp.output.norm.running_var.data.mul_(4),
        lambda model: setattr(model.blocks[0], "mlp", copy.deepcopy(model.blocks[1].mlp)),
    ],
    ids=["scale", "u", "eps", "statistics", "module"],
)  # fmt: skip
def test_a_setting_that_was_changed_is_seen_by_the_next_forward_and_step(change):
    model, x = made("map"), frames()
    by_events(model, x)
    model.step(x[0], model.start())
    before = by_equations(model, x)
    change(model)
    assert not torch.equal(by_equations(model, x), before)
    assert torch.equal(by_events(model, x), by_equations(model, x))
    with torch.no_grad():
        torch.testing.assert_close(
            model.step(x[0], model.start())[0], model.steps(x)[0], rtol=0, atol=1e-12
        )


@pytest.fixture
def entered(monkeypatch):
    calls, features = [], events.features
    monkeypatch.setattr(events, "features", lambda *a: calls.append(1) or features(*a))
    return calls


def test_a_model_goes_through_the_door_where_nothing_keeps_it(entered):
    model, x = made("map"), frames()
    with torch.no_grad():
        expected = model.head(by_equations(model, x)).mean(0)
        assert torch.allclose(model(x), expected, rtol=0, atol=1e-12) and entered
        entered.clear()
        with hooks.hooks(model, {"blocks.0": lambda *_: None}):
            assert torch.allclose(model(x), expected, rtol=0, atol=1e-12)
        assert not entered
        with hooks.hooks(model, {"head": lambda *_: None}):
            model(x)
        assert entered, "the head is computed by its module"


class Louder(nn.Conv2d):
    pass


def _exchange(model):
    model.stem.position.conv.__class__ = Louder


OBSTACLES = {
    "training mode": lambda model, x: model.blocks[1].train() and x,
    "gradients": lambda model, x: torch.set_grad_enabled(True) and x,
    "another class": lambda model, x: _exchange(model) or x,
    "a hook": lambda model, x: model.blocks[0].mlp.register_forward_hook(lambda *_: None) and x,
    "bfloat16": lambda model, x: x.bfloat16(),
    "one type": lambda model, x: x.float(),
}


@pytest.mark.parametrize("words", OBSTACLES)
def test_what_keeps_a_model_out_is_said(words):
    model, x = made("spatial"), frames()
    with torch.no_grad():
        assert events.why_not(model, x) is None
        assert words in events.why_not(model, OBSTACLES[words](model, x))


def test_a_hook_on_all_modules_keeps_a_model_out():
    model, x = made("spatial"), frames()
    handle = torch.nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        with torch.no_grad():
            assert "all modules" in events.why_not(model, x)
    finally:
        handle.remove()


def test_what_is_switched_off_says_so(monkeypatch):
    model, x = made("map"), frames()
    with torch.no_grad():
        monkeypatch.setenv("DISTA_KERNEL", "reference")
        assert "switched off" in events.why_not(model, x)


@pytest.mark.parametrize(
    "kernel, words", [("auto", "driven by spikes"), ("reference", "by modules")]
)
def test_eval_says_what_runs_the_model(kernel, words, monkeypatch, capsys):
    monkeypatch.setenv("DISTA_KERNEL", kernel)
    checkpoints.evaluate("digits", limit=1, verbose=True)
    assert words in capsys.readouterr().err


def test_a_model_of_another_precision_is_laid_out_anew():
    model, x = made("spatial", torch.float32), frames(torch.float32)
    by_events(model, x)
    model, x = model.double(), x.double()
    assert torch.equal(by_events(model, x), by_equations(model, x))
