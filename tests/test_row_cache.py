"""Frames are made once, for all processes, in the user's cache folder, and made again where anything differs."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from test_class_folders import write

import dista.data
from dista.data import row_cache
from dista.data.cache import cache_folder, cached_arrays, key_of
from dista.data.errors import DataError
from dista.data.row_cache import cached_rows


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def maker(count=5, broken=(), made=None):
    """Row i is full of i; a broken one is an error."""

    def make():
        if made is not None:
            made.append(1)
        rows = (
            (i, DataError(f"{i} is broken") if i in broken else np.full((2, 3), i, np.uint8))
            for i in reversed(range(count))
        )
        return (2, 3), rows

    return make


@pytest.mark.parametrize("broken", [(), (0,), (4,), (1, 2)])
@pytest.mark.parametrize("writable", [True, False])
def test_rows_are_in_order_and_missing_ones_are_told(tmp_path, broken, writable):
    if not writable:
        (tmp_path / "cache").write_bytes(b"a file where the folder would be")
    for _ in range(2):
        array, missing = cached_rows("some", 5, maker(broken=broken))
        assert array[:, 1, 1].tolist() == [i for i in range(5) if i not in broken]
        assert missing == {i: f"{i} is broken" for i in broken} and array.shape[1:] == (2, 3)
    assert isinstance(array, np.memmap) == writable


def test_they_are_made_once_and_again_where_a_file_is_damaged():
    made, path = [], cache_folder() / "some.npy"
    for change in (None, lambda: None, lambda: path.write_bytes(path.read_bytes()[:-1])):
        change and change()
        assert len(cached_rows("some", 5, maker(broken=(2,), made=made)).array) == 4
    path.with_suffix(".json").write_text("[]")
    assert len(cached_rows("some", 5, maker(broken=(2,), made=made)).array) == 4
    path.with_suffix(".json").unlink()
    assert cached_rows("some", 5, maker(broken=(2,), made=made)).missing == {2: "2 is broken"}
    assert len(made) == 4


def test_more_than_half_broken_is_an_error_and_leaves_nothing():
    with pytest.raises(
        DataError, match=r"^0 is broken \(and 2 of 4 others cannot be used either\)"
    ):
        cached_rows("some", 5, maker(broken=(0, 1, 4)))
    assert list(cache_folder().glob("*.npy")) == list(cache_folder().glob("*.json")) == []


def test_a_full_disk_costs_memory_only(monkeypatch):
    def full(file, *rest):
        file.write(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(row_cache, "_fill", full)
    assert cached_rows("some", 5, maker()).array[:, 0, 0].tolist() == list(range(5))
    assert [path.suffix for path in cache_folder().iterdir()] == [".lock"]


def test_what_neither_disk_nor_memory_hold_is_refused_before_it_is_asked_for(tmp_path):
    (tmp_path / "cache").write_bytes(b"a file where the folder would be")
    with pytest.raises(DataError, match=r"take 100000\.0 GB; .* cannot hold them, and memory has"):
        cached_rows("some", 10**7, lambda: ((10**7,), iter(())))


TWO = """
import sys, time, numpy as np
from dista.data.row_cache import cached_rows
def make():
    print("made", flush=True)
    def rows():
        for i in range(4):
            time.sleep(0.5)
            yield i, np.full((3,), i, np.uint8)
    return (3,), rows()
print(cached_rows("some", 4, make).array[:, 0].tolist())
"""


def test_of_two_processes_one_makes_them_and_both_read_them():
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TWO], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        for _ in range(2)
    ]
    said = [one.communicate(timeout=120)[0] for one in both]
    assert all("[0, 1, 2, 3]" in one for one in said)
    assert sum("made" in one for one in said) == 1


def test_the_key_changes_with_everything_that_matters(tmp_path):
    path = tmp_path / "one"
    path.write_bytes(b"abc")
    keys = {key_of([path], 1, "form"), key_of([path], 2, "form"), key_of([path], 1, "other")}
    keys |= {key_of([], 1, "form"), key_of([path, path], 1, "form")}
    os.utime(path, ns=(10**18, 10**18))
    keys.add(key_of([path], 1, "form"))
    path.write_bytes(b"abcd")
    os.utime(path, ns=(10**18, 10**18))
    keys.add(key_of([path], 1, "form"))
    keys.add(key_of([path.rename(tmp_path / "two")], 1, "form"))
    assert len(keys) == 8
    assert key_of([tmp_path / "gone"]) != key_of([])


def test_recordings_are_decoded_once_and_nothing_is_written_beside_them(tmp_path, monkeypatch):
    from dista.data import recorded

    read = []
    original = recorded.read_events
    monkeypatch.setattr(recorded, "read_events", lambda path: read.append(path) or original(path))
    for name in ("left", "right"):
        write(tmp_path / "own" / name, n=10)
    before = sorted(tmp_path.joinpath("own").rglob("*"))

    def opened(**options):
        read.clear()
        task = dista.data.open("recordings", root=tmp_path / "own", **options)
        return task, len(read)

    first, count = opened()
    assert count == 40, "once for the size, once for the frames"
    again, count = opened()
    assert count == 0 and np.array_equal(again.train.inputs, first.train.inputs)
    assert opened(time_steps=3)[1] == 40 and opened(size=(9, 9))[1] == 20 and opened()[1] == 0
    write(tmp_path / "own" / "left", n=1, times=(0, 77))
    assert opened()[1] == 40 and sorted(tmp_path.joinpath("own").rglob("*")) == before


def test_a_damaged_archive_of_arrays_is_made_again(tmp_path):
    """A stream that breaks within raises zlib.error, which is none of the usual ones."""
    path = tmp_path / "three.npz"
    cached_arrays("three", lambda: {"numbers": np.arange(3)}, tmp_path)
    np.savez_compressed(path, numbers=np.arange(3000))
    content = bytearray(path.read_bytes())
    content[120:160] = b"\xff" * 40
    path.write_bytes(content)
    assert cached_arrays("three", lambda: {"numbers": np.arange(3)}, tmp_path)[
        "numbers"
    ].tolist() == [0, 1, 2]
