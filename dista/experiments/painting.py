"""Marks that a reader paints on an input [ours], pixel by pixel, and their short form for links.

A pixel is 0 where nothing was painted, or one of ``MARKS``, counted from 1.
"""

from __future__ import annotations

import base64
import zlib

import numpy as np

MARKS = ("blank", "full", "speckled")
"""Nothing at all, the largest value, or either of them by chance, anew at each step."""

BLANK, FULL, SPECKLED = 1, 2, 3


class PaintError(ValueError):
    """Text that is no painting, or one of another size."""


def paint_text(marks: np.ndarray) -> str:
    """Marks (row, column) as a short text, "" where nothing is painted: two bits a pixel, compressed."""
    marks = np.asarray(marks)
    if not np.isin(marks, range(len(MARKS) + 1)).all():
        raise PaintError(f"marks are 0 to {len(MARKS)}; there is {np.max(marks)}")
    if not marks.any():
        return ""
    bits = np.stack([marks & 1, marks >> 1 & 1]).astype(bool)
    packed = zlib.compress(np.packbits(bits).tobytes(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def paint_marks(text: str, rows: int, columns: int) -> np.ndarray:
    """The inverse of ``paint_text``: uint8 (row, column); PaintError where the text is none of this size."""
    if not text:
        return np.zeros((rows, columns), np.uint8)
    size = -(-2 * rows * columns // 8)
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        content = zlib.decompressobj().decompress(packed, size + 1)
    except (ValueError, zlib.error) as error:
        raise PaintError("the painting is damaged; paint it again") from error
    if len(content) != size:
        raise PaintError(
            f"the painting is not one of {rows} x {columns} pixels, as this input has; paint it again"
        )
    bits = np.unpackbits(np.frombuffer(content, np.uint8), count=2 * rows * columns)
    low, high = bits.reshape(2, rows, columns)
    return low + 2 * high
