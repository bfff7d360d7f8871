"""The digest of weights, and files of weights that would take more than they hold or hold no numbers."""

import copy
import json
import shutil
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from dista import checkpoint
from dista.checkpoint import CheckpointError
from dista.files import weights


@pytest.fixture(scope="module")
def model(small_model):
    return small_model(memory=dict(form="projection", window=3), neuron=dict(tau_per="channel"))


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    return checkpoint.save(model, tmp_path_factory.mktemp("weights") / "saved")


@pytest.fixture
def folder(saved, tmp_path):
    """A copy to damage."""
    return shutil.copytree(saved, tmp_path / "damaged")


# Digest -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [False, True])
def test_a_file_has_the_digest_of_the_model_that_is_in_it(model, tmp_path, half):
    folder = checkpoint.save(model, tmp_path / "one", half=half)
    loaded = checkpoint.load(folder)
    assert checkpoint.digest(folder) == weights.digest(loaded)
    assert (weights.digest(loaded) == weights.digest(model)) is not half
    assert len(weights.digest(model)) == 64


def test_bfloat16_has_the_digest_of_what_is_loaded(folder):
    path = folder / "model.safetensors"
    rounded = {name: value.bfloat16() if value.is_floating_point() else value
               for name, value in load_file(path).items()}  # fmt: skip
    save_file(rounded, path)
    assert checkpoint.digest(folder) == weights.digest(checkpoint.load(folder))


@pytest.mark.parametrize("name", ["head.linear.bias", "stem.position.norm.running_var",
                                  "blocks.1.attention.query.neuron.tau.w"])  # fmt: skip
def test_one_value_more_or_less_is_another_digest(model, name):
    other = copy.deepcopy(model)
    values = other.state_dict()[name]
    values[-1] = np.nextafter(values[-1].numpy(), np.float32(np.inf)).item()
    assert weights.digest(other) != weights.digest(model)


def test_values_that_change_places_are_another_digest(model):
    other = copy.deepcopy(model)
    a, b = other.blocks[0].mlp.state_dict(), other.blocks[1].mlp.state_dict()
    a, b = ({k: v.clone() for k, v in one.items()} for one in (a, b))
    other.blocks[0].mlp.load_state_dict(b)
    other.blocks[1].mlp.load_state_dict(a)
    assert weights.digest(other) != weights.digest(model)


def test_a_compiled_model_has_the_digest_of_the_one_it_was_made_from(model):
    assert weights.digest(torch.compile(model, backend="eager")) == weights.digest(model)


def test_a_compiled_model_is_saved_by_its_own_names(model, tmp_path):
    folder = checkpoint.save(torch.compile(model, backend="eager"), tmp_path / "compiled")
    assert weights.digest(checkpoint.load(folder)) == weights.digest(model)


# Sizes ------------------------------------------------------------------------------------------

HUGE = [
    dict(dim=39 * 2**20),
    dict(dim=39 * 2**40),
    dict(depth=10**6),
    dict(depth=2**70),
    dict(classes=2**40),
    dict(mlp_ratio=1e15),
    dict(mlp_ratio=1e300),
    dict(stem_pools=[True] + [False] * 500, dim=39 * 2**500, heads=1),
    dict(memory=dict(form="projection", window=10**6)),
    dict(memory=dict(form="attenuated", window=10**7)),
    dict(denoiser=dict(kind="lookup"), dim=39 * 2**40, heads=1),
]


@pytest.mark.parametrize("changes", HUGE, ids=str)
def test_a_configuration_that_asks_for_more_than_the_file_has_takes_nothing(folder, changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    began, before = time.perf_counter(), _peak()
    with pytest.raises(CheckpointError) as error:
        checkpoint.load(folder)
    assert "does not fit config.json" in str(error.value) or "dim" in str(error.value)
    assert time.perf_counter() - began < 5 and _peak() - before < 64 << 20


def _peak():
    """The most memory that this process has ever had, in bytes."""
    resource = pytest.importorskip("resource")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("name", ["config.json", "card.json"])
def test_texts_of_any_size_are_not_read(folder, name):
    with (folder / name).open("ab") as file:
        file.truncate(1 << 40)  # sparse: it takes no space
    with pytest.raises(CheckpointError, match=f"{name} has 1099511627776 bytes"):
        checkpoint.load(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 100_000, '{"a": 1' + "0" * 5000 + "}"])
@pytest.mark.parametrize("name", ["config.json", "card.json"])
def test_texts_without_end_are_told(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        checkpoint.load(folder)


def test_a_header_that_reaches_beyond_the_file_is_told(folder):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    last = max((v["data_offsets"][1], k) for k, v in header.items() if k != "__metadata__")[1]
    header[last]["data_offsets"][1] += 1 << 40
    header[last]["shape"] = [1 << 38, *header[last]["shape"]]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])
    for read in (checkpoint.load, checkpoint.digest):
        with pytest.raises(CheckpointError, match="not a readable safetensors file"):
            read(folder)


# Values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder, small_model, bad):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors["blocks.0.mlp.hidden.norm.running_var"][3] = bad
    save_file(tensors, path)
    for read in (checkpoint.load, lambda folder: checkpoint.adopt(small_model(), folder)):
        with pytest.raises(CheckpointError) as error:
            read(folder)
        assert "running_var has 1 of 58 values that are infinite or no number" in str(error.value)


def test_every_damaged_byte_of_a_header_is_an_error_or_no_damage(folder):
    path = folder / "model.safetensors"
    content, rng = path.read_bytes(), np.random.default_rng(0)
    size = int.from_bytes(content[:8], "little")
    for place in rng.integers(0, 8 + size, 150):
        path.write_bytes(content[:place] + bytes([rng.integers(256)]) + content[place + 1 :])
        for read in (checkpoint.load, checkpoint.digest):
            try:
                read(folder)
            except CheckpointError as error:
                assert str(path) in str(error)


@pytest.mark.parametrize(
    "said",
    [{"time_steps": 2**40}, {"input_shape": [1, 2**16, 2**16]}],
    ids=lambda said: next(iter(said)),
)
def test_sizes_that_no_weight_tells_have_a_limit(tmp_path, said):
    """With them a network would never end, or ask for gigabytes for its first input."""
    import dista

    path = dista.save(dista.DISTA(dista.preset("tiny")), tmp_path / "one")
    config = json.loads((path / "config.json").read_text()) | said
    (path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=f"{next(iter(said))} is .*, of at most"):
        checkpoint.load(path)


def test_a_configuration_that_is_no_json_is_a_sentence_and_not_repeated_as_a_whole(folder):
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"dim":', '"dim"', 1) + " " * 5000)
    with pytest.raises(CheckpointError, match="Invalid JSON") as error:
        checkpoint.load(folder)
    assert len(str(error.value)) < 800
