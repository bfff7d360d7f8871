"""Events as people save them: conventions, units, sizes that are declared, and formats of cameras."""

from __future__ import annotations

import io
import struct
import time
import zipfile

import numpy as np
import pytest
import torch
from test_aedat import EVENTS, aedat3, packet, rows

import dista.data
from dista.data.camera import EVENT_TYPE
from dista.data.errors import DataError
from dista.data.event_readers import SUFFIXES, read_events
from dista.data.framing import check_form, fitting_frames, frames
from dista.data.recordings import as_input


def columns(events=EVENTS, **types):
    arrays = {name: np.array(column) for name, column in zip("xytp", zip(*events))}
    return arrays | {name: kind(arrays[name]) for name, kind in types.items()}


def saved(path, arrays):
    np.savez(path, **arrays)
    return path


# --- one meaning --------------------------------------------------------------------------------

POLARITIES = {
    "0 and 1": lambda p: p.astype(np.uint8),
    "booleans": lambda p: p == 1,
    "-1 and 1": lambda p: (2 * p - 1).astype(np.int8),
    "floats": lambda p: 2.0 * p - 1,
}


@pytest.mark.parametrize("kind", POLARITIES)
def test_polarities_of_every_convention(tmp_path, kind):
    path = saved(tmp_path / "one.npz", columns(p=POLARITIES[kind]))
    assert rows(read_events(path)) == EVENTS
    assert frames(read_events(path), 1, (128, 128)).sum((0, 2, 3)).tolist() == [2, 2], "OFF and ON"


@pytest.mark.parametrize("value", [-1, 0, 1])
def test_a_single_polarity_keeps_its_meaning(tmp_path, value):
    path = saved(tmp_path / "one.npz", columns(p=lambda p: np.full(len(p), value)))
    assert read_events(path)["p"].tolist() == [int(value == 1)] * 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(p=lambda p: p + 1), r"polarities 1, 2; expected 0 and 1, -1 and 1, or"),
        (dict(p=lambda p: np.array([-1, 0, 1, 1])), "polarities -1, 0, 1; expected"),
        (dict(p=lambda p: p * 255), "polarities 0, 255"),
        (dict(p=lambda p: np.array(["on"] * 4)), "polarities of type <U2"),
        (dict(t=lambda t: t / 1e6), r"t with fractions, from 0\.007 to 0\.106999; .* seconds by 1e6"),
        (dict(x=lambda x: x + 0.5), "x with fractions, .*round them"),
        (dict(x=lambda x: x * np.nan), "x that are not finite"),
        (dict(t=lambda t: np.array(["a"] * 4)), "t of type <U1; expected whole numbers"),
        (dict(t=lambda t: np.array([-(2**62), 0, 1, 2**62])), "17 years of microseconds apart"),
        (dict(t=lambda t: np.array([0, 1, 2, 2**64 - 1], np.uint64)), "which no camera gives"),
        (dict(x=lambda x: x[:3]), r"columns of the shapes x \(3,\), y \(4,\).*equal length"),
        (dict(x=lambda x: x[:1]), r"columns of the shapes"),
        (dict(p=lambda p: np.array(1)), r"columns of the shapes"),
    ],
)  # fmt: skip
def test_what_means_something_else_is_said(tmp_path, change, said):
    with pytest.raises(DataError, match=said):
        read_events(saved(tmp_path / "one.npz", columns(**change)))


def test_whole_microseconds_may_be_floats_and_any_clock(tmp_path):
    since_1970 = 1_764_150_000_000_000
    path = saved(tmp_path / "one.npz", columns(t=lambda t: t.astype(float) + since_1970))
    assert rows(read_events(path)) == [(x, y, t + since_1970, p) for x, y, t, p in EVENTS]
    assert frames(read_events(path), 4, (128, 128)).sum((1, 2, 3)).tolist() == [1, 2, 0, 1]


