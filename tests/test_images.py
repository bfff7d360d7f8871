"""Pictures of every kind become what a viewer shows, or a sentence; and no file fills the memory."""

from __future__ import annotations

import io
import random
import resource
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from app.inputs import images

RAMP = np.linspace(0, 255, 28 * 28).reshape(28, 28).astype(np.uint8)


def packed(picture, form="PNG", **options):
    content = io.BytesIO()
    picture.save(content, form, **options)
    return content.getvalue()


def of_mode(mode):
    """A ramp from black to white in a mode of Pillow's."""
    if mode.startswith("I;16"):
        kind = {"I;16B": ">u2"}.get(mode, "<u2")
        return Image.frombytes(
            mode, (28, 28), (RAMP.astype(np.uint16) * 257).astype(kind).tobytes()
        )
    if mode == "I":
        return Image.fromarray(RAMP.astype(np.int32) * 257)
    grey = Image.fromarray(RAMP)
    if mode in ("RGBa", "La"):
        return grey.convert({"RGBa": "RGBA", "La": "LA"}[mode]).convert(mode)
    if mode == "PA":
        return grey.convert("P").convert("PA")
    return (
        grey.convert("RGB").convert(mode)
        if mode in ("CMYK", "YCbCr", "HSV")
        else grey.convert(mode)
    )


MODES = [
    "1",
    "L",
    "P",
    "LA",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "La",
    "CMYK",
    "YCbCr",
    "HSV",
    "I",
    "I;16",
    "I;16B",
]


@pytest.mark.parametrize("mode", MODES)
def test_a_ramp_is_a_ramp_in_every_mode(mode):
    shown = images.flattened(of_mode(mode), "white")
    assert shown.mode == "RGB"
    error = np.abs(np.asarray(shown.convert("L")).astype(int) - RAMP)
    if mode == "1":  # dithered
        assert abs(np.asarray(shown).mean() - RAMP.mean()) < 4
    else:
        assert error.max() <= 2


@pytest.mark.parametrize("picture", [Image.new("F", (4, 4)), Image.new("I", (4, 4), -5)])
def test_numbers_without_black_and_white_are_a_sentence(picture):
    with pytest.raises(images.ImageError, match="save it as a png"):
        images.flattened(picture, "white")


