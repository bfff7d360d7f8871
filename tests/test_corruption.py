"""Noise in the input: what each kind does, how much of it, where, and to which sample."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dista.experiments.corruption import KINDS, REGIONS, Noise, added, corrupt, unit
from dista.experiments.painting import BLANK, FULL, SPECKLED, PaintError, paint_marks, paint_text

LEVEL = {"gaussian": 0.3, "salt-and-pepper": 0.2, "events": 0.2, "occlusion": 0.5, "painted": 1}
AMOUNTS = sorted(set(KINDS) - {"painted"})  # the kinds that are drawn by chance, in a region


def painting(rows, columns):
    """Marks of each kind, in other places than their mirror images."""
    marks = np.zeros((rows, columns), np.uint8)
    marks[1, 2:5], marks[2, 3:5], marks[3:5, 1] = BLANK, FULL, SPECKLED
    return marks


def some(kind, x):
    """Some noise of a kind for ``x``."""
    paint = paint_text(painting(*x.shape[-2:])) if kind == "painted" else ""
    return Noise(kind, LEVEL[kind], paint=paint)


@pytest.fixture
def image():
    return 0.2 + 0.6 * torch.rand(3, 2, 30, 50)  # three samples, two colours, nothing at the ends


def changed(x, noisy):
    return x != noisy


def test_every_kind_has_a_level_here():
    assert set(LEVEL) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_changes_at_level_0_and_the_input_is_left_alone(image, kind):
    before = image.clone()
    noise = some(kind, image)
    assert torch.equal(corrupt(image, noise._replace(level=0), range(3)), image)
    assert not torch.equal(corrupt(image, noise, range(3)), image)
    assert torch.equal(image, before)


def test_gaussian_noise_has_its_deviation():
    grey = torch.full((2, 1, 100, 100), 0.5)
    noise = corrupt(grey, Noise("gaussian", 0.05), range(2)) - grey
    assert noise.mean().item() == pytest.approx(0, abs=2e-3)
    assert noise.std().item() == pytest.approx(0.05, rel=0.03)


def test_salt_and_pepper_come_in_equal_parts(image):
    big = image.repeat(1, 1, 5, 5)
    noisy = corrupt(big, Noise("salt-and-pepper", 0.2), range(3))
    assert (noisy == 0).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert (noisy == 1).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert changed(big, noisy).float().mean().item() == pytest.approx(0.2, abs=0.01)


def test_salt_of_event_counts_is_the_largest_count():
    counts = torch.zeros(4, 2, 2, 20, 20)
    counts[0, :, 0, 0, 0] = 7
    noisy = corrupt(counts, Noise("salt-and-pepper", 0.5), range(2), counts=True)
    assert set(noisy.unique().tolist()) == {0, 7}


def test_spurious_events_are_whole_and_as_many_as_asked():
    counts = torch.ones(4, 2, 2, 40, 40)
    added = corrupt(counts, Noise("events", 0.3), range(2), counts=True) - counts
    assert torch.equal(added, added.round()) and added.min() == 0 and added.max() > 1
    assert added.mean().item() == pytest.approx(0.3, rel=0.05)


def test_occlusion_is_one_blank_rectangle(image):
    noisy = corrupt(image, Noise("occlusion", 0.5), range(3))
    for sample in range(3):
        rows, columns = torch.nonzero(noisy[sample, 1] == 0, as_tuple=True)
        top, left = rows.min(), columns.min()
        assert (rows.max() - top + 1, columns.max() - left + 1) == (15, 25)
        assert len(rows) == 15 * 25
    assert (noisy == 0).any(1).flatten(1).float().argmax(1).unique().numel() > 1  # other places


@pytest.mark.parametrize("kind", AMOUNTS)
@pytest.mark.parametrize("where", REGIONS)
def test_noise_stays_in_its_region_and_in_range(image, kind, where):
    noisy = corrupt(image, Noise(kind, LEVEL[kind], where), range(3))
    rows, columns = torch.nonzero(changed(image, noisy).any(0).any(0), as_tuple=True)
    top, left, bottom, right = REGIONS[where]
    assert round(30 * top) <= rows.min() and rows.max() < round(30 * bottom)
    assert round(50 * left) <= columns.min() and columns.max() < round(50 * right)
    assert noisy.min() >= 0 and noisy.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frames", [False, True])
def test_noise_belongs_to_the_sample(kind, frames):
    x = torch.rand(*([5] if frames else []), 3, 2, 8, 9)
    axis = 1 if frames else 0
    noise = some(kind, x)
    alone = corrupt(x.narrow(axis, 2, 1), noise, [40])
    together = corrupt(x, noise, [7, 7, 40])
    assert torch.equal(together.narrow(axis, 2, 1), alone)
    other = corrupt(x, noise, [7, 7, 40], seed=1)
    assert not torch.equal(other, together)


def test_frames_have_noise_of_their_own_at_each_step():
    noisy = corrupt(torch.full((5, 1, 1, 8, 8), 0.5), Noise("gaussian", 0.1), [0])
    assert not torch.equal(noisy[0], noisy[1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("counts", [False, True])
def test_noise_at_one_step_is_there_what_it_is_among_all(kind, counts):
    x = torch.rand(5, 3, 2, 8, 9) if not counts else torch.poisson(torch.ones(5, 3, 2, 8, 9))
    noise = some(kind, x)
    every = corrupt(x, noise, [7, 8, 9], counts=counts)
    alone = corrupt(x, noise._replace(step=3), [7, 8, 9], counts=counts)
    assert torch.equal(alone[3], every[3]) and not torch.equal(alone[3], x[3])
    assert torch.equal(alone[[0, 1, 2, 4]], x[[0, 1, 2, 4]])


@pytest.mark.parametrize(
    ("shape", "step", "said"),
    [
        ((1, 2, 4, 4), 0, "step=0; an image has no steps"),
        ((5, 1, 2, 4, 4), 5, "step=5; the frames have the steps 0 to 4"),
        ((5, 1, 2, 4, 4), -1, "step=-1; the frames have the steps 0 to 4"),
    ],
)
def test_a_step_that_is_not_there_is_explained(shape, step, said):
    with pytest.raises(ValueError, match=said):
        corrupt(torch.zeros(shape), Noise("gaussian", 0.1, step=step), [0])


@pytest.mark.parametrize(
    ("noise", "samples", "said"),
    [
        (Noise("fog", 0.1), [0], "noise kind 'fog'; expected one of gaussian"),
        (Noise("gaussian", -1), [0], "noise=-1; expected a level of at least 0"),
        (Noise("gaussian", float("nan")), [0], "noise=nan; expected a level"),
        (Noise("occlusion", 1.5), [0], "at least 0 and at most 1"),
        (Noise("occlusion", 0.5, "behind"), [0], "where='behind'; expected one of everywhere"),
        (Noise("gaussian", 0.1), [0, 1], "2 samples for a batch of 1"),
        (Noise("painted", 0.5), [0], "the level 0.5, everywhere; it is there or not"),
        (Noise("painted", 1, "centre"), [0], "the level 1, centre"),
        (Noise("painted", 1, paint="%%"), [0], "the painting is damaged"),
    ],
)
def test_bad_noise_is_explained(noise, samples, said):
    with pytest.raises(ValueError, match=said):
        corrupt(torch.zeros(1, 1, 4, 4), noise, samples)


# Painted pixels -----------------------------------------------------------------------------------


def test_a_painting_is_where_and_what_was_painted(image):
    x = image[..., :7, :11]
    marks = torch.from_numpy(painting(7, 11))
    noisy = corrupt(x, Noise("painted", 1, paint=paint_text(marks.numpy())), range(3))
    assert torch.equal(noisy[..., marks == 0], x[..., marks == 0])
    assert (noisy[..., marks == BLANK] == 0).all() and (noisy[..., marks == FULL] == 1).all()
    assert set(noisy[..., marks == SPECKLED].unique().tolist()) == {0, 1}


def test_painted_frames_are_full_of_the_largest_count_at_every_step():
    counts = torch.zeros(5, 1, 2, 7, 11)
    counts[3, :, 1, 6, 10] = 4
    marks = torch.from_numpy(painting(7, 11))
    noisy = corrupt(counts, Noise("painted", 1, paint=paint_text(marks.numpy())), [0], counts=True)
    assert (noisy[..., marks == FULL] == 4).all() and (noisy[..., marks == BLANK] == 0).all()
    speckles = noisy[..., marks == SPECKLED]
    assert set(speckles.unique().tolist()) == {0, 4} and not torch.equal(speckles[0], speckles[1])
    assert noisy[3, 0, 1, 6, 10] == 4


def test_a_painting_becomes_a_short_text_and_comes_back():
    marks = np.zeros((28, 28), np.uint8)
    marks[4:9, 10:18] = FULL
    marks[20, 3] = SPECKLED
    text = paint_text(marks)
    assert len(text) < 60 and text.replace("-", "").replace("_", "").isalnum()
    assert np.array_equal(paint_marks(text, 28, 28), marks)
    assert paint_text(0 * marks) == "" and not paint_marks("", 7, 11).any()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%%%", "damaged"),
        ("AAAA", "damaged"),
        (paint_text(painting(7, 12)), "not one of 7 x 11 pixels"),
        (paint_text(painting(70, 110)), "not one of 7 x 11 pixels"),
    ],
)
def test_a_text_that_is_no_painting_is_explained(text, said):
    with pytest.raises(PaintError, match=said):
        paint_marks(text, 7, 11)


def test_other_marks_are_refused():
    with pytest.raises(PaintError, match="marks are 0 to 3; there is 4"):
        paint_text(np.full((2, 2), 4))


def test_a_level_says_of_what_it_is_and_what_it_adds_after_clipping():
    assert unit("gaussian", (4, 1, 5, 5)) == "standard deviation per pixel"
    assert (
        unit("events", (8, 4, 2, 5, 5), counts=True) == "mean events per pixel, polarity and step"
    )
    assert unit("salt-and-pepper", (4, 3, 5, 5)) == "chance per pixel and colour"
    assert unit("gaussian", (8, 4, 1, 5, 5)) == "standard deviation per pixel and step"
    assert unit("occlusion", (4, 3, 5, 5)) == "side, as a part"
    black, grey = torch.zeros(1, 1, 40, 40), torch.full((1, 1, 40, 40), 0.5)
    level = Noise("gaussian", 0.1)
    clipped, whole = (added(x, corrupt(x, level, [3])) for x in (black, grey))
    assert whole == pytest.approx(0.1, rel=0.1)
    assert clipped == pytest.approx(whole / 2**0.5, rel=0.1), "half of it is below black"