def test_a_coordinate_beyond_32_bits_does_not_come_back_as_a_small_one(tmp_path):
    from app.inputs import event_files

    path = saved(tmp_path / "one.npz", columns(x=lambda x: np.array([2**32 + 5, 3, 126, 35])))
    assert read_events(path)["x"][0] == 2**32 + 5
    assert event_files.read("one.npz", path.read_bytes()).events["x"].min() == 3


def test_paths_are_text_as_well(tmp_path):
    path = saved(tmp_path / "ONE.NPZ.npz", columns())
    assert rows(read_events(str(path))) == rows(read_events(path)) == EVENTS
    upper = path.rename(tmp_path / "one.NPZ")
    assert rows(read_events(str(upper))) == EVENTS


# --- one binning, one clamp ---------------------------------------------------------------------


def task_like(name, steps=8, size=(34, 34)):
    return dista.data.Task(name, tuple("ab"), (2, *size), steps, None, None, None, None, "")


def structured(events):
    return np.array(events, [("x", int), ("y", int), ("t", int), ("p", int)])


@pytest.mark.parametrize("last", [296_841, 314_999, 315_109, 340_000])
def test_saccades_of_any_real_length_begin_at_zero(last):
    """Of a thousand real ones two end after 315 ms: their bins are those of all others."""
    saccades = structured([(1, 1, 7_000, 1), (2, 2, 39_374, 1), (3, 3, 39_376, 1), (4, 4, last, 0)])
    shown = as_input(saccades, task_like("nmnist"))[:, 0]
    assert shown.sum((1, 2, 3)).tolist() == [2, 1, 0, 0, 0, 0, 0, 1]
    assert torch.equal(shown, torch.from_numpy(frames(saccades, 8, (34, 34), 315_000)).float())


def test_a_recording_of_another_length_is_cut_from_its_first_event_to_its_last():
    events = structured([(1, 1, 10_000_000 + t, 1) for t in (0, 1_000_000, 7_999_999)])
    assert as_input(events, task_like("nmnist")).sum((1, 2, 3, 4)).tolist() == [
        1,
        1,
        0,
        0,
        0,
        0,
        0,
        1,
    ]


@pytest.mark.parametrize("unit", [1e-6, 1e-3])
def test_times_in_another_unit_do_not_all_fall_into_the_first_step(unit):
    events = structured([(1, 1, int(t * unit), 1) for t in (0, 100_000, 314_000)])
    with pytest.raises(DataError, match=r"all events lie within .* multiply seconds by 1e6"):
        as_input(events, task_like("nmnist"))
    assert as_input(events, task_like("recordings")).sum() == 3, "has a length of its own"


def test_a_form_that_memory_cannot_hold_is_refused_before_it_is_asked_for():
    for steps, size in ((10, (65_536, 65_536)), (10_001, (2, 2)), (0, (2, 2)), (10, (0, 2))):
        with pytest.raises(ValueError, match=r"expected|memory|no camera"):
            check_form(steps, size)


def test_frames_say_what_does_not_fit():
    events = structured([(300, 1, t, 1) for t in range(9)])
    with pytest.raises(DataError, match="100 % of the events lie outside of the 34 x 34 pixels"):
        fitting_frames(events, 2, (34, 34))


# --- files that declare more than they hold ------------------------------------------------------


def npy_header(shape, descr="<i8"):
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


HUGE = [npy_header((2**44,)), npy_header((2**62, 2**62)), npy_header((-5,)), npy_header((2**40, 0))]
HUGE += [npy_header((2**40,), "|V0"), npy_header((10,), "|O"), b"\x93NUMPY\x09\x00" + b"\0" * 40]
HUGE += [npy_header((2**33,), [("x", "<i8"), ("y", "<i8"), ("t", "<i8"), ("p", "<i8")])]
HUGE += [npy_header((3,), [("x", "<i8", (2**28,)), ("y", "<i8"), ("t", "<i8"), ("p", "<i8")])]


