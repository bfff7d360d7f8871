"""N-MNIST's three saccades: how a still digit is made to move before an event camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Saccades:
    """Three straight sweeps along a triangle, back to the start [related: Orchard et al. 2015].

    There the camera is turned in front of a screen; here the picture moves instead. `saccade_us`
    is the duration of one saccade in microseconds, `width` and `height` are the base and the
    height of the triangle in pixels, `sensor` the side of the square sensor in pixels, `step_us`
    the time between two pictures. Speed rises and falls within a saccade like 1 - cos, which is
    the bell that event rates of such recordings show [ours]. `down` is how far below the middle of the sensor
    the picture lies, in pixels.
    """

    saccade_us: float = 105_000.0
    width: float = 7.0
    height: float = 7.0
    sensor: int = 34
    step_us: float = 2_500.0
    down: float = field(default=0.0, repr=False)

    @property
    def duration_us(self) -> float:
        """Length of a recording in microseconds."""
        return 3 * self.saccade_us

    def times_us(self) -> np.ndarray:
        """When the pictures are taken: from 0 to the end of the third saccade."""
        return np.linspace(0, self.duration_us, round(self.duration_us / self.step_us) + 1)

    def path(self, times_us: np.ndarray) -> np.ndarray:
        """Displacement of the picture (time, 2) in pixels, x before y, centred on the sensor."""
        corners = np.array([[-1, -1], [0, 1], [1, -1], [-1, -1]]) / 2
        corners = corners * np.array([self.width, self.height])
        progress = np.clip(np.asarray(times_us) / self.saccade_us, 0, 3)
        leg = np.minimum(progress.astype(int), 2)
        part = progress - leg
        eased = part - np.sin(2 * np.pi * part) / (2 * np.pi)
        return corners[leg] + eased[:, None] * (corners[leg + 1] - corners[leg])

    def pictures(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """Luminance (image, row, column) on the sensor at each of `times_us`.

        `images` (image, row, column) in 0..1 on black; ValueError if larger than the sensor.
        """
        rows, columns = images.shape[1:]
        if max(rows, columns) > self.sensor:
            raise ValueError(
                f"images of {rows}x{columns} pixels: expected at most {self.sensor}x{self.sensor}"
            )
        margin = int(np.ceil(max(self.width, self.height) / 2 + abs(self.down))) + 1
        top, left = (self.sensor - rows) // 2, (self.sensor - columns) // 2
        side = self.sensor + 2 * margin
        canvas = np.zeros((len(images), side, side), np.float32)
        canvas[:, margin + top :, margin + left :][:, :rows, :columns] = images
        for x, y in self.path(self.times_us()):
            yield _shifted(canvas, margin - x, margin - y - self.down, self.sensor)


def _shifted(canvas: np.ndarray, x: float, y: float, side: int) -> np.ndarray:
    """A window of the canvas whose corner lies between pixels: bilinear, all images alike."""
    left, top = int(np.floor(x)), int(np.floor(y))
    across, down = np.float32(x - left), np.float32(y - top)
    rows = canvas[:, top : top + side + 1, left : left + side + 1]
    mixed = rows[:, :-1] * (1 - down) + rows[:, 1:] * down
    return mixed[:, :, :-1] * (1 - across) + mixed[:, :, 1:] * across
