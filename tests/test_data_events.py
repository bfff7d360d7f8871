"""The simulated event camera, the saccades, and the event task made with them."""

import os
from pathlib import Path

import numpy as np
import pytest

import dista.data
from dista.data.camera import EVENT_TYPE, Camera, film
from dista.data.digits import load_digits
from dista.data.digits_events import CAMERAS, record_digits
from dista.data.event_readers import read_events
from dista.data.saccades import Saccades
from dista.measures import MeasureError, event_statistics

QUIET = {"mismatch": 0.0, "noise_hz": 0.0}
TIMES = np.linspace(0, 100_000, 41)


def ramp(first, last, scenes=2, shape=(3, 5)):
    """Every pixel of every scene goes straight from one luminance to another."""
    return [np.full((scenes, *shape), value) for value in np.linspace(first, last, len(TIMES))]


def events_of(camera, pictures, times=TIMES):
    return np.concatenate(film(camera, times, pictures))


@pytest.mark.parametrize(("first", "last", "sign"), [(0, 1, 1), (1, 0, 0)])
def test_brightening_gives_on_events_and_darkening_off_events(first, last, sign):
    camera = Camera(**QUIET, refractory_us=0)
    recordings = film(camera, TIMES, ramp(first, last))
    for events in recordings:
        assert (events["p"] == sign).all()
        # ln(1 / 0.1) = 2.303 holds seven thresholds of 0.3.
        assert len(events) == 7 * 15
        assert (np.diff(events["t"]) >= 0).all()
        assert set(zip(events["y"], events["x"], strict=True)) == set(np.ndindex(3, 5))


def test_events_fall_where_the_line_crosses_the_threshold():
    camera = Camera(**QUIET, refractory_us=0, on_threshold=0.5)
    dark, bright = np.zeros((1, 1, 1)), np.ones((1, 1, 1))
    events = events_of(camera, [dark, bright], [1000, 24_026])
    rise = np.log(1 / camera.dark_level)
    expected = [1000 + 23_026 * 0.5 * k / rise for k in (1, 2, 3, 4)]
    assert np.abs(events["t"] - expected).max() <= 1


def test_reference_moves_to_the_end_of_the_refractory_time():
    # Log brightness rises by 2.303 in 23,026 us, a threshold of 0.5 takes 5,000 us; then 3,000 us
    # of rest go unnoticed, so events come every 8,000 us.
    camera = Camera(**QUIET, refractory_us=3000, on_threshold=0.5)
    level = np.linspace(np.log(camera.dark_level), 0, 24)
    pictures = [(np.exp(v).reshape(1, 1, 1) - 0.1) / 0.9 for v in level]
    events = events_of(camera, pictures, np.linspace(0, 23_026, 24))
    assert np.abs(events["t"] - [5000, 13_000, 21_000]).max() <= 2
    whole = events_of(camera, [pictures[0], pictures[-1]], [0, 23_026])
    assert np.abs(whole["t"] - events["t"]).max() <= 2


def test_without_motion_there_is_only_noise():
    still = ramp(0.4, 0.4, scenes=3, shape=(20, 30))
    assert len(events_of(Camera(**QUIET), still)) == 0
    noisy = film(Camera(mismatch=0, noise_hz=10), TIMES, still)
    assert [len(events) for events in noisy] == pytest.approx([600] * 3, abs=100)
    assert np.concatenate(noisy)["p"].mean() == pytest.approx(0.5, abs=0.07)
    assert not np.array_equal(noisy[0], noisy[1])


@pytest.mark.parametrize("refractory", [500, 5000])
def test_no_pixel_fires_within_the_refractory_time(refractory):
    camera = Camera(refractory_us=refractory, noise_hz=20)
    flicker = [picture for _ in range(4) for picture in (*ramp(0, 1), *ramp(1, 0))]
    events = film(camera, np.arange(len(flicker)) * 700.0, flicker)[0]
    pixel = events["y"] * 5 + events["x"]
    order = np.lexsort((events["t"], pixel))
    gaps = np.diff(events["t"][order])[np.diff(pixel[order]) == 0]
    assert len(gaps) > 100 and gaps.min() >= refractory


@pytest.mark.parametrize(("threshold", "sign"), [("on_threshold", 1), ("off_threshold", 0)])
def test_each_threshold_governs_its_own_sign(threshold, sign):
    pictures = ramp(0, 1) + ramp(1, 0)
    times = np.linspace(0, 200_000, len(pictures))
    counts = {}
    for value in (0.2, 0.4, 0.8):
        camera = Camera(**QUIET, **{threshold: value})
        counts[value] = np.bincount(events_of(camera, pictures, times)["p"], minlength=2)
    assert counts[0.2][sign] > counts[0.4][sign] > counts[0.8][sign] > 0
    # The other sign's threshold stayed; the turning point may shift it by one event a pixel.
    assert abs(counts[0.2][1 - sign] - counts[0.8][1 - sign]) <= 30


