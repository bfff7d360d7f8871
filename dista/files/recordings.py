"""Recordings in files: written whole, and read with care, without unpickling, and in as much memory as allowed.

xarray and zarr alone read a recording as well (the book has a page on it). What is done here besides is to look before: a
few bytes can say that terabytes of zeros are to come, or name a codec that runs code. Without torch.
"""

from __future__ import annotations

import contextlib
import json
import math
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from dista.files import chunks, replacement
from dista.files.ownership import MARK, objection

if TYPE_CHECKING:
    import xarray as xr

LARGEST = 4 << 30
"""Bytes in memory that a recording may come to, unless more are allowed."""

MOST_FILES = 100_000
"""Files that a zip may hold; a network of 100 blocks has about 10,000."""

COMPLETE = "complete"
"""The attribute that says that every array was written, also where all is zero: one that is missing is lost."""

PACKERS = {"blosc", "zstd"}
"""Codecs whose chunks say how much is in them; gzip does not, and a recording of ours is never packed so."""

CODECS = {"bytes", "crc32c", "transpose"} | PACKERS
"""Codecs of zarr's own specification. Others may be anything, pickle included."""

TYPES = {"bool": 1} | {
    f"{kind}{8 * n}": n for kind in ("int", "uint", "float") for n in (1, 2, 4, 8)
}
"""The bytes of a number, by zarr's name for its type."""


_TOLD = 200
"""Characters that are told of a library's own message, which may quote the file."""


class RecordingError(ValueError):
    """A name that does not exist, or a recording that cannot be read."""


def place(path: str | Path) -> Path:
    """Where ``save`` writes for ``path``; RecordingError where something else than a recording is there.

    That is never touched. To be asked before the recording is made.
    """
    return replacement.place(path, replacement.Kind("a recording", RecordingError, objection))


def save(recording: xr.DataTree, path: str | Path) -> Path:
    """Write a recording with zarr: a folder, or one file where ``path`` ends in ``.zip``.

    Spikes are bit-shuffled before compression, so that each takes a bit or less; xarray and zarr
    alone read it back, a zip with
    ``xarray.open_datatree(zarr.storage.ZipStore(path, mode="r"), engine="zarr", consolidated=False)``.
    It appears whole or not at all, and replaces nothing but a recording: see ``place``.
    """
    from zarr.codecs import BloscCodec

    target = place(path)
    codec = BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle")
    encoding = {
        node.path: {
            name: {"compressors": [codec], "chunks": array.shape}
            for name, array in node.data_vars.items()
        }
        for node in recording.subtree
    }
    marked = recording.copy(deep=False)
    marked.attrs = dict(recording.attrs) | MARK | {COMPLETE: True}
    options: Any = {"encoding": encoding, "consolidated": False, "write_empty_chunks": True}
    with replacement.whole(target) as new:
        if Path(path).suffix == ".zip":
            _zip(marked, new, options)
        else:
            marked.to_zarr(new, **options)
    return Path(path)


def _zip(recording: xr.DataTree, path: Path, options: Any) -> None:
    """Write a recording as one zip.

    By way of memory: zarr's own ZipStore writes attributes twice, and hundreds of small files, made, packed and
    removed, took most of the time of a snapshot.
    """
    from zarr.storage import MemoryStore

    files: dict[str, Any] = {}
    recording.to_zarr(MemoryStore(files), **options)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content.to_bytes())


def open_recording(path: str | Path, *, largest: int = LARGEST) -> xr.DataTree:
    """Read what ``save`` wrote, into memory; RecordingError where there is nothing readable.

    That includes what would come to more than ``largest`` bytes, or has lost a part.
    """
    import xarray as xr
    import zarr

    path = Path(path)
    with _readable(path):
        with _zipped(path, largest) if path.is_file() else _lying(path) as files:
            _check(files, largest)
        store: Any = zarr.storage.ZipStore(path, mode="r") if path.is_file() else path
        with xr.open_datatree(store, engine="zarr", consolidated=False, zarr_format=3) as tree:
            recording = tree.load()
        for name in (COMPLETE, *MARK):
            recording.attrs.pop(name, None)
        _check_attributes(recording.attrs)
        return recording


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """The boundary around a recording's file: whatever it can cause becomes a RecordingError."""
    if not path.exists():
        raise RecordingError(f"there is no recording at {path}; dista record writes one")
    try:
        yield
    except Exception as error:  # zarr, xarray and codecs have no class of errors in common
        said = str(error)
        if not isinstance(error, RecordingError):
            said = f"{type(error).__name__}: {said[:_TOLD]}"
        raise RecordingError(
            f"{path} is not a readable recording ({said}); expected a zarr folder or .zip written by dista"
        ) from error


