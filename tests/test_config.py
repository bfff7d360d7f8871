"""Configurations: JSON both ways, clear errors, and every option with an effect of its own."""

import dataclasses
import itertools
import json

import pydantic
import pytest
import torch

from dista.config import (
    Config,
    ConfigError,
    DenoiserConfig,
    MemoryConfig,
    ModelConfig,
    NeuronConfig,
    TrainingConfig,
)
from dista.denoisers import DENOISERS
from dista.memories import FORMS
from dista.presets import preset, presets

SIZE = dict(input_shape=(2, 13, 21), classes=17)
CONFIGS = (NeuronConfig(), DenoiserConfig(), MemoryConfig(), ModelConfig(**SIZE), TrainingConfig())


# --- JSON and presets ---------------------------------------------------------------------------


@pytest.mark.parametrize("config", [*presets().values(), *CONFIGS], ids=lambda c: type(c).__name__)
def test_json_both_ways(config):
    text = config.to_json()
    again = type(config).from_json(text)
    assert again == config and again.to_json() == text
    assert set(json.loads(text)) == set(type(config).model_fields)


def test_json_keeps_every_value():
    config = ModelConfig(
        **SIZE,
        dim=6,
        heads=3,
        neuron=dict(v_reset=None, tau=3.5, alpha=2.0),
        denoiser=dict(kind="lookup", table=(0.0, 1.0, 2.5), learn_table=True),
        memory=dict(form="map", window=7),
    )
    again = ModelConfig.from_json(config.to_json())
    assert again.neuron.v_reset is None and again.denoiser.table == (0.0, 1.0, 2.5)
    assert again.memory == MemoryConfig(form="map", window=7) and again == config


PAPER = {  # input, depth-dim-heads, steps of PAPER's table
    "dista_cifar": ((3, 32, 32), 4, 384, 12, 6, (8, 8)),
    "dista_dvs": ((2, 128, 128), 2, 256, 16, 10, (8, 8)),
}


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_sizes(name):
    shape, depth, dim, heads, steps, grid = PAPER[name]
    ours, spikformer = preset(name), preset(name.replace("dista", "spikformer"))
    for config in (ours, spikformer):
        assert (config.input_shape, config.depth, config.dim, config.heads) == (
            shape,
            depth,
            dim,
            heads,
        )
        assert config.time_steps == steps and config.grid == grid
    assert ours.memory == MemoryConfig(form="projection", window=steps)
    assert ours.neuron.learn_tau and ours.denoiser.kind == "threshold"
    assert not spikformer.neuron.learn_tau and spikformer.neuron.tau == 2
    assert spikformer.memory.form == "none" and spikformer.denoiser.kind == "none"


def test_preset_by_name():
    assert preset("match-map") == preset("match_map") == presets()["match_map"]
    with pytest.raises(KeyError, match="match_map"):
        preset("match_mapp")


def test_presets_are_a_copy():
    presets().clear()
    assert "digits" in presets()


# --- wrong values -------------------------------------------------------------------------------

