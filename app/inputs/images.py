"""Pictures of one's own, uploaded or drawn: made into what the networks know, and put into a link."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

SIDE = 28
LEVELS = 16
COLOUR_SIDE = 32
MOST_PIXELS = 25_000_000  # of an uploaded picture; telephones take 12 million
MOST_POINTS = 20_000  # of a drawing
COLOUR_BYTES = 1100  # of a colour picture in a link, before base64 makes a third more of it

BOX, PEN = 20.0, 2.4  # MNIST fits its digits into 20 pixels; its strokes are about as wide
_DOT = 0.1  # drawings smaller than this part of the pad are not scaled up any further
FINE = 8  # a drawing is made of as many pixels each way for one of the digit
_COLOUR_SIGN = "UklGR"  # how base64 says RIFF, with which every WebP begins


class ImageError(ValueError):
    """A file, a drawing, or a picture in a link, that cannot be used."""


def read_grey(content: bytes) -> np.ndarray:
    """A png or jpg as grey 0..1, (row, column), as it is; ImageError for anything else."""
    return np.asarray(_opened(content, paper="white").convert("L"), np.float64) / 255


def read_digit(content: bytes, *, invert: bool) -> np.ndarray:
    """A png or jpg as grey levels 0..15, (28, 28), light on black; ImageError for anything else.

    Nothing of it is changed: for a photograph see ``photographs``. The picture is fitted into the square as a
    whole; its border is filled with black after the inversion, as in the digits that the networks know.
    """
    from PIL import ImageOps

    grey = _opened(content, paper="white" if invert else "black").convert("L")
    if invert:
        grey = ImageOps.invert(grey)
    return np.asarray(ImageOps.pad(grey, (SIDE, SIDE), color=0)) // (256 // LEVELS)


def read_colours(content: bytes) -> np.ndarray:
    """A png or jpg as uint8 (32, 32, 3): scaled, and cropped to its middle square; else ImageError."""
    from PIL import ImageOps

    picture = _opened(content, paper="white")
    return np.asarray(ImageOps.fit(picture, (COLOUR_SIDE, COLOUR_SIDE)))


def _opened(content: bytes, paper: str) -> Image:
    """The picture upright, in RGB and opaque: what was transparent is ``paper``.

    Of an animation it is the first picture. How large a picture says it is, is looked at before it is
    unpacked: 13,000 pixels each way fit into a file of 700 KB and into 3 GB of memory.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as opened:
            _check_size(opened.size)
            if opened.info.get("default_image"):
                opened.seek(1)  # the picture before it is for those who can't show animations
            opened.draft(None, (8 * SIDE, 8 * SIDE))  # of a jpg no more than is needed is unpacked
            ImageOps.exif_transpose(opened, in_place=True)
            return flattened(opened, paper)
    except ImageError:
        raise
    except (
        UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, TypeError,
        LookupError, EOFError, OverflowError, struct.error, zlib.error,
    ) as error:  # fmt: skip
        raise ImageError("This file is not a readable png or jpg picture; try another.") from error


def _check_size(size: tuple[int, int]) -> None:
    """ImageError where a picture of (columns, rows) would fill the memory."""
    columns, rows = size
    if columns * rows > MOST_PIXELS:
        raise ImageError(
            f"This picture has {columns} × {rows} pixels; at most {MOST_PIXELS // 1_000_000} million are "
            "read. Save it smaller, and try again."
        )


def flattened(picture: Image, paper: str) -> Image:
    """A picture of any of Pillow's modes in RGB, as a viewer shows it on ``paper``; ImageError for numbers.

    Pillow's own conversions clip 16 bits to 8, and drop what is transparent in some modes.
    """
    from PIL import Image

    if picture.mode in ("F", "LAB") or (picture.mode == "I" and not _has_16_bits(picture)):
        raise ImageError(
            "The pixels of this picture are numbers without a black and a white; save it as a png of "
            "8 or 16 bits, and try again."
        )
    if picture.mode.startswith("I"):
        picture = _in_8_bits(picture)
    if picture.mode == "La":  # of which Pillow knows one way out
        picture = picture.convert("LA")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    above = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, paper), above).convert("RGB")


def _has_16_bits(picture: Image) -> bool:
    low, high = picture.getextrema()
    return low >= 0 and 255 < high < 2**16