@pytest.mark.parametrize("content", HUGE)
def test_a_declared_size_takes_no_memory(tmp_path, content):
    (tmp_path / "one.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "one.npz", "w") as archive:
        archive.writestr("events.npy", content)
    with zipfile.ZipFile(tmp_path / "four.npz", "w") as archive:
        for name in "xytp":
            archive.writestr(f"{name}.npy", content)
    for name in ("one.npy", "one.npz", "four.npz"):
        with pytest.raises(DataError) as refused:
            read_events(tmp_path / name)
        assert not isinstance(refused.value.__cause__, MemoryError)


def test_an_archive_that_unfolds_to_more_than_is_read_is_refused_before_it_unfolds(tmp_path):
    arrays = {name: np.zeros(200_000, np.uint8) for name in "xytp"}
    np.savez_compressed(tmp_path / "one.npz", **arrays)
    with pytest.raises(DataError, match="has 200000 events; at most 1000 are read"):
        read_events(tmp_path / "one.npz", most=1000)
    path = tmp_path / "one.bin"
    path.write_bytes(b"\0" * 5005)
    with pytest.raises(DataError, match="has 1001 events; at most 1000 are read"):
        read_events(path, most=1000)


def test_a_file_of_nothing_but_overflows_is_read_in_a_moment(tmp_path):
    content = np.zeros((400_000, 5), np.uint8)
    content[:-1, 1], content[-1] = 240, (1, 2, 128, 0, 7)
    content.tofile(tmp_path / "one.bin")
    began = time.perf_counter()
    assert rows(read_events(tmp_path / "one.bin")) == [(1, 2, 399_999 * 2**13 + 7, 1)]
    assert time.perf_counter() - began < 5


def test_tonic_reads_the_same_of_n_mnist(tmp_path):
    from tonic.io import read_mnist_file

    random = np.random.default_rng(0)
    content = random.integers(0, 256, (3000, 5), dtype=np.uint8)
    content[:, 1] = random.choice([3, 33, 240], 3000)
    content.tofile(tmp_path / "one.bin")
    theirs = read_mnist_file(str(tmp_path / "one.bin"), dtype=EVENT_TYPE)
    theirs = theirs[np.argsort(theirs["t"], kind="stable")]
    assert np.array_equal(read_events(tmp_path / "one.bin"), theirs)


# --- what holds no events -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((7, 4)), r"an array \(7, 4\), whose columns have no names; .*np\.savez\(NEW, x=a"),
        (np.zeros((10, 2, 34, 34)), "holds frames, which are cut already; bring the events"),
        (np.zeros(5), r"holds no events with x, y, t and p, but an array of the shape \(5,\)"),
    ],
)  # fmt: skip
def test_an_array_without_names_says_the_way_out(tmp_path, array, said):
    np.save(tmp_path / "one.npy", array)
    for path in (tmp_path / "one.npy", saved(tmp_path / "one.npz", {"events": array})):
        with pytest.raises(DataError, match=said):
            read_events(path)
    frames_of_spikingjelly = saved(tmp_path / "frames.npz", {"frames": array, "labels": array})
    with pytest.raises(DataError, match="holds frames"):
        read_events(frames_of_spikingjelly)


def test_the_way_out_of_an_array_without_names_works(tmp_path):
    a = np.array(EVENTS)
    np.savez(tmp_path / "new.npz", x=a[:, 0], y=a[:, 1], t=a[:, 2], p=a[:, 3])
    assert rows(read_events(tmp_path / "new.npz")) == EVENTS


def test_what_is_uploaded_is_what_is_read(tmp_path):
    from app.inputs import event_files

    assert sorted(event_files.SUFFIXES) == sorted(SUFFIXES)
    path = aedat3(tmp_path / "one.aedat", packet(EVENTS))
    assert rows(event_files.read("Mine.AEDAT", path.read_bytes()).events) == EVENTS
    buffer = io.BytesIO()
    np.savez(buffer, **columns(p=POLARITIES["-1 and 1"]))
    assert rows(event_files.read("b.npz", buffer.getvalue()).events) == EVENTS
    buffer = io.BytesIO()
    np.savez(buffer, **columns(t=lambda t: t / 1e6))
    with pytest.raises(ValueError, match=r"^the file b\.npz has t with fractions"):
        event_files.read("b.npz", buffer.getvalue())
