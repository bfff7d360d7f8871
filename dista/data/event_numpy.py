"""numpy's files of events: sizes that they declare are compared with what is there before memory is taken."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from dista.data.errors import DataError
from dista.data.event_arrays import check_count, column_names

Columns = Mapping[str, np.ndarray]

_ITEM = 64  # bytes that an event may take in a file, all of its fields together
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}  # version 3 is for names of fields that are not Latin


def read_npy(path: Path, most: int) -> Columns:
    """The fields of one structured array, which is mapped."""
    with path.open("rb") as file:
        _check_header(path, path.name, file, path.stat().st_size, most)
    return _fields(path, np.lib.format.open_memmap(path, mode="r"))


def read_npz(path: Path, most: int) -> Columns:
    """Arrays named x, y, t, p (or as in ``FIELDS``), or one array that has them as fields."""
    with zipfile.ZipFile(path) as archive:
        members = {
            name.removesuffix(".npy"): archive.getinfo(name)
            for name in archive.namelist()
            if name.endswith(".npy")
        }
        if len(members) == 1:
            (member,) = members.values()
            return _fields(path, _member(path, archive, member, most))
        if "frames" in members:
            raise DataError(_frames(path))
        names = column_names(path, members)
        columns = {}
        for field, name in names.items():
            columns[field] = _member(path, archive, members[name], most)
        return columns


def _member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> np.ndarray:
    """One array of an archive."""
    with archive.open(member) as file:
        _check_header(path, member.filename, file, member.file_size, most)
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _check_header(path: Path, name: str, file: BinaryIO, size: int, most: int) -> None:
    """An error for what no recording has, read from the header: numpy takes the memory that it declares."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"{name} has the version {version}; expected 1.0 or 2.0")
    shape, _, dtype = _HEADERS[version](file)
    nbytes = math.prod(shape) * dtype.itemsize
    if not 0 <= nbytes <= size:
        raise ValueError(f"{name} declares {nbytes} bytes and has {size}")
    if dtype.itemsize > _ITEM:
        raise ValueError(f"{name} has items of {dtype.itemsize} bytes")
    if len(shape) > 1:
        raise DataError(_shaped(path, shape))
    check_count(path, math.prod(shape), most)


def _fields(path: Path, array: np.ndarray) -> Columns:
    if array.dtype.names is None or array.ndim != 1:
        raise DataError(_shaped(path, array.shape))
    names = column_names(path, array.dtype.names)
    return {field: array[name] for field, name in names.items()}


def _shaped(path: Path, shape: tuple[int, ...]) -> str:
    """What to do with an array that says of no column what it is."""
    if len(shape) >= 4:
        return _frames(path)
    if len(shape) == 2 and shape[1] == 4:
        return (
            f"{path} holds an array {shape}, whose columns have no names; with a = np.load(FILE) and in the "
            "order that yours have, save np.savez(NEW, x=a[:, 0], y=a[:, 1], t=a[:, 2], p=a[:, 3])"
        )
    return (
        f"{path} holds no events with x, y, t and p, but an array of the shape {shape}; expected an array "
        "with these fields, or an .npz with arrays of these names"
    )


def _frames(path: Path) -> str:
    return (
        f"{path} holds frames, which are cut already; bring the events that they are of "
        "(spikingjelly keeps them in the folder events_np)"
    )