def _in_8_bits(picture: Image) -> Image:
    """Grey of 16 bits as that of 8; the one grey that the file calls transparent stays so."""
    from PIL import Image

    grey = np.asarray(picture)
    levels = Image.fromarray((grey // 257).astype(np.uint8))
    clear = picture.info.get("transparency")
    if clear is None:
        return levels
    levels.putalpha(Image.fromarray(np.where(grey == clear, 0, 255).astype(np.uint8)))
    return levels


# Drawings ---------------------------------------------------------------------------------------


def drawn(strokes: Sequence[Sequence[Sequence[float]]]) -> np.ndarray:
    """Strokes of points (x, y) in 0..1 as grey levels 0..15, (28, 28), light on black.

    As MNIST's digits are made: scaled into 20 x 20 pixels without changing its proportions, and moved
    so that its centre of mass is the middle. The pen is as wide as theirs, however large the drawing is.
    ImageError where there is no point.
    """
    try:
        lines = [np.array(stroke, np.float64).reshape(-1, 2) for stroke in strokes if len(stroke)]
        points = np.concatenate(lines)
    except (ValueError, TypeError) as error:
        raise ImageError("This drawing is empty; draw a digit.") from error
    if not np.isfinite(points).all() or len(points) > MOST_POINTS:
        raise ImageError("This drawing is damaged; draw it again.")
    points, lines = points.clip(0, 1), [line.clip(0, 1) for line in lines]
    low, high = points.min(0), points.max(0)
    scale = (BOX - PEN) / max((high - low).max(), _DOT)
    lines = [(line - (low + high) / 2) * scale + SIDE / 2 for line in lines]
    rows, columns = np.indices((SIDE * FINE, SIDE * FINE))
    ink = _inked(lines)
    mass = np.array([(columns * ink).sum(), (rows * ink).sum()]) / ink.sum() / FINE
    grey = _inked([line + SIDE / 2 - mass for line in lines])
    return (coarse(grey) * (LEVELS - 1) + 0.5).astype(np.uint8)


def coarse(fine: np.ndarray) -> np.ndarray:
    """Means over the finer pixels that make one of the digit."""
    return fine.reshape(SIDE, FINE, SIDE, FINE).mean((1, 3))


def _inked(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Lines in pixels of the digit, drawn with a round pen on finer ones: 0 or 1."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (SIDE * FINE, SIDE * FINE))
    pen, radius = ImageDraw.Draw(picture), PEN * FINE / 2
    for line in lines:
        places = [(float(x), float(y)) for x, y in line * FINE]
        pen.line(places, fill=1, width=round(2 * radius))
        for x, y in places:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    return np.asarray(picture, np.float64)


# Links ------------------------------------------------------------------------------------------


def image_text(levels: np.ndarray) -> str:
    """Grey levels 0..15, (28, 28), as a short text that a URL can carry."""
    return _text(zlib.compress(levels.astype(np.uint8).tobytes(), 9))


def image_pixels(text: str) -> np.ndarray:
    """The inverse of ``image_text``, as pixels 0..1; ImageError where the text is damaged."""
    try:
        content = zlib.decompressobj().decompress(_bytes(text), SIDE * SIDE + 1)
        levels = np.frombuffer(content, np.uint8).reshape(SIDE, SIDE)
    except (ValueError, zlib.error) as error:
        raise ImageError("The picture in this link is damaged; upload it again.") from error
    return np.minimum(levels, LEVELS - 1).astype(np.float32) / (LEVELS - 1)


def colour_text(pixels: np.ndarray) -> str:
    """A picture, uint8 (32, 32, 3), as WebP of the best quality that leaves the link short."""
    from PIL import Image

    for quality in (95, 90, 80, 70, 55, 40, 25, 10, 0):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "WEBP", quality=quality, method=6)
        if file.tell() <= COLOUR_BYTES:
            break
    return _text(file.getvalue())


def colour_pixels(text: str) -> np.ndarray:
    """The inverse of ``colour_text``, as far as WebP keeps it: float32 (3, 32, 32) in 0..1."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(_bytes(text)), formats=["WEBP"]) as opened:
            if opened.size != (COLOUR_SIDE, COLOUR_SIDE):
                raise ValueError(f"{opened.size} pixels")
            pixels = np.asarray(opened.convert("RGB"), np.float32) / 255
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageError("The picture in this link is damaged; upload it again.") from error
    return pixels.transpose(2, 0, 1).copy()


def is_colour(text: str) -> bool:
    """Whether a text in a link is meant to be a colour picture."""
    return text.startswith(_COLOUR_SIGN)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def roles(text: str) -> dict[str, str]:
    """The pictures in a text of a link, by the steps that they are for: ``PROBE.CUE``, either of them or both."""
    probe, _, cue = text.partition(".")
    return {role: part for role, part in (("probe", probe), ("cue", cue)) if part}


def of_roles(parts: Mapping[str, str]) -> str | None:
    """The inverse of ``roles``; None for no picture."""
    probe, cue = parts.get("probe", ""), parts.get("cue", "")
    return (f"{probe}.{cue}" if cue else probe) or None


def with_own_image(
    x: Tensor, pixels: np.ndarray, step_labels: Sequence[str] | None, role: str = "probe",
    noise: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The input with the own image in it: at the steps called ``role``, or instead of the whole image.

    ``noise`` (time, channel, row, column) is what the task adds to its own digits, at each step.
    """
    import torch

    picture = torch.from_numpy(pixels)
    x = x.clone()
    if step_labels is None:
        x[:] = picture
        return x
    here = torch.tensor([label == role for label in step_labels])
    x[here] = picture if noise is None else (picture + noise[here, None]).clamp(0, 1)
    return x
