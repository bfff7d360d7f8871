"""Arrays and a small JSON header in one run of bytes, as the browser wants them.

A web host passes one block of bytes cheaply and everything else as JSON. Arrays therefore lie
behind each other, each starting at a multiple of eight bytes so that a typed array can be laid
over it without a copy, and the header says where.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

ALIGN = 8
DTYPES = ("uint8", "uint16", "uint32", "int32", "float32")


@dataclass(frozen=True)
class Payload:
    """What a probe shows: ``header`` is JSON-able, ``buffer`` holds the arrays named in it."""

    header: dict[str, Any]
    buffer: bytes

    def array(self, name: str) -> np.ndarray:
        """A read-only view of the packed array ``name``."""
        entries = self.header["arrays"]
        if name not in entries:
            raise KeyError(f"no array {name!r} in this payload; it has {', '.join(entries)}")
        entry = entries[name]
        flat = np.frombuffer(
            self.buffer, entry["dtype"], math.prod(entry["shape"]), offset=entry["offset"]
        )
        return flat.reshape(entry["shape"])

    def to_bytes(self, **extra: Any) -> bytes:
        """Header length (8 bytes, little endian), header with ``extra`` entries, then the buffer."""
        text = json.dumps(self.header | extra, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % ALIGN)
        return len(text).to_bytes(ALIGN, "little") + text + self.buffer

    @classmethod
    def from_bytes(cls, data: bytes) -> Payload:
        """The inverse of ``to_bytes``."""
        size = int.from_bytes(data[:ALIGN], "little")
        if len(data) < ALIGN + size or size == 0:
            raise ValueError(
                f"{len(data)} bytes do not hold a header of {size} bytes; "
                "expected the result of Payload.to_bytes"
            )
        return cls(json.loads(data[ALIGN : ALIGN + size]), data[ALIGN + size :])


class Packer:
    """Collects arrays; ``arrays`` is the table for the header, ``to_bytes`` the buffer."""

    def __init__(self) -> None:
        self.arrays: dict[str, dict[str, Any]] = {}
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, name: str, values: Any, dtype: str) -> None:
        if dtype not in DTYPES:
            raise ValueError(f"dtype {dtype!r} of {name!r} must be one of {', '.join(DTYPES)}")
        array = np.ascontiguousarray(_fitting(name, np.asarray(values), dtype), dtype)
        self.arrays[name] = {"dtype": dtype, "shape": list(array.shape), "offset": self._size}
        data = array.tobytes()
        data += b"\0" * (-len(data) % ALIGN)
        self._parts.append(data)
        self._size += len(data)

    def to_bytes(self) -> bytes:
        return b"".join(self._parts)


def _fitting(name: str, values: np.ndarray, dtype: str) -> np.ndarray:
    """``values`` where ``dtype`` holds each of them: 2**32 + 5 does not become 5."""
    bounds = np.iinfo(dtype) if np.dtype(dtype).kind in "ui" else None
    wider = bounds and values.dtype.kind != "b" and values.dtype != dtype and values.size
    if wider and not (bounds.min <= values.min() and values.max() <= bounds.max):
        raise ValueError(
            f"{name} has values from {values.min():g} to {values.max():g}; {dtype} holds "
            f"{bounds.min} to {bounds.max}"
        )
    return values
