"""An image of one's own: read, made into a digit as the networks know them, put into a link."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 28
LEVELS = 16


class ImageError(ValueError):
    """An uploaded file, or an image in a link, that cannot be used."""


def read_digit(content: bytes, *, invert: bool) -> np.ndarray:
    """A png or jpg as grey levels 0..15, (28, 28), light on black; ImageError for anything else.

    The picture is fitted into the square as a whole; its border is filled with black after the
    inversion, as in the digits that the networks know.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as opened:
            grey = ImageOps.exif_transpose(opened)
            if "A" in grey.getbands():
                paper = Image.new("RGBA", grey.size, "white" if invert else "black")
                grey = Image.alpha_composite(paper, grey.convert("RGBA"))
            grey = grey.convert("L")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise ImageError("This file is not a readable png or jpg picture; try another.") from error
    if invert:
        grey = ImageOps.invert(grey)
    return np.asarray(ImageOps.pad(grey, (SIDE, SIDE), color=0)) // (256 // LEVELS)


def image_text(levels: np.ndarray) -> str:
    """Grey levels 0..15, (28, 28), as a short text that a URL can carry."""
    packed = zlib.compress(levels.astype(np.uint8).tobytes(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def image_pixels(text: str) -> np.ndarray:
    """The inverse of ``image_text``, as pixels 0..1; ImageError where the text is damaged."""
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        content = zlib.decompressobj().decompress(packed, SIDE * SIDE + 1)
        levels = np.frombuffer(content, np.uint8).reshape(SIDE, SIDE)
    except (ValueError, zlib.error) as error:
        raise ImageError("The picture in this link is damaged; upload it again.") from error
    return np.minimum(levels, LEVELS - 1).astype(np.float32) / (LEVELS - 1)


def with_own_image(x: Tensor, pixels: np.ndarray, step_labels: Sequence[str] | None) -> Tensor:
    """The input with the own image in it: at the steps called probe, or instead of the whole image."""
    import torch

    digit = torch.from_numpy(pixels)
    x = x.clone()
    if step_labels is None:
        x[:] = digit
    else:
        x[[label == "probe" for label in step_labels]] = digit
    return x
