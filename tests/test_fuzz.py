"""Whatever a file holds, its reader says so in its own error: no other, no hang, and no memory without bound."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path

import fuzzing_ours
import numpy as np
import pytest
from fuzzing import (
    SECONDS,
    Reader,
    aedat2_example,
    aedat3_example,
    aedat4_example,
    damaged,
    file,
    member,
    npy_example,
    try_all,
)

pytest.importorskip("resource", reason="limits of memory need a system that has them")


def column() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(200) % 2)
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: np.arange(300) % 2 for name in "xytp"})
    return buffer.getvalue()


def pictures() -> bytes:
    """Twelve images in a parquet file."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet
    from PIL import Image

    content = []
    for i in range(12):
        buffer = io.BytesIO()
        Image.new("RGB", (32, 32), (i, 2 * i, 20 * i)).save(buffer, "JPEG" if i % 2 else "PNG")
        content.append({"bytes": buffer.getvalue(), "path": None})
    buffer = io.BytesIO()
    parquet.write_table(arrow.table({"img": content, "label": [i % 10 for i in range(12)]}), buffer)
    return buffer.getvalue()


def folder_of_recordings(content: bytes, folder: Path) -> object:
    """A task in which one recording of six, and of the two that tell the size, is damaged."""
    import dista.data

    for name in ("left", "right"):
        (folder / name).mkdir()
        for i in range(3):
            (folder / name / f"{i}.npy").write_bytes(npy_example())
    (folder / "left" / "1.npy").write_bytes(content)
    return dista.data.open("recordings", root=folder, time_steps=2)


def gestures(content: bytes, folder: Path) -> object:
    """DVS128 Gesture, one of whose tables of labels is damaged."""
    import dista.data

    for name in ("user01_lab", "user24_led"):
        (folder / f"{name}.aedat").write_bytes(aedat3_example())
        (folder / f"{name}_labels.csv").write_bytes(GESTURES)
    (folder / "trials_to_train.txt").write_text("user01_lab.aedat\n")
    (folder / "trials_to_test.txt").write_text("user24_led.aedat\n")
    (folder / "user24_led_labels.csv").write_bytes(content)
    return dista.data.open("dvs128-gesture", root=folder, time_steps=2)


GESTURES = b"class,startTime_usec,endTime_usec\n" + b"".join(
    b"%d,%d,%d\n" % (i % 11 + 1, 9_000 * i, 9_000 * i + 8_000) for i in range(20)
)


def table() -> list[Reader]:
    """Every reader of files. To add one: its name, a valid content, how it is read, what it may raise."""
    from app.inputs import event_files
    from dista.data.cifar_files import read_binary, read_parquet
    from dista.data.errors import DataError
    from dista.data.event_readers import read_events

    data, upload = (DataError,), lambda name: lambda content, _: event_files.read(name, content)
    events = {name: file(f"one{name}", read_events) for name in (".bin", ".npy", ".npz", ".aedat")}
    aedat4 = [Reader("AEDAT 4", aedat4_example(), file("one.aedat4", read_events), data)]
    if importlib.util.find_spec("aedat") is None:  # an extra, which is no part of the tests
        aedat4 = []
    return [
        Reader("N-MNIST's .bin", bytes(range(250)) * 4, events[".bin"], data),
        Reader("npy", npy_example(), events[".npy"], data),
        Reader("npz", archive(), events[".npz"], data),
        Reader("npz of one array", npy_example(), events[".npz"], data, member("events.npy")),
        Reader(
            "npz of columns",
            column(),
            events[".npz"],
            data,
            member("x.npy", "y.npy", "t.npy", "p.npy"),
        ),
        Reader("AEDAT 2.0", aedat2_example(), events[".aedat"], data),
        Reader("AEDAT 3.1", aedat3_example(), events[".aedat"], data),
        Reader("uploaded npz", archive(), upload("a.npz")),
        Reader("uploaded AEDAT", aedat3_example(), upload("a.aedat")),
        Reader("CIFAR's binary", bytes(3073) * 3, file("a.bin", lambda p: read_binary(p, 1)), data),
        Reader(
            "CIFAR's parquet",
            pictures(),
            file("a.parquet", lambda p: read_parquet(p, "label")),
            data,
        ),
        Reader("a folder of recordings", npy_example(), folder_of_recordings, data),
        Reader("labels of gestures", GESTURES, gestures, data),
        *aedat4,
        *fuzzing_ours.readers(),
    ]


def run(count: int, first: int, cache: Path) -> None:
    """``count`` damaged files in a process of their own; an assertion that names those that went wrong."""
    script = f"import test_fuzz; test_fuzz.main({count}, {first})"
    here = Path(__file__).parent
    paths = [str(here), str(here.parent / "app"), str(here.parent)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "XDG_CACHE_HOME": str(cache)}
    # Each thread that allocates may get an arena of 64 MB of address space, which is what is limited: eight
    # that zarr's threads happened to get would leave nothing for the file.
    environment |= {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    child = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", script], env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        said, complaints = child.communicate(timeout=120 + count * SECONDS / 50)
    except subprocess.TimeoutExpired:
        child.kill()
        said, _ = child.communicate()
        pytest.fail(f"hangs at: {said.strip().splitlines()[-1:]}")
    lines = said.strip().splitlines()
    assert child.returncode == 0 and lines[-1] == "done", (
        f"ended with {child.returncode} after {[one for one in lines if one.startswith('reading')][-1:]}; "
        f"{[one for one in lines if one.startswith('failure')]}\n{complaints[-2000:]}"
    )


def main(count: int, first: int) -> None:
    """What runs in that process."""
    import logging

    logging.disable()  # what is left out is said, thousands of times
    failures = try_all(table(), range(first, first + count))
    for failure in failures:
        print(f"failure {failure}")
    print("done" if not failures else "failed")


def test_a_few_hundred_damaged_files(tmp_path):
    run(520, 0, tmp_path)


@pytest.mark.slow
def test_ten_thousand_damaged_files(tmp_path):
    run(10_000, 1_000_000, tmp_path)


# --- the watching itself ------------------------------------------------------------------------


def test_damage_is_damage_and_repeatable():
    example = npy_example()
    made = [damaged(example, seed) for seed in range(200)]
    assert made == [damaged(example, seed) for seed in range(200)]
    assert len(set(made)) > 180 and sum(one == example for one in made) < 10
    assert all(isinstance(damaged(b"", seed), bytes) for seed in range(50))


WATCHED = """
from fuzzing import Reader, try_all
def hold(content, folder):
    if content != b"fine":
        raise KeyError("a traceback")
def ask(content, folder):
    if content == b"fine":
        return
    try:
        bytearray(2**33)
    except MemoryError as error:
        raise ValueError("not readable") from error
def dumb(content, folder):
    if content != b"fine":
        raise ValueError("")
for read in (hold, ask, dumb):
    failures = try_all([Reader("some", b"fine", read)], range(3))
    print(len(failures), failures[0].what.splitlines()[-1])
"""


def test_what_must_not_happen_is_noticed():
    here = str(Path(__file__).parent)
    answer = subprocess.run(
        [sys.executable, "-c", WATCHED], capture_output=True, text=True, cwd=here, check=True
    )
    said = [line for line in answer.stdout.splitlines() if not line.startswith("reading")]
    assert said[0] == "3 KeyError: 'a traceback'"
    assert said[1] == "3 asked for more than 512 MiB: not readable"
    assert said[2] == "3 no readable sentence: ''"