# The class, the fields, and what the message must contain: field, value, what is allowed.
WRONG = [
    (NeuronConfig, dict(tau=0.5), ["tau", "0.5", "greater than 1"]),
    (NeuronConfig, dict(tau=1), ["tau", "1", "greater than 1"]),
    (NeuronConfig, dict(tau=float("inf")), ["tau", "inf", "finite"]),
    (NeuronConfig, dict(tau="long"), ["tau", "'long'", "number"]),
    (NeuronConfig, dict(tau_per="neuron"), ["tau_per", "'neuron'", "'layer' or 'channel'"]),
    (NeuronConfig, dict(v_threshold=0), ["v_threshold", "0", "greater than 0"]),
    (NeuronConfig, dict(v_reset=1.5), ["v_reset", "1.5", "below v_threshold=1.0"]),
    (NeuronConfig, dict(surrogate="atn"), ["surrogate", "'atn'", "'atan'", "'sigmoid'"]),
    (NeuronConfig, dict(alpha=-1), ["alpha", "-1", "greater than 0"]),
    (DenoiserConfig, dict(kind="filter"), ["kind", "'filter'", "'threshold'", "'lookup'"]),
    (DenoiserConfig, dict(u=-1), ["u", "-1", "greater than or equal to 0"]),
    (DenoiserConfig, dict(gradient="some"), ["gradient", "'some'", "'kept' or 'all'"]),
    (DenoiserConfig, dict(table=(1.0,)), ["table", "'threshold'", "'lookup'"]),
    (DenoiserConfig, dict(learn_table=True), ["learn_table", "'threshold'", "'lookup'"]),
    (MemoryConfig, dict(form="maps"), ["form", "'maps'", "'projection'", "'map'"]),
    (MemoryConfig, dict(window=0), ["window", "0", "greater than or equal to 1"]),
    (MemoryConfig, dict(window=2.5), ["window", "2.5", "integer"]),
    (MemoryConfig, dict(decay=1.5), ["decay", "1.5", "less than or equal to 1"]),
    (MemoryConfig, dict(form="none", window=2), ["window=2", "'none'", "window=1"]),
    (ModelConfig, dict(classes=17), ["input_shape", "required"]),
    (ModelConfig, SIZE | dict(classes=1), ["classes", "1", "greater than or equal to 2"]),
    (ModelConfig, SIZE | dict(input_shape=(2, 0, 3)), ["input_shape", "(2, 0, 3)", "positive"]),
    (ModelConfig, SIZE | dict(dim=15, heads=4), ["dim=15", "heads=4", "multiple"]),
    (ModelConfig, SIZE | dict(stem_pools=()), ["stem_pools=()", "at least one"]),
    (
        ModelConfig,
        SIZE | dict(dim=6, heads=3, stem_pools=(True,) * 3),
        ["stem_pools", "dim=6", "divisible"],
    ),
    (ModelConfig, SIZE | dict(dim=4, mlp_ratio=0.2), ["mlp_ratio=0.2", "dim=4", "at least 1"]),
    (ModelConfig, SIZE | dict(mean=(0.0,) * 3), ["mean", "(0.0, 0.0, 0.0)", "2 input channels"]),
    (ModelConfig, SIZE | dict(std=(1.0, 0.0)), ["std", "(1.0, 0.0)", "positive"]),
    (ModelConfig, SIZE | dict(readout_steps=9), ["readout_steps=9", "time_steps=4"]),
    (ModelConfig, SIZE | dict(attention_scale=0), ["attention_scale", "0", "greater than 0"]),
    (ModelConfig, SIZE | dict(neuron=dict(tau=0.5)), ["neuron", "tau", "0.5", "greater than 1"]),
    (
        ModelConfig,
        SIZE | dict(neuron=dict(v_reset=0.6)),
        ["attention_threshold=0.5", "v_reset=0.6", "above"],
    ),
    (
        ModelConfig,
        SIZE | dict(denoiser=dict(kind="lookup", table=(0.0, 1.0))),
        ["table", "2 values", "needs 17"],
    ),
    (TrainingConfig, dict(epochs=0), ["epochs", "0", "greater than or equal to 1"]),
    (TrainingConfig, dict(warmup=1.0), ["warmup", "1.0", "less than 1"]),
    (TrainingConfig, dict(lr=-1e-3), ["lr", "-0.001", "greater than 0"]),
]


@pytest.mark.parametrize("cls, fields, words", WRONG, ids=lambda value: str(value)[:50])
def test_wrong_values(cls, fields, words):
    with pytest.raises(ConfigError) as error:
        cls(**fields)
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)
    with pytest.raises(ConfigError):
        cls.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null"])
