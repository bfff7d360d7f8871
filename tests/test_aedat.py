"""AEDAT 3.1, times that wrap in AEDAT 2.0, and the reader of AEDAT 4, which is an extra."""

from __future__ import annotations

import struct
import sys
import types

import numpy as np
import pytest

from dista.data.errors import DataError
from dista.data.event_readers import read_events

EVENTS = [(1, 2, 7_000, 1), (3, 127, 47_000, 0), (126, 0, 47_001, 0), (35, 30, 106_999, 1)]


def rows(events):
    return [tuple(event) for event in events]


HEADER_3 = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"


def packet(events, kind=1, overflow=0, size=8, capacity=None, valid=1):
    """One packet of AEDAT 3.1, as its specification describes it."""
    n = len(events)
    head = struct.pack(
        "<HHIIIIII", kind, 1, size, 4, overflow, n if capacity is None else capacity, n, n
    )
    words = [(x << 17 | y << 2 | p << 1 | valid, t) for x, y, t, p in events]
    return head + np.array(words, "<u4").tobytes()


def aedat3(path, *packets, header=HEADER_3):
    path.write_bytes(header + b"".join(packets))
    return path


def test_aedat_3_1(tmp_path):
    special = packet([(0, 0, 5, 0)], kind=0)
    invalid = packet([(9, 9, 8_000, 1)], valid=0)
    late = packet([(5, 6, 4, 1)], overflow=2)
    path = aedat3(
        tmp_path / "one.aedat", special, packet(EVENTS[:2]), invalid, packet(EVENTS[2:]), late
    )
    assert rows(read_events(path)) == [*EVENTS, (5, 6, 2 * 2**31 + 4, 1)]


def test_spikingjelly_reads_the_same_of_aedat_3_1(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchaudio", types.ModuleType("torchaudio"))
    from spikingjelly.datasets.utils import load_aedat_v3

    random = np.random.default_rng(0)
    events = random.integers(0, 128, (500, 4))
    events[:, 2], events[:, 3] = np.sort(random.integers(0, 10**6, 500)), events[:, 3] % 2
    rows = [tuple(map(int, row)) for row in events]
    path = aedat3(tmp_path / "one.aedat", packet(rows[:200]), packet(rows[200:], overflow=1))
    ours, theirs = read_events(path), load_aedat_v3(path)
    for name in "xytp":
        assert ours[name].tolist() == theirs[name].tolist()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (packet(EVENTS, capacity=2**31), "declares more events than the file holds"),
        (packet(EVENTS, capacity=3), "declares more events than the file holds"),
        (packet(EVENTS)[:20], "ends within the header of a packet"),
        (packet(EVENTS, size=4), "polarity events have 8"),
        (b"", "holds no events"),
    ],
)
def test_damaged_aedat_3_1(tmp_path, content, said):
    with pytest.raises(DataError, match=said):
        read_events(aedat3(tmp_path / "one.aedat", content))


def test_compressed_aedat_3_1_says_the_way_out(tmp_path):
    header = HEADER_3.replace(b"RAW", b"SerializedTS")
    with pytest.raises(DataError, match=r"compressed .*SerializedTS.*save it as RAW"):
        read_events(aedat3(tmp_path / "one.aedat", packet(EVENTS), header=header))


@pytest.mark.parametrize("start", [2**31 - 50, 2**32 - 50, 0])
def test_times_of_32_bits_go_on_where_they_wrap(tmp_path, start):
    times = [start, start + 40, start + 60, start + 50, start + 1_000_000]
    pairs = [((127 - i) << 8 | 127 << 1, t % 2**32) for i, t in enumerate(times)]
    content = b"#!AER-DAT2.0\r\n" + np.array(pairs, ">u4").tobytes()
    (tmp_path / "one.aedat").write_bytes(content)
    array = read_events(tmp_path / "one.aedat")
    assert (array["t"] - start).tolist() == [0, 40, 50, 60, 1_000_000]
    assert array["x"].tolist() == [0, 1, 3, 2, 4]


def test_a_header_without_end_is_looked_at_no_further(tmp_path):
    (tmp_path / "one.aedat").write_bytes(b"#!AER-DAT2.0\r\n#" + b"a" * 2**21)
    with pytest.raises(DataError, match="its header has no end"):
        read_events(tmp_path / "one.aedat")


# --- AEDAT 4, by its package ----------------------------------------------------------------------


def test_aedat4_without_its_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "aedat", None)
    (tmp_path / "one.aedat4").write_bytes(b"#!AER-DAT4.0\r\n")
    with pytest.raises(DataError, match=r"pip install 'dista-explorer\[aedat4\]'"):
        read_events(tmp_path / "one.aedat4")


def test_the_extra_is_declared():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))
    assert any("aedat" in one for one in project["project"]["optional-dependencies"]["aedat4"])


def test_a_panic_in_the_reader_of_aedat4_is_one_sentence(tmp_path, monkeypatch):
    class PanicException(BaseException):
        pass

    def panic(path):
        raise PanicException("attempt to divide by zero")

    monkeypatch.setitem(sys.modules, "aedat", types.SimpleNamespace(Decoder=panic))
    (tmp_path / "one.aedat4").write_bytes(b"#!AER-DAT4.0\r\n")
    with pytest.raises(
        DataError, match="is not a readable recording of events: its reader gave up"
    ):
        read_events(tmp_path / "one.aedat4")
