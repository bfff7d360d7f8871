"""Files to try as an own input, made here: a photograph of a digit, a picture, a recording of events."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

_FOUR = (
    ((0.58, 0.2), (0.32, 0.6), (0.72, 0.6)),
    ((0.6, 0.36), (0.58, 0.84)),
)  # strokes, 0..1 each way
_PAPER, _SHADE, _INK = (
    0.72,
    0.3,
    0.28,
)  # grey of the paper, how much of it the light takes away, that of ink


def photograph() -> bytes:
    """A 4 on grey paper in light from one side, 480 x 360 pixels, as a telephone takes it: a jpg."""
    from PIL import Image, ImageDraw, ImageFilter

    columns, rows = 480, 360
    ink = Image.new("L", (columns, rows))
    for stroke in _FOUR:
        ImageDraw.Draw(ink).line(
            [(x * 300 + 130, y * 260 + 60) for x, y in stroke], 255, 11, "curve"
        )
    covered = np.asarray(ink.filter(ImageFilter.GaussianBlur(1.2)), float) / 255
    y, x = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    paper = _PAPER - _SHADE * (x + y) / 2
    grey = paper * (1 - covered * (1 - _INK)) + np.random.default_rng(4).normal(
        0, 0.015, paper.shape
    )
    return _file(Image.fromarray((255 * grey.clip(0, 1)).astype(np.uint8)), "JPEG")


def ship() -> bytes:
    """A drawn ship, as a png."""
    from PIL import Image

    from dista.data.stand_ins import drawn

    return _file(Image.fromarray(drawn()[8].transpose(1, 2, 0)), "PNG")


def recording() -> tuple[str, bytes]:
    """A held-out digit before the simulated camera: the name of a file, and its content."""
    from dista.data.stand_ins import filmed

    file = io.BytesIO()
    np.save(file, filmed()[5])
    return "filmed-5.npy", file.getvalue()


def _file(picture: Image.Image, form: str) -> bytes:
    content = io.BytesIO()
    picture.save(content, form, quality=88)
    return content.getvalue()
