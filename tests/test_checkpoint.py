"""Checkpoints: what is saved comes back bit for bit, and whatever is malformed says so."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

import dista
from dista import checkpoint
from dista.checkpoint import CheckpointError, load, read_card, read_config
from dista.config import TrainingConfig
from dista.files import replacement, weights
from dista.model import DISTA
from dista.presets import preset
from dista.runs import Run, RunConfig

CARD = {
    "name": "small",
    "task": "digits",
    "metrics": {"test": {"accuracy": 0.5}},
    "command": "dista train é",
}

DIGEST = lambda model: {"weights": weights.digest(model)}  # noqa: E731


@pytest.fixture(scope="module")
def original(small_model):
    """A model with a mixture of options and values that no fresh model has."""
    model = small_model(
        memory=dict(form="projection", window=3),
        denoiser=dict(kind="lookup", learn_table=True),
        neuron=dict(tau_per="channel", v_reset=None),
        mean=(0.25, 0.5),
        std=(0.5, 2.0),
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    model.card = CARD
    return model


@pytest.fixture(scope="module")
def saved(original, tmp_path_factory):
    return dista.save(original, tmp_path_factory.mktemp("checkpoints") / "deep" / "original")


@pytest.fixture
def folder(saved, tmp_path):
    """A copy to damage."""
    return shutil.copytree(saved, tmp_path / "damaged")


def test_outputs_are_bit_identical(original, saved, small_input):
    x = small_input(original.config)
    again = load(saved)
    assert torch.equal(again.steps(x), original.steps(x))
    assert (
        again.config == original.config
        and again.card == CARD | DIGEST(original)
        and again.name == "small"
    )
    assert not again.training
    for name, value in original.state_dict().items():
        assert (
            torch.equal(again.state_dict()[name], value)
            and again.state_dict()[name].dtype == value.dtype
        )


def test_files(saved, original):
    assert sorted(p.name for p in saved.iterdir()) == [
        "card.json",
        "config.json",
        "model.safetensors",
    ]
    assert read_card(saved) == CARD | DIGEST(original) and read_config(saved) == original.config
    assert set(load_file(saved / "model.safetensors")) == set(original.state_dict())


def test_a_card_says_of_which_weights_its_numbers_are(original, saved, tmp_path):
    """Those that it was written with, whatever becomes of the file and of the model."""
    digest = read_card(saved)["weights"]
    assert digest == checkpoint.digest(saved)
    changed = load(saved)
    with torch.no_grad():
        changed.head.linear.weight += 1
    other = dista.save(changed, tmp_path / "changed")
    assert read_card(other)["weights"] == digest != checkpoint.digest(other)
    half = dista.save(original, tmp_path / "half", half=True)
    assert read_card(half)["weights"] == checkpoint.digest(half) != digest


@pytest.mark.parametrize("name", checkpoint.shipped())
def test_a_shipped_card_is_of_the_shipped_weights(name):
    assert read_card(name)["weights"] == checkpoint.digest(name)


def test_half_precision_is_half_the_size_and_rounds(original, saved, tmp_path):
    folder = dista.save(original, tmp_path / "half", half=True)
    sizes = [(path / "model.safetensors").stat().st_size for path in (folder, saved)]
    assert sizes[0] < 0.6 * sizes[1]
    again = load(folder).state_dict()
    for name, value in original.state_dict().items():
        assert again[name].dtype == value.dtype
        torch.testing.assert_close(again[name], value, rtol=1e-3, atol=1e-6)
        if value.is_floating_point():
            assert torch.equal(again[name], value.half().to(value.dtype))


def test_what_half_precision_cannot_hold_is_said_and_nothing_is_written(small_model, tmp_path):
    model = small_model()
    model.stem.position.norm.running_var[3] = 1e6
    with pytest.raises(ValueError, match=r"stem\.position\.norm\.running_var reaches 1e"):
        dista.save(model, tmp_path / "half", half=True)
    assert not (tmp_path / "half").exists()


def test_saving_again_replaces(saved, folder, small_model, small_input):
    other = small_model(depth=1)
    dista.save(other, folder)
    x = small_input(other.config)
    assert torch.equal(load(folder).steps(x), other.steps(x))
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in saved.iterdir())


def test_a_loaded_model_trains(saved, small_input):
    model = load(saved).train()
    model(small_input(model.config)).sum().backward()
    assert all(p.requires_grad and p.grad is not None for p in model.parameters())


def test_fixed_and_learned_tau_share_checkpoints(saved, folder):
    config = json.loads((folder / "config.json").read_text())
    config["neuron"]["learn_tau"] = False
    (folder / "config.json").write_text(json.dumps(config))
    fixed, learned = load(folder), load(saved)
    assert not [name for name, _ in fixed.named_parameters() if "tau" in name]
    name = "blocks.1.mlp.hidden.neuron.tau.w"
    assert torch.equal(fixed.state_dict()[name], learned.state_dict()[name])


# --- names --------------------------------------------------------------------------------------


@pytest.fixture
def shelf(saved, tmp_path, monkeypatch):
    """A folder of shipped checkpoints that holds one."""
    shutil.copytree(saved, tmp_path / "assets" / "match-map")
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path / "assets"))
    return tmp_path / "assets"


@pytest.mark.parametrize("name", ["match-map", "match_map"])
def test_shipped_by_name(shelf, name):
    assert list(checkpoint.shipped()) == ["match-map"]
    assert checkpoint.find(name) == shelf / "match-map" and load(name).config.depth == 2


@pytest.mark.parametrize("name", ["match-mapp", "nowhere/at/all", ""])
def test_unknown_names(shelf, monkeypatch, name):
    monkeypatch.chdir(shelf)
    with pytest.raises(CheckpointError) as error:
        load(name)
    assert repr(name) in str(error.value) and "match-map" in str(error.value)


def test_a_card_is_optional(folder):
    (folder / "card.json").unlink()
    assert read_card(folder) == {}
    model = load(folder)
    assert model.card == {} and model.name == "damaged"


# --- damage -------------------------------------------------------------------------------------


def shorten(path, part):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])


def edit_weights(path, edit):
    weights = load_file(path)
    edit(weights)
    save_file(weights, path)


def edit_config(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


HEAD = "head.linear.weight"

# What is done to the file, and what the message must contain.
DAMAGE = [
    ("model.safetensors", lambda p: p.unlink(), ["has no model.safetensors"]),
    ("model.safetensors", lambda p: shorten(p, 0), ["not a readable safetensors file"]),
    ("model.safetensors", lambda p: shorten(p, 0.01), ["not a readable safetensors file"]),
    ("model.safetensors", lambda p: shorten(p, 0.99), ["not a readable safetensors file"]),
    (
        "model.safetensors",
        lambda p: p.write_bytes(b"\xff" * 4096),
        ["not a readable safetensors file"],
    ),
    ("model.safetensors", lambda p: (p.unlink(), p.mkdir()), ["not a readable safetensors file"]),
    (
        "model.safetensors",
        lambda p: edit_weights(p, lambda w: w.pop(HEAD)),
        ["does not fit config.json", f"{HEAD} is missing"],
    ),
    (
        "model.safetensors",
        lambda p: edit_weights(p, lambda w: w.update(extra=torch.zeros(2))),
        ["does not fit config.json", "extra is not part of the model"],
    ),
    (
        "model.safetensors",
        lambda p: edit_weights(p, lambda w: w.update({HEAD: w[HEAD][:5].clone()})),
        [HEAD, "(5, 39)", "expected (17, 39)"],
    ),
    (
        "model.safetensors",
        lambda p: edit_config(p.with_name("config.json"), classes=5),
        [HEAD, "(17, 39)"],
    ),
    ("config.json", lambda p: p.unlink(), ["no checkpoint"]),
    ("config.json", lambda p: shorten(p, 0.5), ["not a valid model configuration", "JSON"]),
    ("config.json", lambda p: p.write_text("[]"), ["not a valid model configuration"]),
    ("config.json", lambda p: p.write_bytes(b"\xff\xfe\x00"), ["not a valid model configuration"]),
    (
        "config.json",
        lambda p: p.write_text(" " * (checkpoint.LARGEST_CONFIG + 1)),
        ["config.json has 4194305 bytes; expected at most 4194304"],
    ),
    (
        "config.json",
        lambda p: edit_config(p, depth=0),
        ["depth", "greater than or equal to 1", "given 0"],
    ),
    ("config.json", lambda p: edit_config(p, dept=1), ["dept", "did you mean depth"]),
    ("card.json", lambda p: shorten(p, 0.5), ["damaged: Invalid JSON"]),
    ("card.json", lambda p: p.write_text("[1]"), ["damaged: Input should be an object"]),
    ("card.json", lambda p: p.write_bytes(b'{"name": "\xff"}'), ["damaged: Invalid JSON"]),
    (
        "card.json",
        lambda p: p.write_text('{"metrics": []}'),
        ["metrics: Input should be an object"],
    ),
]


@pytest.mark.parametrize("name, damage, words", DAMAGE)
def test_damage_is_told(folder, name, damage, words):
    damage(folder / name)
    with pytest.raises(CheckpointError) as error:
        load(folder)
    assert [word for word in (name, *words) if word not in str(error.value)] == [], str(error.value)


def test_an_interrupted_write_keeps_the_old_file(folder, monkeypatch):
    before = (folder / "config.json").read_bytes()

    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(replacement.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoint.write_whole(folder / "config.json", b"half")
    assert (folder / "config.json").read_bytes() == before
    assert len(list(folder.iterdir())) == 3


def test_a_new_model_starts_from_the_weights_that_fit(original, saved, small_model):
    """Another window and another number of classes: the lags and the head that do not fit stay new."""
    fresh = dict(memory=dict(form="projection", window=2), neuron=dict(tau_per="channel"))
    model = small_model(**fresh, classes=original.config.classes + 1, denoiser=dict(kind="none"))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    taken, source = checkpoint.adopt(model, saved), original.state_dict()
    assert {"blocks.0.attention.query.lags.1.synapse.weight", "stem.stages.0.neuron.tau.w"} <= set(
        taken
    )
    assert not {name for name in taken if name.startswith("head")}
    for name, value in model.state_dict().items():
        assert torch.equal(value, source[name] if name in taken else before[name])


def test_time_constants_that_are_fixed_stay_fixed(original, saved, small_model):
    neuron = dict(tau_per="channel", learn_tau=False, tau=5.0)
    model = small_model(memory=dict(form="none"), neuron=neuron)
    checkpoint.adopt(model, saved)
    taus = [lif.tau() for lif in model.modules() if type(lif).__name__ == "LIF"]
    assert taus and all(torch.equal(tau, torch.full_like(tau, 5.0)) for tau in taus)


def test_starting_from_a_checkpoint_of_which_nothing_fits_is_an_error(saved, small_model):
    with pytest.raises(CheckpointError, match="same dim, heads and stem"):
        checkpoint.adopt(
            small_model(dim=45, input_shape=(5, 13, 11), classes=3, neuron=dict(tau_per="channel")),
            saved,
        )


def test_a_run_without_a_checkpoint_is_no_damaged_checkpoint(tmp_path):
    model = preset("tiny")
    what = RunConfig(preset="tiny", data="digits", model=model, training=TrainingConfig())
    Run.create(tmp_path / "run", what, {}).set_status("stopped", epoch=0, step=3)
    with pytest.raises(CheckpointError, match=r"run is a run without a checkpoint: its training"):
        checkpoint.adopt(DISTA(model), tmp_path / "run")