def test_wrong_json(text):
    with pytest.raises(ConfigError, match=r"JSON|object"):
        ModelConfig.from_json(text)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: ModelConfig(**SIZE, depht=3), ["depht", "3", "did you mean depth"]),
        (lambda: ModelConfig(**SIZE, neuron=dict(taus=2.0)), ["taus", "did you mean tau"]),
        (
            lambda: ModelConfig(**SIZE).replace(time_step=3),
            ["time_step", "did you mean time_steps"],
        ),
        (lambda: MemoryConfig.from_json('{"windows": 2}'), ["windows", "did you mean window"]),
        (lambda: MemoryConfig(qqq=2), ["qqq", "form, window, decay"]),
    ],
)
def test_unknown_fields_name_the_nearest(make, words):
    with pytest.raises(ConfigError) as error:
        make()
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: type(c).__name__)
def test_immutable(config):
    before = config.to_json()
    for field in type(config).model_fields:
        with pytest.raises(pydantic.ValidationError, match="frozen"):
            setattr(config, field, getattr(config, field))
    assert config.to_json() == before


def test_changed_reaches_any_depth_and_validates_all_changes_together():
    config = ModelConfig(**SIZE, dim=6, heads=3)
    other = config.changed({"dim": 10, "heads": 5, "memory.form": "map", "memory.window": 7})
    assert other == ModelConfig(**SIZE, dim=10, heads=5, memory=dict(form="map", window=7))
    assert config.heads == 3 and config.changed({}) == config
    with pytest.raises(ConfigError, match="dim=10 must be a multiple of heads=3"):
        config.changed({"dim": 10})


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("neuron.taus", "did you mean tau"),
        ("neuron.tau.w", "'tau' is no group of fields"),
        ("memori.window", "'memori' is no group of fields; known: input_shape"),
    ],
)
def test_changed_refuses_a_path_that_leads_nowhere(path, words):
    with pytest.raises(ConfigError, match=words):
        ModelConfig(**SIZE).changed({path: 2})


def test_replace_makes_a_validated_copy():
    config = ModelConfig(**SIZE)
    changed = config.replace(depth=3, memory=dict(form="map", window=2))
    assert (config.depth, changed.depth, changed.memory.form) == (2, 3, "map")
    with pytest.raises(ConfigError, match="multiple of heads=7"):
        config.replace(heads=7)


# --- one switch, one effect ---------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Switch:
    """A change of one option, from a base on which it matters."""

    option: str
    changed: dict
    base: dict = dataclasses.field(default_factory=dict)


LOOKUP = dict(kind="lookup", u=2.0)
TABLE = tuple(float(x * (x % 3)) for x in range(14))

SWITCHES = [
    Switch("input_shape", dict(input_shape=(3, 13, 21))),
    Switch("classes", dict(classes=5)),
    Switch("time_steps", dict(time_steps=3)),
    Switch("dim", dict(dim=33)),
    Switch("depth", dict(depth=1)),
    Switch("heads", dict(heads=13)),
    Switch("mlp_ratio", dict(mlp_ratio=2.0)),
    Switch("stem_pools", dict(stem_pools=(False,))),
    Switch("attention_scale", dict(attention_scale=0.05)),
    Switch("attention_threshold", dict(attention_threshold=0.8)),
    Switch("readout_steps", dict(readout_steps=2)),
    Switch("mean", dict(mean=(0.4,))),
    Switch("std", dict(std=(0.5, 2.0))),
    Switch("neuron.tau", dict(neuron=dict(tau=3.0))),
    Switch("neuron.learn_tau", dict(neuron=dict(learn_tau=False))),
    Switch("neuron.tau_per", dict(neuron=dict(tau_per="channel"))),
    Switch("neuron.v_threshold", dict(neuron=dict(v_threshold=1.4))),
    Switch("neuron.v_reset", dict(neuron=dict(v_reset=-0.5))),
    Switch("neuron.v_reset", dict(neuron=dict(v_reset=None))),
    *[
        Switch("neuron.surrogate", dict(neuron=dict(surrogate=name)))
        for name in ("atan", "piecewise_quadratic", "erf", "rect")
    ],
    Switch("neuron.alpha", dict(neuron=dict(alpha=1.5))),
    Switch("memory.form", dict(memory=dict(form="projection", window=3))),
    Switch("memory.form", dict(memory=dict(form="attenuated", window=3))),
    Switch("memory.form", dict(memory=dict(form="none"))),
    Switch("memory.window", dict(memory=dict(form="map", window=2))),
    Switch(
        "memory.decay",
        dict(memory=dict(form="attenuated", window=3, decay=0.9)),
        dict(memory=dict(form="attenuated", window=3)),
    ),
    Switch("denoiser.kind", dict(denoiser=dict(kind="none"))),
    Switch("denoiser.u", dict(denoiser=dict(u=4.0))),
    Switch("denoiser.gradient", dict(denoiser=dict(gradient="all"))),
    Switch("denoiser.table", dict(denoiser=LOOKUP | dict(table=TABLE)), dict(denoiser=LOOKUP)),
    Switch(
        "denoiser.learn_table",
        dict(denoiser=LOOKUP | dict(learn_table=True)),
        dict(denoiser=LOOKUP),
    ),
]


