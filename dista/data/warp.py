"""Augmentation: small random deformations, drawn and applied for a whole batch at once.

They are drawn on the CPU, from the generator of the batch, and applied where the batch is: a GPU sees the
same ones.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange


@dataclass(frozen=True)
class Warp:
    """A random affine map plus a smooth elastic field for every image of a batch [ours].

    Uniform in the given range: `rotation` in degrees either way, `scale` as least and largest
    factor, `shear` as a tangent either way, `translation` in pixels either way. `elastic` is the
    standard deviation in pixels of the displacements at `knots` x `knots` points, between which
    the field is interpolated bicubically.
    """

    rotation: float = 12.0
    scale: tuple[float, float] = (0.85, 1.15)
    shear: float = 0.1
    translation: float = 2.5
    elastic: float = 0.8
    knots: int = 5

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Deformed images: float32 (batch, channel, row, column), as given."""
        grid = self.grid(len(images), images.shape[-2:], generator).to(images.device)
        return F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)

    def grid(self, batch: int, size: Sequence[int], generator: torch.Generator) -> torch.Tensor:
        """Where every output pixel looks: (batch, row, column, 2), x before y, image in -1..1.

        ``size`` is (rows, columns).
        """
        rows, columns = size
        affine = self._affine(batch, rows, columns, generator)
        knots = torch.randn(batch, 2, self.knots**2, generator=generator)
        reach = torch.tensor([2 * self.elastic / columns, 2 * self.elastic / rows])
        weights = torch.cat([affine, knots * reach[:, None]], dim=2)
        looked = weights @ _fields(self.knots, rows, columns)
        return rearrange(looked, "b xy (row column) -> b row column xy", row=rows)

    def _affine(
        self, batch: int, rows: int, columns: int, generator: torch.Generator
    ) -> torch.Tensor:
        def uniform(low: float, high: float) -> torch.Tensor:
            return torch.empty(batch).uniform_(low, high, generator=generator)

        angle = uniform(-self.rotation, self.rotation) * math.pi / 180
        zoom = uniform(*self.scale)
        shear = uniform(-self.shear, self.shear)
        across, down = 2 * self.translation / columns, 2 * self.translation / rows
        cos, sin = angle.cos() / zoom, angle.sin() / zoom
        # Rotation and scale after a shear along x; the map goes from output to input. Both axes run from -1
        # to 1, so that what one gives to the other has to be scaled by their lengths.
        tall = rows / columns
        first = torch.stack([cos, (cos * shear - sin) * tall, uniform(-across, across)], dim=1)
        second = torch.stack([sin / tall, sin * shear + cos, uniform(-down, down)], dim=1)
        return torch.stack([first, second], dim=1)


@functools.cache
def _fields(knots: int, rows: int, columns: int) -> torch.Tensor:
    """The fields every grid is a weighted sum of: x, y, 1 and one bump per knot, (field, pixel).

    One product with these makes the grids of a batch, affine and elastic part together.
    """
    identity = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
    x, y = F.affine_grid(identity, (1, 1, rows, columns), align_corners=False)[0].unbind(-1)
    bumps = F.interpolate(
        torch.eye(knots**2).view(1, -1, knots, knots),
        size=(rows, columns),
        mode="bicubic",
        align_corners=True,
    )[0]
    return torch.cat([torch.stack([x, y, torch.ones_like(x)]), bumps]).flatten(1)


@dataclass(frozen=True)
class EventWarp:
    """The same deformations for frames of event counts, and pixels that fall silent [ours].

    Counts are moved whole, to the nearest pixel, so they stay counts. `silent` is the largest
    share of pixels that loses all events; the share is uniform between 0 and that.
    """

    warp: Warp = Warp(translation=3.0)
    silent: float = 0.1

    def __call__(self, frames: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Deformed counts: (batch, time, channel, row, column) of any type, as given."""
        batch, (rows, columns) = len(frames), frames.shape[-2:]
        half = torch.tensor([columns / 2, rows / 2])
        looked = self.warp.grid(batch, (rows, columns), generator).add(1).mul(half).floor().long()
        x, y = looked.unbind(-1)
        share = torch.rand(batch, 1, 1, generator=generator) * self.silent
        mask = torch.rand(batch, rows, columns, generator=generator) >= share
        mask &= (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
        source = (y.clamp(0, rows - 1) * columns + x.clamp(0, columns - 1)).flatten(1)
        source = source.to(frames.device)
        flat = rearrange(frames, "b time channel row column -> b (time channel) (row column)")
        moved = flat.gather(2, source[:, None].expand_as(flat)).view_as(frames)
        return moved * mask[:, None, None].to(frames.device)


@dataclass(frozen=True)
class CropFlip:
    """A random crop of every padded image, and a random mirroring: what CIFAR is trained with.

    `padding` is the number of black pixels around the image, `flip` the probability of mirroring
    [related: Spikformer; the usual ones].
    """

    padding: int = 4
    flip: float = 0.5

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Cropped images of the same size: (batch, channel, row, column) of any type, as given."""
        batch, _, height, width = images.shape
        shift = torch.randint(2 * self.padding + 1, (2, batch, 1), generator=generator)
        mirrored = torch.rand(batch, 1, generator=generator) < self.flip
        columns = torch.where(mirrored, torch.arange(width).flip(0), torch.arange(width))
        rows, columns = torch.arange(height) + shift[0], columns + shift[1]
        which = torch.arange(batch)[:, None, None]
        which, rows, columns = (place.to(images.device) for place in (which, rows, columns))
        padded = F.pad(images, [self.padding] * 4)
        picked = padded[which, :, rows[:, :, None], columns[:, None, :]]
        return rearrange(picked, "b row column channel -> b channel row column").contiguous()
