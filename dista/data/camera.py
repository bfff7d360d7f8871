"""A simulated event camera: from brightness that changes over time to events.

The pixel is that of the dynamic vision sensor (Lichtsteiner et al. 2008) [related]: it remembers
the log brightness of its last event and fires again once brightness has moved a threshold away
from it. Interpolating linearly between the pictures of a video follows ESIM (Rebecq et al. 2018),
threshold mismatch and noise events follow v2e (Hu et al. 2021) [related].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

# The fields and types that tonic's transforms take; p = 1 is ON (brighter), p = 0 is OFF.
EVENT_TYPE = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])


@dataclass(frozen=True)
class Camera:
    """The sensor. Thresholds are in log brightness: 0.3 fires at a change of about a third.

    `on_threshold`, `off_threshold`: how far up or down brightness moves for an event.
    `mismatch`: standard deviation of the thresholds between pixels, relative to the threshold.
    `refractory_us`: rest after an event, in microseconds; changes in it go unnoticed.
    `noise_hz`: events per pixel and second that nothing in the scene has caused, either sign. Of those, the ones
    with another event of their pixel less than `refractory_us` away are left out, which costs most where pixels
    are hot.
    `noise_spread`: how uneven that is: standard deviation of the logarithm of a pixel's own rate. At 0 all
    pixels are alike; real sensors have hot ones.
    `dark_level`: brightness of black, when white is 1; bounds the contrast.
    `seed`: which sensor this is (its mismatch) and which noise it makes.
    """

    on_threshold: float = 0.3
    off_threshold: float = 0.3
    mismatch: float = 0.03
    refractory_us: float = 2000.0
    noise_hz: float = 0.2
    dark_level: float = 0.1
    seed: int = 0
    noise_spread: float = field(default=0.0, repr=False)  # caches go by what is shown of both

    def __post_init__(self) -> None:
        for name in ("on_threshold", "off_threshold", "dark_level"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number above 0")
        for name in ("mismatch", "refractory_us", "noise_hz", "noise_spread", "seed"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)}: expected 0 or more")

    def log_brightness(self, luminance: np.ndarray) -> np.ndarray:
        """What a pixel measures: ln of luminance 0..1 raised by the dark level; float32."""
        lifted = self.dark_level + (1 - self.dark_level) * np.asarray(luminance, np.float32)
        return np.log(lifted, dtype=np.float32)

    def thresholds(self, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """ON and OFF thresholds (row, column) of every pixel, none below a fifth of the mean."""
        random = np.random.default_rng([self.seed, 0])
        spread = 1 + self.mismatch * random.standard_normal((2, *shape)).astype(np.float32)
        spread = np.maximum(spread, 0.2)
        return self.on_threshold * spread[0], self.off_threshold * spread[1]

    def noise_shares(self, pixels: int) -> np.ndarray:
        """Which share of the noise each of so many pixels makes; log-normal [ours]."""
        weight = np.exp(
            self.noise_spread * np.random.default_rng([self.seed, 2]).standard_normal(pixels)
        )
        return weight / weight.sum()


@dataclass
class _Pixels:
    """The state of all pixels during a simulation, flat over (scene, row, column)."""

    reference: np.ndarray  # log brightness at the last event; NaN (compares false) while resting
    resume: np.ndarray  # when the pixel wakes, in microseconds
    resting: np.ndarray  # indices of the pixels at rest
    on: np.ndarray
    off: np.ndarray
    refractory: float


def film(
    camera: Camera, times_us: np.ndarray, pictures: Iterable[np.ndarray], first: int = 0
) -> list[np.ndarray]:
    """Film moving scenes: the events of each scene, sorted by time, as arrays of EVENT_TYPE.

    `pictures` gives the luminance (scene, row, column) in 0..1 at each of the rising `times_us`.
    Log brightness runs straight between two pictures, so events fall between them at the
    microsecond where the line crosses the threshold: with reference r and threshold theta, at
    ln L(t) = r + theta (ON) or r - theta (OFF) [related: ESIM]; then r becomes ln L at the end
    of the refractory time. `first` numbers the first scene, so that filming scenes in portions
    gives every scene the noise it would have had. ValueError for times that do not rise.
    """
    times = np.asarray(times_us, np.float64)
    if len(times) < 2 or not (np.diff(times) > 0).all():
        raise ValueError(f"times_us={times_us!r}: expected at least two rising times")
    moving = iter(pictures)
    before = camera.log_brightness(next(moving))
    scenes, *shape = before.shape
    on, off = (np.tile(theta.ravel(), scenes) for theta in camera.thresholds(tuple(shape)))
    before = before.ravel()
    nothing = np.zeros(0, np.int64)
    pixels = _Pixels(before.copy(), np.zeros(len(before)), nothing, on, off, camera.refractory_us)
    fired = []
    for start, end, picture in zip(times[:-1], times[1:], moving, strict=True):
        after = camera.log_brightness(picture).ravel()
        fired += _step(pixels, before, after, start, end)
        before = after
    fired.append((nothing, np.zeros(0), nothing))  # a still scene fires nothing at all
    where, when, up = (np.concatenate(part) for part in zip(*fired, strict=True))
    return _by_scene(camera, where, when, up, scenes, tuple(shape), times[[0, -1]], first)


def _step(
    pixels: _Pixels, before: np.ndarray, after: np.ndarray, start: float, end: float
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Events between two pictures: (pixel, time, 1 for ON), in as many rounds as pixels fire."""
    span = end - start

    def level(at: np.ndarray, time: np.ndarray) -> np.ndarray:
        return before[at] + (after[at] - before[at]) * ((time - start) / span)

    awake = pixels.resume[pixels.resting] < end
    woken, pixels.resting = pixels.resting[awake], pixels.resting[~awake]
    pixels.reference[woken] = level(woken, pixels.resume[woken])
    change = after - pixels.reference
    active = np.flatnonzero((change >= pixels.on) | (change <= -pixels.off))
    fired = []
    while len(active):
        up = after[active] > pixels.reference[active]
        theta = np.where(up, pixels.on[active], -pixels.off[active])
        target = pixels.reference[active] + theta
        slope = after[active] - before[active]
        when = start + span * np.clip((target - before[active]) / slope, 0, 1)
        fired.append((active, when, up.astype(np.int64)))
        active = _rest(pixels, active, when, target, level, end)
        change = after[active] - pixels.reference[active]
        active = active[(change >= pixels.on[active]) | (change <= -pixels.off[active])]
    return fired


