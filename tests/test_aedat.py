"""AEDAT 3.1, times that wrap in AEDAT 2.0, and the reader of AEDAT 4, which is an extra."""

from __future__ import annotations

import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from fuzzing import aedat4_example

from dista.data import aedat
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

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))
    assert any("aedat" in one for one in project["project"]["optional-dependencies"]["aedat4"])


# A package of that name, in the place of the real one, which tests are run without: what its reader meets.
PACKETS = """
import sys
import numpy as np
KIND = [("t", "<u8"), ("x", "<u2"), ("y", "<u2"), (("p", "on"), "?")]
class Decoder:
    def __init__(self, path):
        assert open(path, "rb").read() == b"#!AER-DAT4.0", path
        assert not {"torch", "tonic", "dista"} & set(sys.modules), "what reads it is to be light"
    def id_to_stream(self):
        return {0: {"type": "frame"}, 3: {"type": "events"}, 1: {"type": "events"}}
    def __iter__(self):
        yield {"stream_id": 0, "frame": None}
        for i in range(3):
            yield {"stream_id": 3, "events": np.ones(9, KIND)}
            yield {"stream_id": 1, "events": np.array([(2**40 - i, 300 + i, 7, i % 2)] * 2, KIND)}
"""
ENDS = {
    "abort": ("import os, sys; print('no memory', file=sys.stderr, flush=True); os.abort()", "no memory"),
    "a silent end": ("import os; os._exit(9)", "gave up: 9"),
    "a panic": ("raise type('PanicException', (BaseException,), {})('index out of range')", "index out"),
    "a gigabyte": ("bytearray(2**30)", "MemoryError"),
    "no stream": ("return", "it has no stream of events"),
    "no end": ("import time; time.sleep(60)", "had not come to an end after"),
}  # fmt: skip


@pytest.fixture
def read_4(tmp_path, monkeypatch):
    """``read_4(source, **options)``: a file, read where the package ``aedat`` is ``source``."""

    def read(source, **options):
        (tmp_path / "aedat.py").write_text(source)
        (tmp_path / "one.aedat4").write_bytes(b"#!AER-DAT4.0")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return read_events(tmp_path / "one.aedat4", **options)

    return read


def test_of_aedat4_the_first_stream_of_events_is_read(read_4):
    times = [2**40 - 2] * 2 + [2**40 - 1] * 2 + [2**40] * 2
    found = read_4(PACKETS)
    assert found["t"].tolist() == times and found["x"].tolist() == [302, 302, 301, 301, 300, 300]
    assert set(found["y"]) == {7} and found["p"].tolist() == [0, 0, 1, 1, 0, 0]
    with pytest.raises(DataError, match="has more than 5 events"):
        read_4(PACKETS, most=5)


def test_aedat4_without_events(read_4):
    with pytest.raises(DataError, match="holds no events"):
        read_4(PACKETS.replace("range(3)", "range(0)"))


@pytest.mark.parametrize("end", ENDS)
def test_an_end_of_the_reader_of_aedat4_is_one_sentence(read_4, monkeypatch, end):
    """It is no end of this process, whatever it is: of one file of twelve that are damaged it is an abort."""
    body, said = ENDS[end]
    if end == "a gigabyte" and not Path("/proc/self/statm").is_file():
        pytest.skip("needs a system that says how much memory a process has")
    if end == "no end":
        monkeypatch.setattr(aedat, "_CHILD_SECONDS", 0.5)
    source = f"class Decoder:\n def __init__(self, path):\n  {body}\n def id_to_stream(self):\n  return {{}}"
    with pytest.raises(DataError, match="is not a readable recording of events: .*" + said):
        read_4(source)


def test_aedat4_with_its_package(tmp_path):
    pytest.importorskip("aedat", reason="pip install 'dista-explorer[aedat4]'")
    from tonic.io import read_aedat4

    path = tmp_path / "one.aedat4"
    path.write_bytes(aedat4_example())
    found, theirs = read_events(path), read_aedat4(str(path))
    for ours, name in (("x", "x"), ("y", "y"), ("t", "t"), ("p", "on")):
        assert found[ours].tolist() == theirs[name].tolist()
    assert len(found) == 200 and found["p"].sum() == 100
