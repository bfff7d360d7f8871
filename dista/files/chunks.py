"""How much a compressed chunk says that it unpacks to, from its first bytes: the libraries take memory for it
before they look any further.
"""

from __future__ import annotations

HEAD = 18
"""Bytes in which it is said."""

_ZSTD = b"\x28\xb5\x2f\xfd"


def declared(codec: str, head: bytes) -> int | None:
    """Bytes that a chunk of ``codec`` unpacks to; None where the bytes are not its, or do not say it."""
    return {"blosc": _blosc, "zstd": _zstd}[codec](head)


def _blosc(head: bytes) -> int | None:
    """Version 1 of its header: four bytes of flags, then sizes: unpacked, of a block, packed."""
    return int.from_bytes(head[4:8], "little") if len(head) >= 16 else None


def _zstd(head: bytes) -> int | None:
    """A frame's header of RFC 8878: which of its fields there are is in the first byte after the mark."""
    if not head.startswith(_ZSTD) or len(head) < 6:
        return None
    said = head[4]
    size, single = said >> 6, bool(said & 0x20)
    width = (1 if single else 0, 2, 4, 8)[size]
    at = 5 + (not single) + (0, 1, 2, 4)[said & 3]
    if not width or len(head) < at + width:
        return None
    return int.from_bytes(head[at : at + width], "little") + (256 if width == 2 else 0)