def _rest(pixels: _Pixels, active, when, target, level, end: float) -> np.ndarray:
    """Put pixels that fired to rest; returns those that wake again before the step ends."""
    if not pixels.refractory:
        pixels.reference[active] = target
        return active
    resume = when + pixels.refractory
    pixels.resume[active] = resume
    short = resume < end
    again, still = active[short], active[~short]
    pixels.reference[again] = level(again, resume[short])
    pixels.reference[still] = np.nan
    pixels.resting = np.concatenate([pixels.resting, still])
    return again


def _by_scene(camera, where, when, up, scenes, shape, limits, first) -> list[np.ndarray]:
    """Sort events into scenes, add each scene's noise, order by time."""
    size = shape[0] * shape[1]
    order = np.argsort(where // size, kind="stable")
    where, when, up = where[order], when[order], up[order]
    bounds = np.searchsorted(where // size, np.arange(1, scenes))
    parts = zip(*(np.split(part, bounds) for part in (where % size, when, up)), strict=True)
    return [
        _with_noise(camera, *part, shape, limits, first + scene) for scene, part in enumerate(parts)
    ]


def _with_noise(camera: Camera, where, when, up, shape, limits, scene: int) -> np.ndarray:
    """The events of one scene with background noise: a Poisson process in every pixel."""
    random = np.random.default_rng([camera.seed, 1, scene])
    start, end = limits
    size = shape[0] * shape[1]
    count = random.poisson(camera.noise_hz * size * (end - start) * 1e-6)
    if camera.noise_spread:
        noisy = random.choice(size, size=count, p=camera.noise_shares(size))
    else:
        noisy = random.integers(size, size=count)
    where = np.concatenate([where, noisy])
    when = np.concatenate([when, random.uniform(start, end, size=count)]).astype(np.int64)
    up = np.concatenate([up, random.integers(2, size=count)])
    noise = np.arange(len(where)) >= len(where) - count
    keep = ~(noise & _crowded(where, when, camera.refractory_us)) & (when < end)
    where, when, up = where[keep], when[keep], up[keep]
    order = np.lexsort((where, when))
    events = np.empty(len(order), EVENT_TYPE)
    events["x"], events["y"] = where[order] % shape[1], where[order] // shape[1]
    events["t"], events["p"] = when[order], up[order]
    return events


def _crowded(where: np.ndarray, when: np.ndarray, refractory_us: float) -> np.ndarray:
    """Which events have another of the same pixel within the refractory time: noise rests too."""
    order = np.lexsort((when, where))
    close = (np.diff(where[order]) == 0) & (np.diff(when[order]) < refractory_us)
    crowded = np.zeros(len(where), bool)
    crowded[order[1:][close]] = True
    crowded[order[:-1][close]] = True
    return crowded
