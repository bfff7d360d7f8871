"""What noise does, against loops over a recorded model and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dista import measures, recording
from dista.measures import Answers, AttentionReceived, MeasureError, paired_difference
from dista.measures.noise import wilson


@pytest.fixture(scope="module", params=["map", "projection"])
def pair(request, small_model, small_input):
    """A clean recording, and one with two changed pixels in sample 2."""
    model = small_model(memory=dict(form=request.param, window=3))
    x = small_input(model.config)
    noisy = x.clone()
    noisy[2, 1, 0, 0] += 0.5
    noisy[2, 0, 12, 20] -= 0.5  # the last pixel of 13 x 21, in the last of 7 x 11 patches
    return recording.record(model, x), recording.record(model, noisy)


def test_input_change_finds_the_patches_of_the_changed_pixels(pair):
    change = measures.input_change(*pair, sample=2)
    expected = np.zeros((7, 11), bool)
    expected[0, 0] = expected[6, 10] = True
    np.testing.assert_array_equal(change.patches, expected)
    assert change.share == pytest.approx(2 / 77)
    image = pair[0]["input"].values[2].sum(0)
    np.testing.assert_allclose(change.clean, image)
    assert (change.noisy - change.clean)[0, 0] == pytest.approx(0.5)
    assert not measures.input_change(*pair, sample=1).patches.any()


@pytest.fixture(scope="module", params=["map", "projection"])
def frames(request, small_model, small_input):
    """Frames, and frames with one pixel changed at step 1 and another at step 3, of sample 2."""
    model = small_model(memory=dict(form=request.param, window=3))
    x = small_input(model.config, steps=5)
    noisy = x.clone()
    noisy[1, 2, 1, 0, 0] += 0.5
    noisy[3, 2, 0, 12, 20] += 0.5
    return recording.record(model, x), recording.record(model, noisy)


def test_what_is_asked_of_one_step_is_of_that_step(frames):
    change = measures.input_change(*frames, sample=2, step=3)
    assert np.argwhere(change.patches).tolist() == [[6, 10]]
    np.testing.assert_allclose(change.noisy, frames[1]["input"].values[3, 2].sum(0), rtol=1e-6)
    assert measures.input_change(*frames, sample=2).patches.sum() == 2
    whole = measures.attention_received(frames[1], sample=2)
    parts = [measures.attention_received(frames[1], sample=2, step=step) for step in range(5)]
    for block, total in enumerate(whole):
        map_ = frames[1][f"blocks/{block}/attention/scores"]
        of_step = [i for i, step in enumerate(map_["key_time"].values) if step == 3]
        expected = map_.values[of_step, 2].astype(int).sum((0, 1, 2))
        np.testing.assert_array_equal(parts[3][block].raw.ravel(), expected)
        np.testing.assert_array_equal(sum(part[block].denoised for part in parts), total.denoised)


def test_a_step_that_is_not_there_is_refused(pair, frames):
    for ask in (
        lambda: measures.input_change(*frames, step=5),
        lambda: measures.attention_received(frames[0], step=5),
    ):
        with pytest.raises(MeasureError, match="step=5; 0 to 4 are there"):
            ask()
    with pytest.raises(MeasureError, match="step=0; an image has no steps"):
        measures.input_change(*pair, step=0)


@pytest.mark.parametrize("pixel", [(0, 0), (3, 4), (12, 7), (33, 33), (5, 32)])
def test_a_patch_is_as_large_as_the_poolings_make_it(pixel):
    from dista.measures.noise import _in_patches

    pixels = np.zeros((34, 34), bool)
    pixels[pixel] = True  # two poolings: 34 to 17 to 9 patches of 4 pixels
    patches = np.argwhere(_in_patches(pixels, 9, 9))
    assert patches.tolist() == [[pixel[0] // 4, pixel[1] // 4]]


def test_attention_received_sums_over_all_but_the_key(pair):
    for result in measures.attention_received(pair[1], sample=2):
        for stage, counts in (("scores", result.raw), ("denoise", result.denoised)):
            maps = pair[1][f"blocks/{result.block}/attention/{stage}"].values[:, 2].astype(int)
            expected = [sum(maps[..., key].ravel().tolist()) for key in range(77)]
            np.testing.assert_array_equal(counts.ravel(), expected)
        assert result.raw.shape == (7, 11) and result.raw.sum() > result.denoised.sum() > 0


def test_patch_attention_in_numbers():
    received = AttentionReceived(0, np.array([[6.0, 2, 2]]), np.array([[3.0, 2, 0]]))
    result = measures.patch_attention(received, np.array([[True, False, False]]))
    assert (result.raw, result.denoised) == pytest.approx((0.6, 0.6))
    assert (result.removed, result.removed_elsewhere) == pytest.approx((0.5, 0.5))
    silent = measures.patch_attention(received, np.zeros((1, 3), bool))
    assert (silent.raw, silent.denoised, silent.removed) == (0, 0, None)
    assert silent.removed_elsewhere == pytest.approx(0.5)
    with pytest.raises(MeasureError, match=r"patches has shape \(3,\)"):
        measures.patch_attention(received, np.zeros(3, bool))


def test_noise_curve_collects_accuracy_and_its_interval():
    label = np.arange(10)
    wrong = {(0, 0.0): 0, (0, 0.5): 4, (2, 0.0): 1, (2, 0.5): 10}
    answers = {key: Answers(np.where(label < n, -1, label), label) for key, n in wrong.items()}
    curve = measures.noise_curve("gaussian", (0, 2), (0.0, 0.5), answers)
    np.testing.assert_allclose(curve.accuracy, [[1, 0.6], [0.9, 0]])
    assert curve.samples == 10 and curve.thresholds == (0, 2)
    assert (curve.low <= curve.accuracy).all() and (curve.accuracy <= curve.high).all()
    one = paired_difference(answers[0, 0.5], answers[2, 0.5])
    assert curve.against == 0 and not curve.difference[0].any()
    paired = curve.difference, curve.difference_low, curve.difference_high
    assert [part[1, 1] for part in paired] == [one.difference, one.low, one.high]
    other = measures.noise_curve("gaussian", (0, 2), (0.0, 0.5), answers, 2)
    np.testing.assert_allclose(other.difference[0], -curve.difference[1])
    with pytest.raises(MeasureError, match="against=5; expected one of the thresholds"):
        measures.noise_curve("gaussian", (0, 2), (0.0, 0.5), answers, 5)
    with pytest.raises(MeasureError, match=r"no answers for \(u, level\) = \[\(3, 0.0\)"):
        measures.noise_curve("gaussian", (3,), (0.0,), answers)


def test_wilson_against_numbers_of_the_literature():
    # Newcombe (1998), Table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    shares, sizes = np.array([81 / 263, 15 / 148, 0, 1 / 29]), [263, 148, 20, 29]
    expected = [(0.2553, 0.3662), (0.0624, 0.1605), (0, 0.1611), (0.0061, 0.1718)]
    for share, size, interval in zip(shares, sizes, expected):
        assert wilson(share, size) == pytest.approx(interval, abs=5e-5)


@pytest.mark.parametrize("samples", [1, 7, 113])
def test_wilson_is_scipys(samples):
    from scipy.stats import binomtest

    low, high = wilson(np.arange(samples + 1) / samples, samples)
    for right in range(samples + 1):
        interval = binomtest(right, samples).proportion_ci(method="wilson")
        assert (low[right], high[right]) == pytest.approx(interval, abs=1e-12)


def test_other_inputs_are_refused(pair):
    clean, _ = pair
    shorter = clean.copy()
    shorter["input"] = clean["input"].isel(y=slice(0, 12)).rename(y="y2")
    with pytest.raises(MeasureError, match="the inputs have shapes"):
        measures.input_change(clean, shorter)