def test_mismatch_spreads_the_pixels_and_belongs_to_the_sensor():
    even = film(Camera(**QUIET), TIMES, ramp(0, 1))[0]
    assert len(np.unique(even["t"])) == len(even) / 15
    uneven = Camera(mismatch=0.1, noise_hz=0)
    first, second = film(uneven, TIMES, ramp(0, 1))
    assert len(np.unique(first["t"])) > len(even) / 15
    assert np.array_equal(first, second)
    other = film(Camera(mismatch=0.1, noise_hz=0, seed=1), TIMES, ramp(0, 1))[0]
    assert not np.array_equal(first, other)


def test_dark_level_bounds_the_contrast():
    counts = [
        len(events_of(Camera(**QUIET, dark_level=dark, refractory_us=0), ramp(0, 1)))
        for dark in (0.02, 0.1, 0.5)
    ]
    assert counts == [2 * 15 * int(np.log(1 / dark) / 0.3) for dark in (0.02, 0.1, 0.5)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_threshold": 0}, "on_threshold=0: expected a number above 0"),
        ({"off_threshold": float("nan")}, "off_threshold=nan: expected a number above 0"),
        ({"refractory_us": -1}, "refractory_us=-1: expected 0 or more"),
        ({"noise_hz": -0.5}, "noise_hz=-0.5: expected 0 or more"),
    ],
)
def test_a_camera_explains_what_it_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        Camera(**options)


def test_times_have_to_rise():
    with pytest.raises(ValueError, match="expected at least two rising times"):
        film(Camera(), [0, 5, 5], ramp(0, 1)[:3])


def test_saccades_run_round_the_triangle():
    saccades = Saccades()
    corners = saccades.path(np.arange(4) * saccades.saccade_us)
    assert corners.tolist() == [[-3.5, -3.5], [0, 3.5], [3.5, -3.5], [-3.5, -3.5]]
    speed = np.linalg.norm(np.diff(saccades.path(saccades.times_us()), axis=0), axis=1)
    assert speed[[0, 41, 42, 83, 84, -1]].max() < 0.01 * speed.max()


def test_pictures_move_the_image_along_the_path():
    spot = np.zeros((1, 28, 28))
    spot[0, 14, 14] = 1
    saccades = Saccades()
    axis = np.arange(34)
    for picture, (x, y) in zip(
        saccades.pictures(spot), saccades.path(saccades.times_us()), strict=True
    ):
        assert picture.shape == (1, 34, 34) and picture.sum() == pytest.approx(1, abs=1e-5)
        assert picture[0].sum(0) @ axis == pytest.approx(17 + x, abs=1e-4)
        assert picture[0].sum(1) @ axis == pytest.approx(17 + y, abs=1e-4)
    with pytest.raises(ValueError, match="images of 40x28 pixels: expected at most 34x34"):
        next(saccades.pictures(np.zeros((1, 40, 28))))


@pytest.fixture(scope="module")
def task():
    return dista.data.open("digits-events")


def test_recordings_look_like_saccades(task):
    recordings = [task.test.events(index) for index in range(50)]
    assert 3000 < np.mean([len(events) for events in recordings]) < 6000
    for events in recordings:
        assert 0.45 < events["p"].mean() < 0.57
        assert events["t"].min() >= 0 and 300_000 < events["t"].max() < 315_000
        assert (np.diff(events["t"]) >= 0).all()
    # Three bursts with pauses between them, where the motion turns.
    rate, _ = np.histogram(np.concatenate(recordings)["t"], bins=21, range=(0, 315_000))
    assert rate[[3, 10, 17]].min() > 5 * rate[[0, 6, 7, 13, 14, 20]].max()


@pytest.mark.parametrize("time_steps", [8, 5])
def test_tonic_makes_the_same_frames_from_the_events(time_steps):
    from tonic.transforms import ToFrame

    task = dista.data.open("digits-events", time_steps=time_steps)
    assert task.time_steps == time_steps
    to_frame = ToFrame(
        (34, 34, 2), time_window=315_000 / time_steps, start_time=0, end_time=315_000
    )
    for split in (task.train, task.validation, task.test):
        for index in (0, 7, len(split) - 1):
            frames, _ = split.sample(index)
            assert np.array_equal(to_frame(split.events(index)), frames.numpy())


def test_events_belong_to_the_digit_of_the_split(task):
    images, _ = load_digits()
    digit = task.validation.digits[13]
    alone = record_digits(images[digit : digit + 1], Camera(noise_hz=0))[0]
    signal = task.validation.events(13)
    assert np.isin(_address(alone), _address(signal)).mean() > 0.99
    assert len(alone) < len(signal) < 1.1 * len(alone)
    other = task.validation.events(14)
    assert np.isin(_address(alone), _address(other)).mean() < 0.1


def _address(events):
    return ((events["t"] * 34 + events["y"]) * 34 + events["x"]) * 2 + events["p"]


