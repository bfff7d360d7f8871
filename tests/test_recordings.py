"""Files that call themselves recordings: what they declare, lack, hide and misspell."""

import json
import shutil
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import xarray as xr
import zarr

import dista
from dista.files import recordings, weights
from dista.recording import RecordingError, open_recording, save

LAYER = "blocks/0/mlp/hidden/neuron"


@pytest.fixture(scope="module")
def made(small_model, small_input):
    model = small_model(depth=1)
    names = ["*.spikes", "*.scores", "head"]
    return model, dista.record(model, small_input(model.config, 2), names, classes=list("abcde"))


@pytest.fixture(scope="module")
def saved(made, tmp_path_factory):
    return save(made[1], tmp_path_factory.mktemp("saved") / "one.zarr")


@pytest.fixture
def folder(saved, tmp_path):
    """A copy to damage."""
    return shutil.copytree(saved, tmp_path / "damaged.zarr")


def zipped(folder):
    return type(folder)(shutil.make_archive(str(folder), "zip", folder))


def edit(path, change):
    description = json.loads(path.read_text())
    change(description)
    path.write_text(json.dumps(description))


def refused(path, *words, **options):
    began = time.perf_counter()
    with pytest.raises(RecordingError) as error:
        open_recording(path, **options)
    assert time.perf_counter() - began < 10
    for word in (str(path), "is not a readable recording", *words):
        assert word in str(error.value)


def test_a_recording_says_which_weights_it_is_of(made, saved):
    model, recording = made
    assert recording.attrs["weights"] == weights.digest(model)
    assert open_recording(saved).attrs == recording.attrs
    assert xr.open_datatree(saved, engine="zarr", consolidated=False).attrs["weights"]


def test_opening_one_needs_no_torch(saved):
    code = "import sys, dista; dista.open_recording(sys.argv[1]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(saved)], check=True)


# What it declares -------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped], ids=["folder", "zip"])
def test_a_shape_beyond_the_limit_is_refused_before_memory_is_taken(folder, pack):
    edit(folder / "head" / "zarr.json", lambda it: it.update(shape=[2**20, 2**10, 2**10]))
    refused(pack(folder), "more than 4294967296 bytes", "head alone has the shape (1048576, 1024,")


def test_a_part_beyond_the_limit_is_refused(folder):
    def enlarge(description):
        description["chunk_grid"]["configuration"]["chunk_shape"] = [2**20, 2**10, 2**10]

    edit(folder / "head" / "zarr.json", enlarge)
    refused(folder, "more than 4294967296 bytes")


def test_the_limit_is_on_all_arrays_together_and_can_be_raised(made, saved):
    size = sum(array.nbytes for node in made[1].subtree for array in node.variables.values())
    refused(saved, "come to more than", largest=size // 2)
    assert open_recording(saved, largest=2 * size).identical(made[1])


def test_a_zip_that_unpacks_to_more_than_the_limit_is_refused(tmp_path):
    path = tmp_path / "bomb.zarr.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zarr.json", b" " * (1 << 22))
    assert path.stat().st_size < 1 << 13
    refused(path, "unpacks to 1 files of 4194304 bytes", largest=1 << 20)


def test_a_zip_whose_files_are_said_to_take_more_than_it_has_takes_no_memory(folder):
    path = zipped(folder)
    content = bytearray(path.read_bytes())
    entry = content.find(
        b"PK\x01\x02"
    )  # of the directory at its end; from the 20th byte on: packed
    content[entry + 20 : entry + 24] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(content)
    refused(path, "its files are said to take 2147")


def test_of_what_a_library_says_a_part_is_told(folder):
    """A zip's reader quotes names, of which damage may be kilobytes."""
    with pytest.raises(RecordingError) as error, recordings._readable(folder):
        raise zipfile.BadZipFile("name" * 5000)
    assert "BadZipFile: name" in str(error.value) and len(str(error.value)) < 1000


def test_more_files_than_any_recording_has(folder, monkeypatch):
    monkeypatch.setattr(recordings, "MOST_FILES", 3)
    refused(zipped(folder), "at most 3")


# What it lacks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [f"{LAYER}/spikes", "head", "input"])
def test_an_array_that_was_lost_is_not_shown_as_zeros(folder, name):
    shutil.rmtree(folder / name / "c")
    refused(folder, f"{name} has lost 1 of 1 parts")