def effect(model_of, input_of, changes):
    """What an option can change: the parameters' shapes, the logits, the gradients."""
    model = model_of(seed=3, **changes)
    x = input_of(model.config)
    logits = model(x)
    logits.square().sum().backward()
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    return shapes, logits.detach(), {name: p.grad for name, p in model.named_parameters()}


@pytest.mark.parametrize(
    "switch", SWITCHES, ids=lambda s: f"{s.option}-{next(iter(s.changed.values()))}"
)
def test_one_switch_one_effect(small_model, small_input, switch):
    shapes, logits, gradients = effect(small_model, small_input, switch.base)
    new_shapes, new_logits, new_gradients = effect(small_model, small_input, switch.changed)
    same = shapes == new_shapes and torch.equal(logits, new_logits)
    assert not (same and all(torch.equal(g, new_gradients[n]) for n, g in gradients.items()))


GRADIENT_ONLY = ("neuron.surrogate", "neuron.alpha", "denoiser.gradient", "denoiser.learn_table")


@pytest.mark.parametrize(
    "switch", [s for s in SWITCHES if s.option in GRADIENT_ONLY], ids=lambda s: s.option
)
def test_options_of_the_gradient_leave_the_answer_alone(small_model, small_input, switch):
    _, logits, _ = effect(small_model, small_input, switch.base)
    assert torch.equal(logits, effect(small_model, small_input, switch.changed)[1])


def test_no_option_is_without_a_switch():
    """A new option needs a line in the table above."""
    nested = {"neuron": NeuronConfig, "memory": MemoryConfig, "denoiser": DenoiserConfig}
    options = [name for name in ModelConfig.model_fields if name not in nested]
    for prefix, cls in nested.items():
        options += [f"{prefix}.{name}" for name in cls.model_fields]
    assert {switch.option for switch in SWITCHES} == set(options)


@pytest.mark.parametrize("kind", DENOISERS)
def test_every_form_differs(small_model, small_input, kind):
    """With a window of 3, no two forms of the same weights agree."""
    forms = [name for name, form in FORMS.items() if form.remembers]
    answers = [seen_with(small_model, small_input, form, kind)[0] for form in forms]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(answers, 2))


@pytest.mark.parametrize("form", FORMS)
def test_every_denoiser_differs(small_model, small_input, form):
    """In its maps: what is read from them fires or does not, so that answers may well agree."""
    maps = [seen_with(small_model, small_input, form, kind)[1] for kind in DENOISERS]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(maps, 2))


def seen_with(model_of, input_of, form, kind):
    """The answers of a model with this form and denoiser, and the denoised map of its first block."""
    denoiser = dict(kind=kind, u=2.0) | (dict(table=TABLE) if DENOISERS[kind].table else {})
    model = model_of(
        memory=dict(form=form, window=3 if FORMS[form].remembers else 1), denoiser=denoiser
    )
    maps = []
    model.blocks[0].attention.denoise.register_forward_hook(lambda *seen: maps.append(seen[-1]))
    return model(input_of(model.config)).detach(), maps[0]


def test_unknown_configs_are_covered():
    """Every configuration class of the module is in this file's tables."""
    import dista.config as module

    classes = {c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Config)}
    assert classes - {Config} == {type(c) for c in CONFIGS}