class _Files(NamedTuple):
    """The names of all files of a recording, what zarr says of each group and array, by its name, and what
    reads the first bytes of a file.
    """

    names: list[str]
    described: dict[str, dict[str, Any]]
    head: Callable[[str], bytes]


@contextlib.contextmanager
def _lying(folder: Path) -> Iterator[_Files]:
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    described = _described(names, lambda name: (folder / name).read_bytes())
    yield _Files(names, described, lambda name: _head((folder / name).open("rb")))


def _head(file: IO[bytes]) -> bytes:
    with file:
        return file.read(chunks.HEAD)


@contextlib.contextmanager
def _zipped(path: Path, largest: int) -> Iterator[_Files]:
    """The same in a zip, if what it unpacks to is within bounds; it is open in the block."""
    with zipfile.ZipFile(path) as file:
        entries = file.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > largest or len(entries) > MOST_FILES:
            raise RecordingError(
                f"it unpacks to {len(entries)} files of {unpacked} bytes; "
                f"at most {MOST_FILES} files of {largest} bytes are read"
            )
        packed, there = sum(entry.compress_size for entry in entries), path.stat().st_size
        if packed > there:  # of which memory is taken before it is looked for
            raise RecordingError(f"its files are said to take {packed} bytes in it; it has {there}")
        names = [entry.filename for entry in entries if not entry.is_dir()]
        yield _Files(names, _described(names, file.read), lambda name: _head(file.open(name)))


def _described(names: list[str], read: Callable[[str], bytes]) -> dict[str, dict[str, Any]]:
    places = (name for name in names if PurePosixPath(name).name == "zarr.json")
    return {str(PurePosixPath(place).parent): json.loads(read(place)) for place in places}


def _check(files: _Files, largest: int) -> None:
    """Look at what every array says of itself.

    Not by zarr, whose listing of all arrays takes half as long as reading them.
    """
    if "." not in files.described:
        raise RecordingError("it has no zarr.json")
    complete = bool(files.described["."].get("attributes", {}).get(COMPLETE))
    stored = Counter(f"{name}/".rpartition("/c/")[0] for name in files.names)
    total = 0
    for name, said in files.described.items():
        if said["node_type"] != "array":
            continue
        total += _bytes(name, said)
        if total > largest:
            raise RecordingError(
                f"its arrays come to more than {largest} bytes in memory, {name} alone has the shape "
                f"{tuple(said['shape'])}; open_recording(path, largest=...) allows more"
            )
        parts = math.prod(-(-n // part) for n, part in zip(said["shape"], _part(said)))
        if stored[name] < parts and (complete or stored[name]):
            raise RecordingError(f"{name} has lost {parts - stored[name]} of {parts} parts")
    _check_chunks(files)


def _check_chunks(files: _Files) -> None:
    """That no chunk says that it unpacks to more than a part of its array has."""
    for file in files.names:
        name, is_chunk, _ = f"{file}/".rpartition("/c/")
        said = files.described.get(name, {}) if is_chunk else {}
        packers = [c["name"] for c in said.get("codecs", ()) if c["name"] in PACKERS]
        if not packers:
            continue
        size = math.prod(_part(said)) * TYPES[said["data_type"]]
        declared = chunks.declared(packers[-1], files.head(file)) if len(packers) == 1 else None
        if declared != size:
            raise RecordingError(
                f"{file} is damaged: it is said to unpack to {declared} bytes, not {size}"
            )


def _part(said: dict[str, Any]) -> list[int]:
    return said["chunk_grid"]["configuration"]["chunk_shape"]


def _bytes(name: str, said: dict[str, Any]) -> int:
    """What an array takes in memory, where it holds numbers and its codecs are known."""
    if str(said["data_type"]) not in TYPES:
        raise RecordingError(f"{name} holds {said['data_type']!r}; expected numbers")
    unknown = {codec["name"] for codec in said["codecs"]} - CODECS
    if unknown:
        raise RecordingError(f"{name} needs {', '.join(sorted(unknown))}, which is not used here")
    if min(*said["shape"], *_part(said), 1, 1) < 0:
        raise RecordingError(f"{name} has the shape {said['shape']}")
    return max(math.prod(said["shape"]), math.prod(_part(said))) * TYPES[said["data_type"]]


def _check_attributes(attributes: Mapping[Any, Any]) -> None:
    """That what figures and pages read from the attributes is what they take it for."""
    config = attributes.get("model_config", "{}")
    if not isinstance(config, str) or not isinstance(json.loads(config), dict):
        raise RecordingError(f"model_config={str(config)[:40]!r}; expected a JSON object as text")
    for name in ("classes", "step_labels"):
        words = attributes.get(name, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise RecordingError(f"{name}={str(words)[:40]!r}; expected a list of texts")