def test_what_is_transparent_is_paper_in_every_mode():
    """The left half clear, the right half ink: a dark digit on paper, whatever lies under the clear part."""
    clear = np.zeros((28, 28), bool)
    clear[:, :14] = True
    alpha = Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))
    ink = Image.new("L", (28, 28), 40)
    with_alpha = ink.copy()
    with_alpha.putalpha(alpha)
    indexed = Image.fromarray(np.where(clear, 1, 0).astype(np.uint8), "P")
    indexed.putpalette([40, 40, 40, 30, 30, 30])
    grey16 = Image.fromarray(np.where(clear, 9999, 40 * 257).astype(np.uint16))
    keyed = Image.fromarray(np.where(clear, 7, 40).astype(np.uint8))
    bits = Image.fromarray(clear)
    files = {
        "LA": packed(with_alpha),
        "RGBA": packed(with_alpha.convert("RGBA")),
        "P": packed(indexed, transparency=1),
        "P with levels": packed(indexed, transparency=bytes([255, 0])),
        "L": packed(keyed, transparency=7),
        "RGB": packed(keyed.convert("RGB"), transparency=(7, 7, 7)),
        "I;16": packed(grey16, transparency=9999),
        "1": packed(bits, transparency=255),
    }
    for name, content in files.items():
        shown = images.read_digit(content, invert=True)
        assert (shown[:, :13] == 0).all(), name
        assert (shown[:, 15:] >= (255 - 40) // 16).all(), name
        colours = images.read_colours(content)
        assert (colours[:, :14] == 255).all(), name


def test_sixteen_bits_are_not_clipped():
    levels = images.read_digit(packed(of_mode("I;16")), invert=False)
    assert np.abs(levels.astype(int) - RAMP // 16).max() <= 1


def test_of_an_animation_it_is_the_first_picture():
    white, black, grey = (Image.new("L", (28, 28), level) for level in (255, 0, 128))
    plain = packed(white, save_all=True, append_images=[black, grey])
    assert images.read_digit(plain, invert=False).min() == 15
    with_cover = packed(black, save_all=True, append_images=[white, grey], default_image=True)
    assert images.read_digit(with_cover, invert=False).min() == 15


def test_a_jpg_of_four_inks_and_one_of_several_pictures_are_read():
    red = Image.new("RGB", (64, 64), (200, 30, 30))
    for content in (
        packed(red.convert("CMYK"), "JPEG"),
        packed(red, "MPO", save_all=True, append_images=[red]),
        packed(red, "JPEG", progressive=True),
    ):
        assert np.abs(images.read_colours(content).mean((0, 1)) - (200, 30, 30)).max() < 8


def test_it_stands_as_the_camera_says():
    picture = Image.new("L", (60, 40), 0)
    picture.paste(255, (0, 0, 60, 10))  # light above, which the camera turned to the right
    exif = Image.Exif()
    exif[0x112] = 6
    for form in ("PNG", "JPEG"):
        shown = images.read_colours(packed(picture, form, exif=exif)).mean(-1)
        assert shown[:, 28:].mean() > 120 > 40 > shown[:, :16].mean()


# Size ---------------------------------------------------------------------------------------------


def declared(columns, rows):
    """A png that says it has so many pixels, and holds none."""
    head = struct.pack(">2I5B", columns, rows, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize("size", [(13_000, 13_000), (5001, 5000), (2**31 - 1, 1), (65_000, 65_000)])
def test_pixels_are_counted_before_they_are_unpacked(size):
    with pytest.raises(images.ImageError, match=r"million|not a readable"):
        images.read_colours(declared(*size))


def test_a_small_file_of_many_pixels_takes_no_memory():
    content = packed(Image.new("1", (13_000, 13_000)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(images.ImageError, match="13000 × 13000 pixels; at most 25 million"):
        images.read_digit(content, invert=True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "kilobytes"


def test_a_photo_of_a_telephone_is_read():
    assert images.read_colours(packed(Image.new("RGB", (4080, 3072)), "JPEG")).shape == (32, 32, 3)


def test_a_drawing_has_an_end():
    with pytest.raises(images.ImageError, match="damaged"):
        images.drawn([[(0.5, 0.5)] * (images.MOST_POINTS + 1)])
    far = images.drawn([[(0.2, 0.2), (1e300, 0.2)]])
    assert np.array_equal(far, images.drawn([[(0.2, 0.2), (1.0, 0.2)]]))


# Damage -------------------------------------------------------------------------------------------


def seeds():
    exif = Image.Exif()
    exif[0x112] = 6
    for mode in ("1", "L", "P", "LA", "RGB", "RGBA", "I;16"):
        yield packed(of_mode(mode), exif=exif)
    for mode in ("L", "RGB", "CMYK"):
        yield packed(of_mode(mode), "JPEG", exif=exif)
    yield packed(of_mode("L"), save_all=True, append_images=[of_mode("L")], default_image=True)


def mended(content):
    """A png whose sums are right again, so that what is damaged is read."""
    out, at = bytearray(content[:8]), 8
    while at + 8 <= len(content):
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        data = content[at + 8 : at + 8 + size]
        out += content[at : at + 8] + data + struct.pack(">I", zlib.crc32(name + data))
        at += 12 + size
    return bytes(out)


@pytest.mark.filterwarnings(
    "ignore"
)  # Pillow warns of some of what it refuses or reads all the same
def test_damaged_pictures_are_read_or_refused(count=1000):
    chance, files = random.Random(0), list(seeds())
    for turn in range(count):
        content = bytearray(chance.choice(files))
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        content = bytes(content[: chance.randrange(len(content))] if turn % 9 == 0 else content)
        content = mended(content) if content[1:4] == b"PNG" and turn % 3 else content
        try:
            images.read_digit(content, invert=True) if turn % 2 else images.read_colours(content)
        except images.ImageError as error:
            assert str(error).endswith(".")
