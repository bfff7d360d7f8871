"""What is done in one place: writing files whole, opening recordings, reading and framing events."""

from __future__ import annotations

import ast

import pytest
from source_files import FILES, name, uses

# A file that writes otherwise than through ``dista.files.replacement``: with what, and why it may.
WRITERS = {
    "dista/files/replacement.py": ({"open 'xb+'", "open 'rb+'", "replace", "rename"}, "the place"),
    "dista/files/recordings.py": ({"to_zarr", "open 'w'"}, "inside of replacement.whole"),
    "dista/data/cache.py": ({"savez"}, "into the file of replacement.replacing"),
    "dista/runs/tables.py": ({"open 'ab'", "open 'r+b'"}, "lines are added, and cut where a run resumes"),
    "dista/runs/folder.py": ({"touch"}, "a file without content: it is there or not"),
    "dista/studies/shipping.py": ({"copyfile", "copytree"}, "inside of replacement.whole"),
    "dista/bench/memory.py": ({"write_text"}, "a switch of the system in /proc"),
    "dista/runs/background.py": ({"touch", "open 'wb'"}, "a log, which its process goes on writing"),
    "app/inputs/event_files.py": (
        {"write_bytes", "savez_compressed"}, "in a temporary folder that nobody else reads, and in memory",
    ),
    "app/inputs/examples.py": ({"np.save"}, "in memory"),
    "app/page/downloads.py": ({"open 'w'"}, "a zip in memory"),
    "app/studies/files.py": ({"to_parquet"}, "in memory"),
}  # fmt: skip

ALWAYS = {
    "write_text", "write_bytes", "touch", "symlink_to", "hardlink_to", "savez", "savez_compressed", "savetxt",
    "save_file", "make_archive", "copyfile", "copyfileobj", "copytree", "copy2", "move", "extractall", "mkstemp",
    "NamedTemporaryFile",
}  # fmt: skip
TO_A_PATH = {"to_zarr", "to_csv", "to_json", "to_netcdf", "to_parquet", "to_pickle", "tofile"}


def writes(source):
    """The calls that write a file, or make one: by name, an ``open`` with its mode."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        called = ast.unparse(call.func)
        base, _, last = called.rpartition(".")
        if last in ALWAYS or (last in TO_A_PATH and call.args):
            yield last
        elif last in ("open", "ZipFile", "fdopen", "memmap", "open_memmap"):
            words = [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
            modes = [w.value for w in words if isinstance(w, ast.Constant)]
            yield from (f"open {m!r}" for m in modes if isinstance(m, str) and is_writing(m))
            if any(f"O_{flag}" in ast.unparse(call) for flag in ("WRONLY", "RDWR", "CREAT")):
                yield "open"
        elif called in ("json.dump", "np.save", "numpy.save", "os.replace", "os.rename", "os.link"):
            yield called
        elif base and last in ("replace", "rename") and len(call.args) == 1 and not call.keywords:
            yield last  # of a path: that of a text has two arguments, those of xarray have names


def is_writing(mode):
    """Whether a text is a mode of ``open`` in which files are written, not a path or an encoding."""
    return set(mode) <= set("rwxabt+") and bool(set(mode) & set("wxa+"))


@pytest.mark.parametrize(
    "source, calls",
    [
        ("path.write_text('a')", ["write_text"]),
        ("open(path, 'w')", ["open 'w'"]),
        ("path.open(mode='ab')", ["open 'ab'"]),
        ("zipfile.ZipFile(path, 'w')", ["open 'w'"]),
        ("os.open(path, os.O_CREAT | os.O_WRONLY)", ["open"]),
        ("part.replace(path)", ["replace"]),
        ("table.to_csv(path)", ["to_csv"]),
        ("json.dump(x, file)", ["json.dump"]),
        ("np.memmap(path, kind, 'w+'); np.memmap(path, kind, 'r')", ["open 'w+'"]),
        ("open(path); path.open('rb'); Image.open(file); data.open('digits', root=folder)", []),
        ("text.replace('a', 'b'); replace(row, tau=1); array.rename(group='channel')", []),
        ("table.to_csv(index=False).encode(); config.to_json()", []),
    ],
)
def test_writing_is_recognised(source, calls):
    assert list(writes(source)) == calls


def test_files_are_written_whole_and_in_one_place():
    """Whoever opens a file and writes leaves half of it where the disk is full or the power goes."""
    writers = {name(path): set(writes(path.read_text("utf-8"))) for path in FILES}
    writers = {path: calls for path, calls in writers.items() if calls}
    assert writers == {path: calls for path, (calls, _) in WRITERS.items()}, (
        "write through dista.files.replacement, or name the file and why not in WRITERS"
    )


# What is called, in which files, and what all others call instead.
PLACES = [
    ({"open_datatree", "open_zarr", "open_dataset", "ZipStore", "open_group"},
     {"dista/files/recordings.py"}, "dista.files.recordings.open_recording"),
    ({"bincount", "histogram2d", "histogramdd", "at"},
     {"dista/data/framing.py", "dista/data/recorded.py"},  # recorded: how large a camera's view is
     "dista.data.framing.frames"),
]  # fmt: skip
EVENTS = ("dista/data/", "app/")  # what may touch events at all


def called(path):
    calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
    return {ast.unparse(call.func).rpartition(".")[2] for call in calls}


@pytest.mark.parametrize("functions, places, instead", PLACES)
def test_recordings_and_events_are_opened_and_framed_in_one_place(functions, places, instead):
    framing = "framing" in instead
    paths = [path for path in FILES if not framing or name(path).startswith(EVENTS)]
    assert {name(path) for path in paths if functions & called(path)} == places, f"call {instead}"


@pytest.mark.parametrize("reader", ["aedat", "event_numpy"])
def test_readers_of_single_formats_are_behind_one_door(reader):
    """``read_events`` puts in order, bounds and checks what they read; nobody goes past it."""
    users = [name(path) for path in FILES if uses(path, f"dista.data.{reader}")]
    assert users == ["dista/data/event_readers.py"]
