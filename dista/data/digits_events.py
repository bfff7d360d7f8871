"""`digits-events`: the digits as an event camera sees them during three saccades."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange

from dista.data import framing
from dista.data.cache import cached_arrays
from dista.data.camera import EVENT_TYPE, Camera, film
from dista.data.digits import CLASSES, load_digits, split_indices
from dista.data.saccades import Saccades
from dista.data.task import Split, Task
from dista.data.warp import EventWarp

CAMERA = Camera()
SACCADES = Saccades()
CAMERAS = {
    "plain": (CAMERA, SACCADES),
    "nmnist": (
        Camera(refractory_us=1000, noise_hz=0.7, noise_spread=1.2),
        Saccades(width=5.8, height=5.3, down=1.2),
    ),
}
"""Sensors and motions by name: the first one, and one with what was measured of recordings of N-MNIST."""
_PORTION = 100  # digits simulated at once: a portion's arrays should stay in the processor's cache


def digits_events(*, time_steps: int = 8, camera: str = "plain") -> Task:
    """The digits as event frames (time, 2, 34, 34): counts of OFF (0) and ON (1) events.

    The motion is that of N-MNIST (Orchard et al. 2015) [related], filmed by the simulated camera
    of this package. A recording of 315 ms is cut into `time_steps` bins of equal length. The first
    call simulates all digits, which takes some ten seconds and leaves about 90 MB in the user's
    cache folder. `camera` is one of CAMERAS: `nmnist` has narrower saccades, a lower picture, a shorter rest and
    hot pixels, as recordings of N-MNIST do; the shipped networks were trained with `plain`. ValueError for
    another one, or unless `time_steps` is an integer from 1 to 315.
    """
    if camera not in CAMERAS:
        raise ValueError(f"camera={camera!r}: expected one of {', '.join(CAMERAS)}")
    if type(time_steps) is not int or not 1 <= time_steps <= 315:
        raise ValueError(f"time_steps={time_steps!r}: expected an integer from 1 to 315")
    _, labels = load_digits()
    recordings = load_recordings(camera)
    splits = {
        name: EventSplit(
            name=name,
            inputs=torch.from_numpy(recordings.frames(indices, time_steps)),
            labels=labels[indices],
            unit=1.0,
            augmentation=EventWarp() if name == "train" else None,
            recordings=recordings,
            digits=indices,
        )
        for name, indices in split_indices(labels).items()
    }
    side = SACCADES.sensor
    return Task(
        name="digits-events",
        classes=CLASSES,
        input_shape=(2, side, side),
        time_steps=time_steps,
        step_labels=None,
        description="The digits as events of a simulated camera that makes three saccades.",
        **splits,
    )


@dataclass(frozen=True, eq=False)
class Recordings:
    """The events of many digits, four bytes each: time, row, column, polarity from high to low.

    Digit i owns `packed[bounds[i] : bounds[i + 1]]`, ordered by time.
    """

    packed: np.ndarray
    bounds: np.ndarray

    def events(self, digit: int) -> np.ndarray:
        """The events of one digit as an array with fields x, y, t (microseconds), p (1 is ON)."""
        packed = self.packed[self.bounds[digit] : self.bounds[digit + 1]].astype(np.int64)
        events = np.empty(len(packed), EVENT_TYPE)
        events["t"], events["y"] = packed >> 13, packed >> 7 & 63
        events["x"], events["p"] = packed >> 1 & 63, packed & 1
        return events

    def frames(self, digits: np.ndarray, time_steps: int) -> np.ndarray:
        """Counts per bin of equal length: uint8 (digit, time, channel, row, column)."""
        side = SACCADES.sensor
        form = (time_steps, (side, side), int(SACCADES.duration_us))
        frames = np.empty((len(digits), time_steps, 2, side, side), np.uint8)
        for frame, digit in zip(frames, digits, strict=True):
            frame[...] = framing.frames(self.events(digit), *form)
        return frames


@dataclass(frozen=True, eq=False, kw_only=True)
class EventSplit(Split):
    """Frames of events, with the events behind them. `digits` numbers the split's recordings."""

    recordings: Recordings
    digits: np.ndarray

    def events(self, index: int) -> np.ndarray:
        """The raw events of a sample, ordered by time, as tonic's transforms take them.

        A structured array with integer fields x, y (pixels), t (microseconds) and p (1 ON, 0 OFF).
        `tonic.transforms.ToFrame((34, 34, 2), time_window=315_000 / time_steps, start_time=0,
        end_time=315_000)` turns it into the frames of `sample`. IndexError outside 0 .. len - 1.
        """
        return self.recordings.events(self.digits[int(self._checked([index])[0])])

    def _collate(self, indices: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        counts = self.inputs[indices.to(self.inputs.device)]
        if generator is not None:
            counts = self.augmentation(counts, generator)  # moves bytes, a quarter of the floats
        return rearrange(counts, "batch time ... -> time batch ...").float()


@functools.cache
def load_recordings(camera: str = "plain") -> Recordings:
    """The recordings of all digits, in the order of `load_digits`; simulated at the first call."""
    images, _ = load_digits()
    sensor, saccades = CAMERAS[camera]
    later = "" if camera == "plain" else f" {sensor.noise_spread} {saccades.down}"
    key = hashlib.sha256((repr((sensor, saccades)) + later).encode()).hexdigest()[:8]
    arrays = cached_arrays(f"digits-events-1-{key}", lambda: _simulate(images, sensor, saccades))
    return Recordings(arrays["packed"], arrays["bounds"])


def _simulate(images: np.ndarray, camera: Camera, saccades: Saccades) -> dict[str, np.ndarray]:
    recordings = record_digits(images, camera, saccades)
    packed = [
        (events["t"] << 13 | events["y"] << 7 | events["x"] << 1 | events["p"]).astype(np.uint32)
        for events in recordings
    ]
    bounds = np.cumsum([0, *map(len, packed)])
    return {"packed": np.concatenate(packed), "bounds": bounds}


def record_digits(
    images: np.ndarray, camera: Camera = CAMERA, saccades: Saccades = SACCADES
) -> list[np.ndarray]:
    """Film uint8 images (image, row, column) during three saccades: the events of each image."""
    recordings = []
    for first in range(0, len(images), _PORTION):
        portion = images[first : first + _PORTION].astype(np.float32) / 255
        pictures = saccades.pictures(portion)
        recordings += film(camera, saccades.times_us(), pictures, first)
    return recordings