def test_more_steps_than_were_written_are_not_made_up(folder):
    edit(folder / LAYER / "spikes" / "zarr.json", lambda it: it["shape"].__setitem__(0, 10))
    refused(folder, "has lost 1 of 2 parts")


def test_what_plain_xarray_wrote_is_read_although_it_leaves_zeros_out(made, tmp_path):
    recording = made[1].copy(deep=True)
    recording[LAYER]["spikes"][:] = False
    recording.to_zarr(tmp_path / "plain.zarr", consolidated=False)
    assert not (tmp_path / "plain.zarr" / LAYER / "spikes" / "c").exists()
    assert open_recording(tmp_path / "plain.zarr").identical(recording)


def test_zeros_that_were_recorded_are_written(made, tmp_path):
    recording = made[1].copy(deep=True)
    recording[LAYER]["spikes"][:] = False
    assert open_recording(save(recording, tmp_path / "zeros.zarr.zip")).identical(recording)


# What it hides ----------------------------------------------------------------------------------


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_is_unpickled(tmp_path):
    import numcodecs

    group = zarr.open_group(tmp_path / "old.zarr", mode="w", zarr_format=2)
    array = group.create_array(
        "input", shape=(1,), chunks=(1,), dtype="f4", filters=[numcodecs.Pickle()], compressors=None
    )  # fmt: skip
    del array
    (tmp_path / "old.zarr" / "input" / "0").write_bytes(
        numcodecs.Pickle().encode(np.array([Trap(tmp_path / "trapped")], object))
    )
    (tmp_path / "trapped").unlink(missing_ok=True)
    refused(tmp_path / "old.zarr")
    assert not (tmp_path / "trapped").exists()


def test_codecs_that_are_not_of_zarrs_own_are_refused(folder):
    edit(folder / "head" / "zarr.json",
         lambda it: it["codecs"].append({"name": "numcodecs.zlib", "configuration": {"level": 1}}))  # fmt: skip
    refused(folder, "numcodecs.zlib")


# What it misspells --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, value",
    [
        ("model_config", 5),
        ("model_config", "[]"),
        ("model_config", "{"),
        ("model_config", "[" * 100_000),
        ("classes", 5),
        ("classes", [1, 2]),
        ("step_labels", {"a": 1}),
    ],
    ids=lambda value: str(value)[:12],
)
def test_attributes_of_another_kind_are_told(folder, name, value):
    edit(folder / "zarr.json", lambda it: it["attributes"].update({name: value}))
    refused(folder)


def test_damaged_bytes_are_an_error_or_no_damage(folder):
    rng = np.random.default_rng(0)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for _ in range(40):
        path = files[rng.integers(len(files))]
        content = path.read_bytes()
        place = rng.integers(len(content))
        path.write_bytes(content[:place] + bytes([rng.integers(256)]) + content[place + 1 :])
        try:
            open_recording(folder)
        except RecordingError as error:
            assert str(folder) in str(error)
        path.write_bytes(content)


# A chunk that says more than it holds ------------------------------------------------------------


@pytest.mark.parametrize("codec", ["blosc", "zstd"])
def test_a_chunk_says_how_much_it_unpacks_to(codec):
    import numcodecs

    from dista.files.chunks import HEAD, declared

    made = {"blosc": numcodecs.Blosc(), "zstd": numcodecs.Zstd()}[codec]
    for size in (1, 255, 256, 300, 65_791, 65_792, 3 << 20):
        packed = bytes(made.encode(bytes(size)))
        assert declared(codec, packed[:HEAD]) == size
    assert declared(codec, b"") is None and declared(codec, b"(") is None


def test_a_chunk_that_says_more_than_its_array_holds_takes_no_memory(folder):
    """Two gigabytes in four bytes; the library takes memory for them before it looks further."""
    chunk = next(p for p in sorted((folder / "blocks").rglob("c/*")) if p.is_file() or p.is_dir())
    chunk = next(p for p in [chunk, *chunk.rglob("*")] if p.is_file())
    content = bytearray(chunk.read_bytes())
    content[4:8] = (2**31 - 1).to_bytes(4, "little")
    chunk.write_bytes(content)
    refused(folder, "is said to unpack to 2147483647 bytes, not")
