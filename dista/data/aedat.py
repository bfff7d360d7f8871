"""AEDAT, the cameras' own format: version 2.0 of a DVS128, 3.1, and 4 by its package."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dista.data.errors import DataError
from dista.data.event_arrays import check_count, column_names

Columns = Mapping[str, np.ndarray]

_VERSIONS = {b"#!AER-DAT2.0": "2.0", b"#!AER-DAT3.1": "3.1"}
_HEADER = 2**20  # bytes that the lines of a header may take
_SIDE = 128  # pixels of a DVS128, either way
_PACKET = struct.Struct(
    "<HHIIIIII"
)  # type, source, size, offset and overflow of time, capacity, number, valid
_POLARITY = 1  # the type of a packet of polarity events


def read_aedat(path: Path, most: int) -> Columns:
    """The columns of a .aedat file of version 2.0 or 3.1, as its first line says."""
    # Not a library's reader: importing spikingjelly's needs a torchaudio that was built with this torch, and
    # it unpacks 3.1 event by event; tonic's drops half an event without a word. A test compares with both.
    content = np.asarray(np.memmap(path, np.uint8, "r"))  # ValueError for a file of no bytes
    head = content[:_HEADER].tobytes()
    version = next((v for sign, v in _VERSIONS.items() if head.startswith(sign)), None)
    if version is None:
        signs = " or ".join(repr(sign) for sign in _VERSIONS)
        raise ValueError(f"it starts with {head[:12]!r}, not with {signs}")
    lines, start = _header(head)
    read = _read_2 if version == "2.0" else _read_3
    return read(path, content, lines, start, most)


def _header(head: bytes) -> tuple[list[bytes], int]:
    """The lines that start with #, and where the events start."""
    lines, start = [], 0
    while head[start : start + 1] == b"#":
        end = head.find(b"\n", start)
        if end < 0:
            raise ValueError("its header has no end")
        lines.append(head[start:end].strip())
        start = end + 1
        if lines[-1] == b"#!END-HEADER":
            break
    return lines, start


def _read_2(path: Path, content: np.ndarray, lines: list[bytes], start: int, most: int) -> Columns:
    """Pairs of address and microseconds, from the camera DVS128.

    Of an address, bit 0 is clear for ON, bits 1 to 7 and 8 to 14 count pixels from the far end; bit 15
    marks what comes from outside of the sensor, which is left out. Which seven bits are the columns
    depends on how the camera was mounted: here 8 to 14, as spikingjelly has it for CIFAR10-DVS.
    """
    size = len(content) - start
    if size % 8:
        raise ValueError("it ends within an event of 8 bytes")
    check_count(path, size // 8, most)
    pairs = content[start:].view(">u4").reshape(-1, 2)
    address, time = pairs[:, 0].astype(np.int64), _unwrapped(pairs[:, 1])
    if (address >> 16).any():
        raise ValueError("its addresses are not those of a DVS128, which has 128 x 128 pixels")
    columns = {
        "x": _SIDE - 1 - (address >> 8 & 127),
        "y": _SIDE - 1 - (address >> 1 & 127),
        "t": time,
        "p": 1 - (address & 1),
    }
    return {name: column[address < 1 << 15] for name, column in columns.items()}


def _unwrapped(time: np.ndarray) -> np.ndarray:
    """Times of 32 bits, which start again at 0 after 71 minutes, as ones that go on.

    Steps between neighbours are taken as the shorter way round, so that 2**31 is no border either, where
    signed times would turn negative after 36 minutes.
    """
    time = time.astype(np.uint32)
    if not len(time):
        return time.astype(np.int64)
    steps = np.diff(time).view(np.int32).astype(np.int64)
    return int(time[0]) + np.concatenate([[0], np.cumsum(steps)])


def _read_3(path: Path, content: np.ndarray, lines: list[bytes], start: int, most: int) -> Columns:
    """Packets, of which those of polarity events count: little-endian words, then microseconds.

    Of a word, bit 0 is set where the event is valid, bit 1 for ON, bits 2 to 16 are the row, 17 to 31 the
    column, both from the upper left corner. A packet says how often its times have passed 2**31.
    """
    form = next((line for line in lines if line.startswith(b"#Format:")), b"#Format: RAW")
    if form.split()[-1:] != [b"RAW"]:
        raise DataError(
            f"{path} is compressed ({form[1:40].decode('ascii', 'replace')}); save it as RAW"
        )
    packets, overflows, total = [], [], 0
    while start < len(content):
        head = content[start : start + _PACKET.size].tobytes()
        if len(head) < _PACKET.size:
            raise ValueError("it ends within the header of a packet")
        kind, _, size, _, overflow, capacity, number, _ = _PACKET.unpack(head)
        start += _PACKET.size
        if capacity * size > len(content) - start or number > capacity:
            raise ValueError("a packet declares more events than the file holds")
        if kind == _POLARITY and number:
            if size != 8:
                raise ValueError(f"its events have {size} bytes, but polarity events have 8")
            total += number
            check_count(path, total, most)
            packets.append(content[start : start + 8 * number])
            overflows.append((overflow, number))
        start += capacity * size
    if not packets:
        raise DataError(f"{path} holds no events")
    pairs = np.concatenate(packets).view("<u4").reshape(-1, 2)
    word = pairs[:, 0]
    passed = np.repeat(*np.array(overflows, np.int64).T)
    columns = {
        "x": word >> 17,
        "y": word >> 2 & 0x7FFF,
        "t": pairs[:, 1].astype(np.int64) + (passed << 31),
        "p": word >> 1 & 1,
    }
    return {name: column[word & 1 == 1] for name, column in columns.items()}


def read_aedat4(path: Path, most: int) -> Columns:
    """The columns of a .aedat4 file; DataError, with how to install it, where its reader is not there."""
    try:
        import aedat  # noqa: F401 - tonic asks for it only in the middle of its own reading
    except ImportError:
        raise DataError(
            f"{path} cannot be read: .aedat4 needs the package aedat; "
            "pip install 'dista-explorer[aedat4]'"
        ) from None
    from tonic.io import read_aedat4 as read

    try:
        events = read(str(path))
    except BaseException as error:
        # A panic in the package, which is written in Rust, is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"its reader gave up: {error}") from error
    check_count(path, len(events), most)
    return {field: events[name] for field, name in column_names(path, events.dtype.names).items()}
