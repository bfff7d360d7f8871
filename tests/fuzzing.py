"""Damaged files for everything that reads one: how they are damaged, and how their readers are watched.

``try_all`` reads them in this process, which may then not take more memory than MEMORY beyond what it has, nor
more than SECONDS for one file; ``test_fuzz.py`` runs it in a process of its own, and stops one that hangs. To
add a reader, add a line to ``table`` there.
"""

from __future__ import annotations

import io
import random
import struct
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

MEMORY = 512 * 2**20
"""Bytes that reading one damaged file of a few kilobytes may take."""

SECONDS = 10.0
"""How long it may take."""


class Reader(NamedTuple):
    """``read(content, folder)`` writes a file, or several, into the empty ``folder`` and reads it.

    ``example`` is a valid content; of it ``pack`` makes what is written, so that for instance the member of
    an archive can be damaged where the archive is whole. ``errors`` are what a damaged one may raise.
    """

    name: str
    example: bytes
    read: Callable[[bytes, Path], object]
    errors: tuple[type[Exception], ...] = (ValueError,)
    pack: Callable[[bytes], bytes] = bytes


def file(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """A reader of one file, called ``name``."""

    def written(content: bytes, folder: Path) -> object:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return read(path)

    return written


def member(*names: str) -> Callable[[bytes], bytes]:
    """Packs the content into a whole zip archive, under each of the names."""

    def packed(content: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, content)
        return buffer.getvalue()

    return packed


# Damage -----------------------------------------------------------------------------------------

_NUMBERS = [
    0,
    1,
    0x7F,
    0xFF,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**62,
    2**63 - 1,
    2**64 - 1,
]
_WORDS = [
    b"9" * 18,
    b"-1",
    b"{" * 60,
    b"[[[[[[[[",
    b"nan",
    b"\x00" * 16,
    b"None",
    b"\xff" * 16,
    b"1e999",
    b'"',
]


def damaged(content: bytes, seed: int) -> bytes:
    """The content with one to four kinds of damage, always the same for a seed."""
    draw = random.Random(seed)
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        content = draw.choice(_KINDS)(content, draw)
    return content


def _place(content: bytes, draw: random.Random) -> int:
    """A place in the content, half of the time near its start or end, where the structure is."""
    last = max(len(content) - 1, 0)
    near = draw.randrange(min(last, 200) + 1)
    return draw.choice([near, last - near, draw.randint(0, last), draw.randint(0, last)])


def _flipped(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content or b"\0")
    for _ in range(draw.choice([1, 2, 16])):
        changed[_place(content, draw)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _number(content: bytes, draw: random.Random) -> bytes:
    size = draw.choice([1, 2, 4, 8])
    number = (draw.choice(_NUMBERS) & (2 ** (8 * size) - 1)).to_bytes(
        size, draw.choice(["little", "big"])
    )
    at = _place(content, draw)
    return content[:at] + number + content[at + size :]


def _word(content: bytes, draw: random.Random) -> bytes:
    at, word = _place(content, draw), draw.choice(_WORDS)
    return content[:at] + word + content[at + draw.choice([0, len(word)]) :]


def _shortened(content: bytes, draw: random.Random) -> bytes:
    return content[: _place(content, draw)]


def _without(content: bytes, draw: random.Random) -> bytes:
    at = _place(content, draw)
    return content[:at] + content[at + draw.choice([1, 4, 8, 100]) :]


def _twice(content: bytes, draw: random.Random) -> bytes:
    low, high = sorted((_place(content, draw), _place(content, draw)))
    return content[:high] + content[low:high] * draw.choice([1, 2, 9]) + content[high:]


def _noise(content: bytes, draw: random.Random) -> bytes:
    at, size = _place(content, draw), draw.choice([4, 30, 300])
    return content[:at] + draw.randbytes(size) + content[at + size :]


def _digit(content: bytes, draw: random.Random) -> bytes:
    """Another number where digits stand, as in headers and in JSON."""
    digits = [at for at, byte in enumerate(content[:20_000]) if 48 <= byte <= 57]
    if not digits:
        return _flipped(content, draw)
    at = draw.choice(digits)
    return (
        content[:at]
        + draw.choice([b"0", b"7", b"-1", b"99999999", b"1e99", b"9" * 400])
        + content[at + 1 :]
    )


_KINDS = [_flipped, _flipped, _number, _number, _word, _shortened, _without, _twice, _noise, _digit]


# Watching ---------------------------------------------------------------------------------------


class Failure(NamedTuple):
    """A reader, the seed of the damage, and what went wrong."""

    name: str
    seed: int
    what: str


def try_all(readers: Sequence[Reader], seeds: Iterable[int]) -> list[Failure]:
    """Read each reader's example, then for every seed a damaged one of the readers in turn, in this process.

    Before each a line says which, so that whoever watches knows where it ended.
    """
    failures = []
    for reader in readers:
        print(f"reading {reader.name} undamaged", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            reader.read(reader.pack(reader.example), Path(folder))
    limit = _limit_memory()
    for seed in seeds:
        reader = readers[seed % len(readers)]
        print(f"reading {reader.name} {seed}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            what = _what_goes_wrong(reader, damaged(reader.example, seed), Path(folder), limit)
        failures += [Failure(reader.name, seed, what)] if what else []
    return failures


def _what_goes_wrong(reader: Reader, content: bytes, folder: Path, limit: int) -> str:
    began, what = time.process_time(), ""  # what waits for a busy machine is not slow
    try:
        reader.read(reader.pack(content), folder)
    except reader.errors as error:
        what = _what_is_unclear(error)
    except Exception:
        what = traceback.format_exc(limit=-4)
    if time.process_time() - began > SECONDS:
        return f"took more than {SECONDS:g} s"
    return what or (f"took more than {MEMORY >> 20} MiB" if _peak() > limit else "")


def _what_is_unclear(error: BaseException) -> str:
    causes: list[BaseException] = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    if any(isinstance(one, MemoryError) for one in causes):
        return f"asked for more than {MEMORY >> 20} MiB: {error}"
    if not str(error) or len(str(error)) > 2000:
        return f"no readable sentence: {str(error)[:200]!r}"
    return ""


def _limit_memory() -> int:
    """No more address space than MEMORY beyond what there is; returns the largest resident size allowed."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    if pages:
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    return _peak() + MEMORY


def _peak() -> int:
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def npy_example() -> bytes:
    """A structured array of 200 events as a .npy file."""
    import numpy as np

    kind = [("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")]
    events = np.zeros(200, kind)
    draw = np.random.default_rng(0)
    events["x"], events["y"] = draw.integers(0, 34, (2, 200))
    events["t"], events["p"] = np.sort(draw.integers(0, 10**6, 200)), draw.integers(0, 2, 200)
    buffer = io.BytesIO()
    np.save(buffer, events)
    return buffer.getvalue()


def aedat2_example() -> bytes:
    words = [
        struct.pack(">II", (i % 128) << 8 | (i % 100) << 1 | i % 2, 1000 * i) for i in range(200)
    ]
    return b"#!AER-DAT2.0\r\n# made for a test\r\n" + b"".join(words)


def aedat3_example() -> bytes:
    packets = []
    for first in (0, 100):
        words = [
            struct.pack("<II", (i % 128) << 17 | (i % 100) << 2 | 3, 1000 * i)
            for i in range(first, first + 100)
        ]
        packets += [struct.pack("<HHIIIIII", 1, 1, 8, 4, 0, 100, 100, 100), *words]
    return b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n" + b"".join(packets)


def aedat4_example() -> bytes:
    """Two packets of 100 events, uncompressed, by the format's description: flatbuffers after a line."""
    xml = (
        b'<dv><node name="outInfo"><node name="0"><attr key="typeIdentifier">EVTS</attr>'
        b'<node name="info"><attr key="sizeX">128</attr><attr key="sizeY">128</attr></node>'
        b"</node></node></dv>"
    )
    # A table's fields: compression (none), where a table of data is (nowhere), and the description.
    fields = struct.pack("<iqII", 0, -1, 4, len(xml)) + xml + b"\0"
    written = b"#!AER-DAT4.0\r\n" + _flatbuffer(b"IOHE", [4, 8, 16], fields)
    for first in (0, 100):
        events = [
            struct.pack("<qhhB3x", 1000 * i, i % 128, i % 100, i % 2)
            for i in range(first, first + 100)
        ]
        content = _flatbuffer(b"EVTS", [4], struct.pack("<II", 4, 100) + b"".join(events))
        written += struct.pack("<II", 0, len(content)) + content
    return written


def _flatbuffer(identifier: bytes, places: Sequence[int], content: bytes) -> bytes:
    """One table with its size before it: where its fields are, then these, from its fourth byte on."""
    head = struct.pack(f"<HH{len(places)}H", 4 + 2 * len(places), places[-1] + 4, *places)
    head += b"\0" * (-len(head) % 4)
    table = struct.pack("<I", 8 + len(head)) + identifier + head + struct.pack("<i", len(head))
    return struct.pack("<I", len(table + content)) + table + content