def test_portions_do_not_change_a_recording():
    images, _ = load_digits()
    # Scene 101 is the second of the second portion; its noise has to be its own.
    portioned = record_digits(images[:102])
    saccades = Saccades()
    pictures = saccades.pictures(images[101:102] / np.float32(255))
    alone = film(Camera(), saccades.times_us(), pictures, first=101)[0]
    assert np.isin(_address(alone), _address(portioned[101])).mean() > 0.99
    assert len(alone) == pytest.approx(len(portioned[101]), abs=10)


def test_an_event_index_outside_names_the_valid_range(task):
    with pytest.raises(IndexError, match="sample 1000 is not in the test split"):
        task.test.events(1000)


def test_augmented_counts_lose_pixels_and_keep_their_place(task):
    plain, _ = next(iter(task.train.batches(64)))
    moved, _ = next(iter(task.train.batches(64, augment=True)))
    share = moved.sum() / plain.sum()
    assert 0.85 < share < 1.0
    axis = np.arange(34)
    for frames in (plain, moved):
        centre = (frames.sum((0, 1, 2, 3)).numpy() @ axis) / frames.sum().item()
        assert centre == pytest.approx(17, abs=1.5)


# --- the camera that is like that of N-MNIST ------------------------------------------------------


def simulated(name, every=50):
    recordings = record_digits(load_digits()[0][::every], *CAMERAS[name])
    return event_statistics(recordings, (34, 34), duration_us=315_000)


def test_the_other_camera_differs_in_what_was_measured_of_real_ones():
    plain, other = simulated("plain"), simulated("nmnist")
    assert other.centre_y - plain.centre_y == pytest.approx(1.4, abs=0.3)
    assert other.centre_x == pytest.approx(plain.centre_x, abs=0.2)
    assert 0.7 < other.spread_x / plain.spread_x < 0.95
    assert 0.6 < other.spread_y / plain.spread_y < 0.9
    assert 1000 <= other.shortest_us < 2200 < plain.shortest_us
    assert other.noise_hz > plain.noise_hz


def test_some_pixels_are_hot_and_the_mean_stays():
    still = np.full((40, 30, 30), 0.5)

    def count(spread, refractory):
        camera = Camera(noise_hz=5.0, mismatch=0.0, noise_spread=spread, refractory_us=refractory)
        events = events_of(camera, [still, still], [0, 1_000_000])
        return np.bincount(events["y"] * 30 + events["x"], minlength=900), camera

    for spread, uneven in ((0.0, False), (1.5, True)):
        counts, camera = count(spread, refractory=0)
        assert counts.mean() == pytest.approx(5 * 40, rel=0.06)
        assert (counts.max() > 5 * counts.mean()) == uneven
        # Noise stays only where the pixel is quiet for the refractory time before it and after it.
        rates = 5 * 900 * camera.noise_shares(900)
        counts, _ = count(spread, refractory=2000)
        assert counts.mean() == pytest.approx(
            (40 * rates * np.exp(-2 * rates * 0.002)).mean(), rel=0.02
        )
        assert (counts.max() > 5 * counts.mean()) == uneven
    with pytest.raises(ValueError, match="noise_spread=-1: expected 0 or more"):
        Camera(noise_spread=-1)


def test_statistics_of_events_that_are_counted_by_hand():
    events = np.zeros(4, EVENT_TYPE)
    events["x"], events["y"], events["t"], events["p"] = [0, 0, 8, 9], [5, 5, 5, 6], [0, 500, 900, 999], [1, 0, 1, 1]  # fmt: skip
    one = event_statistics([events, events], (10, 10), duration_us=1000, bins=2)
    assert one.rate.tolist() == [2, 6] and one.x.tolist() == pytest.approx([0, 17 / 3])
    assert (one.events, one.on, one.centre_x, one.centre_y) == (4, 0.75, 4.25, 5.25)
    assert one.shortest_us == pytest.approx(500)
    assert one.spread_x == pytest.approx((17 / 3) * (3 / 16) ** 0.5)
    with pytest.raises(MeasureError, match="recordings is empty"):
        event_statistics([events[:0]], (10, 10), duration_us=1000)


def test_the_other_camera_is_nearer_to_real_recordings():
    folder = Path(os.environ.get("DISTA_DATA") or "/nowhere") / "nmnist" / "Train"
    if not folder.is_dir():
        pytest.skip("no real nmnist: DISTA_DATA names no folder that holds it")
    recordings = [read_events(file) for file in sorted(folder.glob("*/*.bin"))[::8]]
    real = event_statistics(recordings, (34, 34), duration_us=315_000)
    plain, other = simulated("plain"), simulated("nmnist")
    for name in ("centre_y", "spread_x", "spread_y", "shortest_us"):
        apart = [abs(getattr(one, name) - getattr(real, name)) for one in (plain, other)]
        assert apart[1] < apart[0], (name, apart)
