"""Recordings: they change nothing, hold what they say, and open anywhere."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from dista.attention import causal_pairs
from dista.engine import kernels
from dista.neurons import reset
from dista.observable import Observable
from dista.recording import RecordingError, hooks, observables, open_recording, record, save

SPACE = ("time", "batch", "channel", "row", "column")
MAP = ("pair", "batch", "head", "query", "key")


@pytest.fixture(scope="module")
def recorded(small_model, small_input):
    """A model with memory in its map, an input and the recording of everything."""
    model = small_model(memory=dict(form="map", window=3))
    x = small_input(model.config)
    names = tuple(f"class {c}" for c in range(17))
    tree = record(model, x, labels=[3, 1, 4, 1], classes=names, samples=[20, 30, 40, 50])
    return model, x, tree


def path(name):
    return name.replace(".", "/")


def hook_count(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


# --- a recording changes nothing ----------------------------------------------------------------


@pytest.mark.parametrize("form", ["projection", "map"])
@pytest.mark.parametrize("steps", [None, 5])
def test_outputs_are_bit_identical(small_model, small_input, form, steps):
    model = small_model(memory=dict(form=form, window=3))
    x = small_input(model.config, steps=steps)
    with torch.inference_mode():
        before = model.steps(x)
        tree = record(model, x)
        after = model.steps(x)
    assert torch.equal(before, after)
    assert np.array_equal(tree["head"].values, before.numpy())


def test_no_hooks_are_left(small_model, small_input):
    model = small_model()
    record(model, small_input(model.config))
    assert hook_count(model) == 0
    record(model, small_input(model.config), dry_run=True)
    assert hook_count(model) == 0


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_exception_leaves_the_model_as_it_was(small_model, small_input, monkeypatch, dry_run):
    model = small_model().train()

    def fail(x):
        raise ArithmeticError("in the middle")

    monkeypatch.setattr(model.blocks[1].mlp, "forward", fail)
    with pytest.raises(ArithmeticError):
        record(model, small_input(model.config), dry_run=dry_run)
    assert hook_count(model) == 0 and all(m.training for m in model.modules())


@pytest.mark.parametrize("training", [True, False])
def test_training_mode_is_restored(small_model, small_input, training):
    model = small_model().train(training)
    model.stem.train(not training)  # a part in the other mode, as where the stem is frozen
    modes = [m.training for m in model.modules()]
    statistics = {name: b.clone() for name, b in model.named_buffers()}
    tree = record(model, small_input(model.config), "head")
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(b, statistics[name]) for name, b in model.named_buffers())
    assert np.array_equal(
        tree["head"].values, model.eval().steps(small_input(model.config)).detach().numpy()
    )


def test_a_recording_is_a_copy(recorded, small_model, small_input):
    model = small_model()
    tree = record(model, small_input(model.config), "*.tau")
    with torch.no_grad():
        model.stem.stages[0].neuron.tau.w.fill_(3)
    assert tree["stem/stages/0/neuron/tau"].values == pytest.approx(2.0)


class Returning(nn.Module):
    """Returns what it was made with; every way in which memory can belong to somebody else."""

    observables = {"": Observable(("batch", "time"))}

    def __init__(self, give):
        super().__init__()
        self.give = give

    def forward(self, x):
        return self.give(x)


class Lender(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 2))
        self.register_buffer("ones", torch.ones(3, 2))
        large = torch.ones(5, 2)
        fresh = lambda _: torch.ones(3, 2)  # noqa: E731
        self.parts = nn.ModuleDict(
            {
                "weight": Returning(lambda _: self.weight),
                "buffer": Returning(lambda _: self.ones[:, :]),
                "input": Returning(lambda x: x.view(3, 2)),
                "slice": Returning(lambda _: large[1:4]),
                "repeated": Returning(lambda _: torch.ones(1, 2).expand(3, 2)),
                "fresh": Returning(fresh),
                "again": Returning(lambda _: self.last),
            }
        )

    def forward(self, x):
        for name, part in self.parts.items():
            result = part(x)
            if name == "fresh":
                self.last = result


def test_no_two_arrays_share_memory_with_each_other_or_with_the_model():
    model, x = Lender(), torch.ones(3, 2, 1, 1)
    arrays = {name: array.values for name, array in record(model, x)["parts"].items()}
    assert len(arrays) == 7 and all((array == 1).all() for array in arrays.values())
    for number, array in enumerate(arrays.values()):
        array[0, 0] = number + 2
    for number, array in enumerate(arrays.values()):
        assert array[0, 0] == number + 2 and array.sum() == number + 7
    assert all((tensor == 1).all() for tensor in (model.weight, model.ones, x))


def test_what_a_module_computes_is_taken_over_without_a_copy(small_model, small_input):
    model = small_model(depth=1)
    seen = {}
    with hooks(model, {"stem.position.neuron.membrane": lambda m, i, o: seen.update(h=o)}):
        tree = record(model, small_input(model.config), "stem.position.neuron.*")
    array = tree["stem/position/neuron/membrane"].values
    assert np.shares_memory(array, seen["h"].numpy())
    assert not np.shares_memory(array, tree["stem/position/neuron/reset"].values)


def test_a_later_change_in_place_is_an_error(small_model, small_input):
    """The recorded numbers would no longer be those that were seen."""
    model = small_model(depth=1)
    x, head = small_input(model.config), "blocks.0.attention.query"
    spoil = model.blocks[0].attention.query.norm.register_forward_pre_hook(
        lambda m, i: i[0].zero_()
    )
    with pytest.raises(RecordingError, match="was changed in place after it was recorded"):
        record(model, x, f"{head}.lags.0")
    spoil.remove()
    assert record(model, x, f"{head}.lags.0")["blocks/0/attention/query/lags/0"].values.any()


def test_inference_mode_outside_changes_nothing(small_model, small_input):
    model = small_model(depth=1)
    expected = record(model, small_input(model.config))
    with torch.inference_mode():
        inside = record(model, small_input(model.config))
    xr.testing.assert_identical(inside, expected)


@pytest.mark.parametrize("names, at_once", [("*.spikes", True), ("*.neuron.*", False)])
def test_spikes_alone_need_no_membrane(small_model, small_input, monkeypatch, names, at_once):
    """The kernel that charges and fires in one pass runs also while spikes are recorded."""
    model = small_model()
    x, calls = small_input(model.config), []
    membrane = kernels.membrane
    monkeypatch.setattr(kernels, "membrane", lambda *a: calls.append(1) or membrane(*a))
    tree = record(model, x, names)
    assert bool(calls) != at_once
    everything = record(model, x)
    for name in observables(model):
        if name.endswith(".spikes"):
            assert np.array_equal(tree[path(name)], everything[path(name)])


def test_the_reference_records_the_same_types(small_model, small_input, monkeypatch):
    model = small_model(depth=1)
    x = small_input(model.config)
    fast = record(model, x)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    slow = record(model, x)
    assert [node.path for node in slow.subtree] == [node.path for node in fast.subtree]
    for name in observables(model):
        assert slow[path(name)].dtype == fast[path(name)].dtype, name


def test_the_tree_is_that_of_from_dict(recorded):
    """It is built in another way, which is quicker."""
    tree = recorded[2]
    datasets = {node.path: node.to_dataset(inherit=False) for node in tree.subtree}
    xr.testing.assert_identical(tree, xr.DataTree.from_dict(datasets))
    assert tree["blocks/1/attention"].parent is tree["blocks/1"]


# --- what it holds ------------------------------------------------------------------------------


def neuron_names(prefix):
    return {f"{prefix}.neuron.{name}" for name in ("tau", "membrane", "current", "reset", "spikes")}


@pytest.mark.parametrize(
    "form, window", [("map", 3), ("projection", 3), ("attenuated", 2), ("none", 1)]
)
def test_every_name_of_the_model(small_model, form, window):
    layers = ["stem.stages.0", "stem.position"]
    expected = {"head"}
    for block in ("blocks.0", "blocks.1"):
        attention = f"{block}.attention"
        layers += [attention, f"{attention}.output", f"{block}.mlp.hidden", f"{block}.mlp.output"]
        layers += [f"{attention}.{name}" for name in ("query", "key", "value")]
        expected |= {f"{attention}.{name}" for name in ("scores", "denoise", "read")}
        for lag in range(window if form in ("projection", "attenuated") else 1):
            expected |= {f"{attention}.{name}.lags.{lag}" for name in ("query", "key", "value")}
    for layer in layers:
        expected |= neuron_names(layer)
    assert set(observables(small_model(memory=dict(form=form, window=window)))) == expected


# A name, and its axes, shape and type in the small model.
HELD = [
    ("head", ("time", "batch", "class"), (5, 4, 17), np.float32),
    ("stem/stages/0/neuron/spikes", SPACE, (5, 4, 39, 7, 11), np.bool_),
    ("stem/stages/0/neuron/current", SPACE, (5, 4, 39, 7, 11), np.float32),
    ("stem/position/neuron/membrane", SPACE, (5, 4, 39, 7, 11), np.float32),
    ("blocks/1/attention/query/neuron/spikes", SPACE, (5, 4, 39, 7, 11), np.bool_),
    ("blocks/1/attention/key/lags/0", SPACE, (5, 4, 39, 7, 11), np.float32),
    ("blocks/1/attention/scores", MAP, (12, 4, 3, 77, 77), np.uint8),
    ("blocks/0/attention/denoise", MAP, (12, 4, 3, 77, 77), np.uint8),
    (
        "blocks/0/attention/read",
        ("time", "batch", "head", "query", "dim"),
        (5, 4, 3, 77, 13),
        np.float32,
    ),
    ("blocks/0/mlp/hidden/neuron/reset", SPACE, (5, 4, 58, 7, 11), np.float32),
    ("blocks/0/mlp/output/neuron/tau", ("group",), (1,), np.float32),
]


@pytest.mark.parametrize("name, axes, shape, dtype", HELD)
def test_axes_shapes_and_types(recorded, name, axes, shape, dtype):
    array = recorded[2][name]
    assert (array.dims, array.shape, array.dtype) == (axes, shape, dtype)


def test_types_of_every_array(recorded):
    for name, source in observables(recorded[0]).items():
        expected = {"bool": np.bool_, "count": np.uint8, "float": np.float32}[
            source.observable.dtype
        ]
        assert recorded[2][path(name)].dtype == expected, name


def test_root_and_labels(recorded):
    model, x, tree = recorded
    assert tree["input"].dims == ("batch", "colour", "y", "x")
    assert np.array_equal(tree["input"].values, x.numpy())
    assert tree["label"].dims == ("batch",) and tree["label"].values.tolist() == [3, 1, 4, 1]
    assert tree["batch"].values.tolist() == [20, 30, 40, 50]
    assert tree.attrs["classes"] == [f"class {c}" for c in range(17)]
    assert type(model.config).from_json(tree.attrs["model_config"]) == model.config
    assert tree["blocks/0/attention/scores"].sel(batch=40).shape == (12, 3, 77, 77)


def test_frames_have_time(small_model, small_input):
    model = small_model(depth=1)
    x = small_input(model.config, steps=3)
    tree = record(model, x, "head")
    assert (
        tree["input"].dims == ("time", "batch", "colour", "y", "x")
        and tree["input"].shape == x.shape
    )
    assert tree["head"].shape == (3, 4, 17) and tree["batch"].values.tolist() == [0, 1, 2, 3]


def test_constants_of_neurons_and_denoiser(small_model, small_input):
    model = small_model(
        depth=1,
        neuron=dict(v_threshold=1.2, v_reset=None),
        attention_threshold=0.7,
        denoiser=dict(u=3.0),
    )
    tree = record(model, small_input(model.config))
    assert tree["stem/position/neuron/membrane"].attrs == {"v_threshold": 1.2, "v_reset": "soft"}
    assert tree["blocks/0/attention/neuron/membrane"].attrs["v_threshold"] == 0.7
    assert tree["blocks/0/attention/denoise"].attrs == {"kind": "threshold", "u": 3.0}


@pytest.mark.parametrize("name", ["scores", "denoise"])
@pytest.mark.parametrize(
    "form, window", [("map", 3), ("map", 1), ("map", 7), ("projection", 3), ("none", 1)]
)
def test_query_and_key_times(small_model, small_input, form, window, name):
    model = small_model(depth=1, memory=dict(form=form, window=window))
    tree = record(model, small_input(model.config, 1), f"*.{name}")
    a = tree[f"blocks/0/attention/{name}"]
    expected = causal_pairs(5, window if form == "map" else 1)
    assert (a["query_time"].values.tolist(), a["key_time"].values.tolist()) == expected
    assert a["query_time"].dims == ("pair",)


def test_maps_are_those_of_the_recorded_spikes(recorded):
    """Each entry of the map is the count of coincident spikes of the steps that its labels name."""
    tree = recorded[2]["blocks/1/attention"]
    q, k = (
        np.moveaxis(tree[f"{n}/neuron/spikes"].values.reshape(5, 4, 3, 13, 77), -1, -2).astype(int)
        for n in ("query", "key")
    )
    assert tree["scores"].values.max() > 1
    for pair in tree["scores"].transpose("pair", ...):
        t, m = int(pair["query_time"]), int(pair["key_time"])
        assert np.array_equal(pair.values, q[t] @ k[m].swapaxes(-1, -2))
    expected = tree["scores"].values * (tree["scores"].values > 1)
    assert (
        np.array_equal(tree["denoise"].values, expected)
        and 0 < expected.sum() < tree["scores"].values.sum()
    )


@pytest.mark.parametrize("v_reset", [0.0, None, -0.5])
def test_membrane_reset_spikes_and_current_belong_together(small_model, small_input, v_reset):
    model = small_model(depth=1, neuron=dict(v_reset=v_reset))
    tree = record(model, small_input(model.config), "*.neuron.*")
    for prefix in ("stem/stages/0", "blocks/0/attention", "blocks/0/mlp/hidden"):
        group = {
            name: torch.from_numpy(array.values) for name, array in tree[f"{prefix}/neuron"].items()
        }
        threshold = tree[f"{prefix}/neuron/membrane"].attrs["v_threshold"]
        h, s = group["membrane"], group["spikes"].float()
        assert 0 < s.mean() < 1
        assert torch.equal(group["spikes"], h >= threshold)
        assert torch.equal(group["reset"], reset(h, s, threshold, v_reset))
        v = torch.full_like(h[0], v_reset or 0.0)
        for t in range(len(h)):
            charged = v + (group["current"][t] - (v - (v_reset or 0.0))) / group["tau"]
            torch.testing.assert_close(h[t], charged, rtol=0, atol=1e-5)
            v = group["reset"][t]


@pytest.mark.parametrize("form", ["projection", "attenuated"])
def test_lags_add_up_to_the_current(small_model, small_input, form):
    """The lags sum to the normalised current, and are zero before their time."""
    model = small_model(depth=1, memory=dict(form=form, window=3))
    tree = record(model, small_input(model.config), "*.query.*")["blocks/0/attention/query"]
    lags = [torch.from_numpy(tree[f"lags/{lag}"].values) for lag in range(3)]
    for lag, contribution in enumerate(lags):
        assert not contribution[:lag].any() and contribution[lag].any()
    current = model.blocks[0].attention.query.norm(sum(lags))
    torch.testing.assert_close(
        torch.from_numpy(tree["neuron/current"].values), current.detach(), rtol=0, atol=1e-5
    )


def test_tables_that_are_not_integers_are_kept_exactly(small_model, small_input):
    table = [x + 0.25 for x in range(14)]
    model = small_model(depth=1, denoiser=dict(kind="lookup", table=table))
    denoised = record(model, small_input(model.config, 1), "*.denoise")[
        "blocks/0/attention/denoise"
    ]
    assert denoised.dtype == np.float32 and set(np.unique(denoised)) <= set(table)


def test_counts_above_255_take_two_bytes(small_model, small_input):
    model = small_model(
        depth=1, dim=300, heads=1, denoiser=dict(kind="none"), memory=dict(form="none")
    )
    with torch.no_grad():  # all neurons of query and key fire at each step
        for project in (model.blocks[0].attention.query, model.blocks[0].attention.key):
            project.norm.bias.fill_(100)
    scores = record(model, small_input(model.config, 1), "*.scores")["blocks/0/attention/scores"]
    assert scores.dtype == np.uint16 and scores.values.max() == 300


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("head", ["head"]),
        ("blocks.*.attention.scores", ["blocks.0.attention.scores", "blocks.1.attention.scores"]),
        ("blocks.[1].attention.read", ["blocks.1.attention.read"]),
        (["head", "stem.*.tau"], ["stem.stages.0.neuron.tau", "stem.position.neuron.tau", "head"]),
        ("*.position.neuron.reset", ["stem.position.neuron.reset"]),
    ],
)
def test_a_glob_chooses(recorded, pattern, expected):
    model, x, _ = recorded
    tree = record(model, x, pattern)
    held = {f"{node.path}/{name}".strip("/") for node in tree.subtree for name in node.data_vars}
    assert held == {"input", *map(path, expected)}


@pytest.mark.parametrize(
    "names, nearest",
    [
        ("blocks.0.attention.score", "blocks.0.attention.scores"),
        ("hed", "head"),
        (["head", "stem.position.neuron.spike"], "stem.position.neuron.spikes"),
        ("blocks.7.attention.scores", "blocks.[01].attention.scores"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_unknown_name_lists_the_nearest(recorded, names, nearest, dry_run):
    model, x, _ = recorded
    with pytest.raises(RecordingError, match=f"nothing is called .*{nearest}"):
        record(model, x, names, dry_run=dry_run)


# --- size beforehand ----------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [None, 3])
@pytest.mark.parametrize(
    "denoiser",
    [{}, dict(kind="lookup", table=tuple(x + 0.25 for x in range(14)))],
    ids=["counts", "floats"],
)
def test_dry_run_tells_the_size(small_model, small_input, steps, denoiser):
    model = small_model(memory=dict(form="map", window=3), denoiser=denoiser)
    x = small_input(model.config, steps=steps)
    tree, sizes = record(model, x), record(model, x, dry_run=True)
    assert sizes["name"].tolist() == list(observables(model))
    for row in sizes.itertuples():
        array = tree[path(row.name)]
        assert (row.axes, row.shape, row.bytes) == (array.dims, array.shape, array.nbytes), row.name


# --- on disk ------------------------------------------------------------------------------------

READ_WITHOUT_THE_PACKAGE = """
import sys, xarray, zarr
store = zarr.storage.ZipStore(sys.argv[1], mode="r") if sys.argv[1].endswith("zip") else sys.argv[1]
tree = xarray.open_datatree(store, engine="zarr", consolidated=False)
array = tree["blocks/1/attention/scores"]
print(array.dims, array.shape, array.dtype, int(array.sum()), array["key_time"].values.tolist(), sep="|")
assert not {"torch", "dista"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def part(recorded):
    """A part of the recording with every kind of array in it."""
    model, x, _ = recorded
    names = ["head", "stem.position.*", "blocks.1.attention.*"]
    return record(model, x, names, labels=[3, 1, 4, 1], classes=["é", "b"], samples=[5, 3, 2, 7])


@pytest.fixture(scope="module", params=["recording.zarr", "recording.zarr.zip"])
def saved(request, part, tmp_path_factory):
    return save(part, tmp_path_factory.mktemp("saved") / "new" / request.param)


def test_round_trip(part, saved):
    again = open_recording(saved)
    assert again.identical(part)
    for node in part.subtree:
        types = {name: array.dtype for name, array in node.data_vars.items()}
        assert types == {name: array.dtype for name, array in again[node.path].data_vars.items()}
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]  # nothing temporary stays


