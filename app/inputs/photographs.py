"""A photograph of one digit, made into what MNIST's digits are: the paper out, the ink scaled and centred.

Paper is grey, and lighter on one side than on the other; a pen is thin or thick, and a picture is a thousand
pixels wide. A network that learned from MNIST has seen none of it. Steps of scipy.ndimage, in this order: what
lies under the ink is estimated and taken away, the ink is told from the rest by Otsu's threshold, specks and
what runs off the picture are left out, the pen is made as wide as MNIST's, and the rest is as for drawings.
"""

from __future__ import annotations

import numpy as np

from app.inputs.images import BOX, FINE, LEVELS, PEN, SIDE, ImageError, coarse

_WORKED = 192  # pixels of the longer side at which paper and ink are told apart
_WINDOW = 0.55  # of it: the paper is looked for in squares of this part, wider than any stroke
_FAINT = 0.08  # of black to white: ink that stands out less is none
_LEAST = 40  # pixels that are of the ink for certain
_SPECK = 0.04  # of the largest piece of ink: smaller ones are dust
_PENS = (0.85 * PEN, 1.5 * PEN)  # widths, in pixels of the digit, that are left as they are


def normalised(grey: np.ndarray) -> np.ndarray:
    """Grey 0..1 (row, column), a digit on paper or light on dark, as levels 0..15 of (28, 28), light on black.

    ImageError where nothing stands out.
    """
    from scipy import ndimage

    grey = _smaller(np.asarray(grey, np.float64))
    ink = _ink(ndimage.gaussian_filter(grey, 0.7))
    contrast = _standing_out(ink)
    if contrast < _FAINT:
        raise ImageError(
            "No digit stands out in this picture; try one with a darker pen, or more light."
        )
    ink = _pieces(ink > _otsu(np.minimum(ink, contrast)))
    return _placed(_as_wide(_fitted(ink)))


def _smaller(grey: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    factor = _WORKED / max(grey.shape)
    if factor >= 1:
        return grey
    # Averages first: a pen of three pixels must not fall between those that are kept.
    return ndimage.zoom(ndimage.uniform_filter(grey, round(1 / factor)), factor, order=1)


def _ink(grey: np.ndarray) -> np.ndarray:
    """How far each pixel is from the paper around it, 0 or more; the paper is what most of the picture is."""
    from scipy import ndimage

    # At an eighth of the size, where a window that is wider than a stroke costs nothing.
    step = max(1, max(grey.shape) // 24)
    small = ndimage.uniform_filter(grey, step)[::step, ::step]
    size = max(3, round(_WINDOW * max(small.shape)))
    sides = []
    for rank in (80, 20):
        paper = ndimage.percentile_filter(small, rank, size, mode="nearest")
        paper = ndimage.gaussian_filter(paper, size / 6, mode="nearest")
        factors = [whole / part for whole, part in zip(grey.shape, paper.shape)]
        paper = ndimage.zoom(paper, factors, order=1)
        sides.append(np.maximum(paper - grey if rank > 50 else grey - paper, 0))
    dark, light = sides
    # The digit is the smaller part of the picture and stands out most: on which side is it?
    return dark if _standing_out(dark) >= _standing_out(light) else light


def _standing_out(ink: np.ndarray) -> float:
    """How far the ink stands out: of a thin and small 1 there are no more pixels than these."""
    return float(np.sort(ink, axis=None)[-min(_LEAST, ink.size)])


def _otsu(values: np.ndarray) -> float:
    """The threshold between two groups that leaves the least variance within them (Otsu 1979)."""
    counts, edges = np.histogram(values, 128)
    middle = (edges[:-1] + edges[1:]) / 2
    below = counts.cumsum()
    above = below[-1] - below
    total = (counts * middle).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (total / below - (total[-1] - total) / above) ** 2
    return float(edges[1:][np.nanargmax(between)])


def _pieces(ink: np.ndarray) -> np.ndarray:
    """The ink without dust, and without what runs off the picture where something does not."""
    from scipy import ndimage

    labels, count = ndimage.label(ink, np.ones((3, 3)))
    if not count:
        raise ImageError(
            "No digit stands out in this picture; try one with a darker pen, or more light."
        )
    sizes = ndimage.sum_labels(ink, labels, range(count + 1))  # of 0, which is no piece: none
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = np.setdiff1d(np.flatnonzero(sizes), edge)
    if len(inside) and sizes[inside].max() > _SPECK * sizes.max():
        sizes[edge] = 0
    return np.isin(labels, np.flatnonzero(sizes > _SPECK * sizes.max()))


def _fitted(ink: np.ndarray) -> np.ndarray:
    """The part with ink, its longer side as long as MNIST's box, on finer pixels."""
    from scipy import ndimage

    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    part = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)
    fine = np.pad(
        ndimage.zoom(part, BOX * FINE / max(part.shape), order=1, grid_mode=True, mode="nearest"),
        FINE,
    )
    return ndimage.gaussian_filter(fine, FINE / 4) > 0.5


def _as_wide(ink: np.ndarray) -> np.ndarray:
    """The ink with strokes about as wide as those of MNIST, fitted into its box again."""
    from scipy import ndimage

    inside = ndimage.distance_transform_edt(ink)
    # A stroke of width w has distances that run evenly from 0 to w / 2: their mean is w / 4.
    width = 4 * float(inside[ink].mean()) / FINE
    if _PENS[0] <= width <= _PENS[1]:
        return ink
    thicker = (PEN - width) / 2 * FINE
    if thicker > 0:
        room = np.pad(ink, int(np.ceil(thicker)) + 1)
        return _fitted(ndimage.distance_transform_edt(~room) <= thicker)
    thinner = (
        inside > -thicker * 0.8
    )  # a little less than all: no stroke is to break where it is narrow
    return _fitted(thinner) if thinner.sum() > 0.1 * ink.sum() else ink


def _placed(ink: np.ndarray) -> np.ndarray:
    """Centred by mass in the square of a digit, as grey levels."""
    from scipy import ndimage

    whole = np.zeros((SIDE * FINE, SIDE * FINE))
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    part = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    part = part[: whole.shape[0], : whole.shape[1]]
    at = np.array(whole.shape) / 2 - ndimage.center_of_mass(part)
    low = np.clip(np.rint(at).astype(int), 0, np.array(whole.shape) - part.shape)
    whole[low[0] : low[0] + part.shape[0], low[1] : low[1] + part.shape[1]] = part
    return (coarse(whole) * (LEVELS - 1) + 0.5).astype(np.uint8)