def test_xarray_alone_reads_it(part, saved):
    command = [sys.executable, "-c", READ_WITHOUT_THE_PACKAGE, str(saved)]
    read = subprocess.run(
        command, capture_output=True, text=True, cwd=saved.parent, check=True
    ).stdout
    scores = part["blocks/1/attention/scores"]
    key_time = scores["key_time"].values.tolist()
    expected = [scores.dims, scores.shape, scores.dtype, int(scores.sum()), key_time]
    assert read.strip() == "|".join(map(str, expected))


@pytest.mark.parametrize("name", ["recording.zarr", "recording.zarr.zip"])
def test_saving_replaces(recorded, tmp_path, name):
    model, x, _ = recorded
    for names in (["stem.position.*", "head"], "head"):
        tree = record(model, x[:1], names)
        assert open_recording(save(tree, tmp_path / name)).identical(tree)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def chunk_bytes(folder):
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and p.name != "zarr.json")


@pytest.mark.parametrize("rate, bits", [(0.5, 1.05), (0.1, 0.75), (0.0, 0.01)])
def test_a_spike_takes_at_most_a_bit(tmp_path, rate, bits):
    shape = (7, 5, 31, 29, 37)
    spikes = np.random.default_rng(0).random(shape) < rate
    tree = xr.DataTree.from_dict({"/": xr.Dataset({"spikes": (SPACE, spikes)})})
    folder = save(tree, tmp_path / "spikes.zarr")
    assert 8 * chunk_bytes(folder / "spikes") <= bits * spikes.size
    assert np.array_equal(open_recording(folder)["spikes"].values, spikes)


@pytest.mark.parametrize(
    "name, content",
    [("text.zarr.zip", b"not a zip"), ("text.zarr", b"not a folder"), ("empty.zarr.zip", b"")],
)
def test_an_unreadable_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError, match=f"{name} is not a readable recording"):
        open_recording(tmp_path / name)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
def test_a_truncated_file(tmp_path, small_model, small_input, cut):
    model = small_model(depth=1)
    path = save(record(model, small_input(model.config, 1), "*.spikes"), tmp_path / "cut.zarr.zip")
    content = path.read_bytes()
    path.write_bytes(content[: int(cut * len(content))])
    with pytest.raises(RecordingError, match=r"cut\.zarr\.zip is not a readable recording"):
        open_recording(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(RecordingError, match=r"no recording at .*nowhere\.zarr"):
        open_recording(tmp_path / "nowhere.zarr")


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(RecordingError, match="not a readable recording"):
        open_recording(tmp_path)
