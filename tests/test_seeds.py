"""Trainings repeated with other seeds: intervals over seeds and samples hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dista.measures import Answers, MeasureError, mean_differences, seed_accuracy, seed_differences
from dista.measures.seeds import crossed, holm, seed_difference


def answers(right) -> Answers:
    """Answers of which these are right, to samples of class 1."""
    right = np.asarray(right, dtype=int)
    return Answers(right, np.ones_like(right))


def test_means_spread_and_every_seed():
    result = seed_accuracy({4: answers([1, 1, 0, 0]), 0: answers([1, 1, 1, 0])})
    assert result.seeds == (0, 4) and result.accuracy.tolist() == [0.75, 0.5]
    assert result.mean == 0.625 and result.spread == pytest.approx(np.std([0.75, 0.5], ddof=1))
    assert 0 <= result.low < result.mean < result.high <= 1
    table = result.table()
    assert table["seed"].tolist() == [0, 4] and set(table["seeds"]) == {2}


def test_differences_are_paired_by_seed_and_only_where_both_are():
    before = {0: answers([1, 0, 0, 1]), 1: answers([1, 1, 0, 0]), 2: answers([0, 0, 0, 0])}
    after = {1: answers([1, 1, 1, 0]), 0: answers([1, 1, 1, 1]), 7: answers([1, 1, 1, 1])}
    (result,) = seed_differences(before, {"after": after, "none": {9: answers([1])}}).values()
    assert result.seeds == (0, 1) and result.differences.tolist() == [0.5, 0.25]
    assert result.difference == 0.375 and result.samples == 4


def test_pairs_of_configurations_are_averaged():
    a, b = {0: answers([0, 0, 1, 1])}, {0: answers([1, 0, 1, 1])}
    (result,) = mean_differences({"both": [(a, b), (a, a)]}).values()
    assert result.difference == 0.125


def test_other_samples_are_an_error():
    with pytest.raises(MeasureError, match="2 and 3 samples that are not the same"):
        seed_accuracy({0: answers([1, 1]), 1: answers([1, 1, 1])})


def test_the_interval_is_the_textbooks():
    """Mean squares by hand, for a table with effects of seeds and of samples."""
    rng = np.random.default_rng(3)
    d = rng.normal(size=(4, 1)) + rng.normal(size=50) + rng.normal(size=(4, 50))
    mean, error, degrees = crossed(d)
    grand, a, b = d.mean(), d.mean(1), d.mean(0)
    square_a = 50 * ((a - grand) ** 2).sum() / 3
    square_b = 4 * ((b - grand) ** 2).sum() / 49
    rest = ((d - a[:, None] - b[None] + grand) ** 2).sum() / (3 * 49)
    total = square_a + square_b - rest
    assert mean == grand and error == pytest.approx(np.sqrt(total / 200))
    assert degrees == pytest.approx(
        total**2 / (square_a**2 / 3 + square_b**2 / 49 + rest**2 / (3 * 49))
    )


def test_one_seed_is_the_paired_t_interval_over_samples():
    d = np.array([[1.0, 0, 0, -1, 0, 1, 0, 0, 1, 0]])
    result = seed_difference(d, [5])
    low, high = stats.ttest_1samp(d[0], 0).confidence_interval()
    assert (result.low, result.high) == pytest.approx((low, high))
    assert result.p == pytest.approx(stats.ttest_1samp(d[0], 0).pvalue)


def test_where_nothing_differs_something_may():
    result = seed_difference(np.zeros((5, 2000)), range(5))
    assert result.difference == 0 and -0.01 < result.low < 0 < result.high < 0.01 and result.p == 1


def right_and_wrong(rng, seeds, samples, among, between):
    """A table of differences, and the true one: a probit model of both networks' answers."""
    shared, means = rng.normal(0, 1, samples), (1.5, 2.0)
    right = [
        mean + rng.normal(0, among, (seeds, 1)) + shared + rng.normal(0, between, samples)
        + rng.normal(0, 1, (seeds, samples)) > 0
        for mean in means
    ]  # fmt: skip
    scale = np.sqrt(2 + among**2 + between**2)
    truth = stats.norm.cdf(means[1] / scale) - stats.norm.cdf(means[0] / scale)
    return right[1].astype(float) - right[0], truth


@pytest.mark.parametrize(
    ("seeds", "among", "between", "lowest"),
    [(5, 0.0, 0.0, 0.94), (5, 0.05, 0.3, 0.93), (5, 0.5, 0.3, 0.925), (3, 0.5, 0.3, 0.915)],
)
def test_intervals_cover_what_they_say(seeds, among, between, lowest):
    """``lowest`` lies three standard deviations of 600 simulations below what many more of them give."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(600):
        d, truth = right_and_wrong(rng, seeds, 200, among, between)
        mean, error, degrees = crossed(d)
        hits += abs(mean - truth) <= error * stats.t.ppf(0.975, degrees)
    assert lowest <= hits / 600 <= 0.995


def test_a_bootstrap_of_five_seeds_covers_too_little():
    """Why there is none: the alternative in the docstring of ``dista.measures.seeds``."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(200):
        d, truth = right_and_wrong(rng, 5, 200, 0.5, 0.3)
        of_seeds = rng.multinomial(5, np.full(5, 1 / 5), 300)
        of_samples = rng.multinomial(200, np.full(200, 1 / 200), 300)
        low, high = np.quantile(((of_seeds @ d) * of_samples).sum(1) / d.size, (0.025, 0.975))
        hits += low <= truth <= high
    assert hits / 200 < 0.92


def test_holm():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([0.02]) == [0.02] and holm([]) == []


def test_differences_looked_at_together_are_corrected_together():
    rng = np.random.default_rng(0)
    base = {seed: answers(rng.random(300) < 0.8) for seed in range(4)}
    same = {seed: answers(rng.random(300) < 0.8) for seed in range(4)}
    better = {seed: answers(rng.random(300) < 0.95) for seed in range(4)}
    alone = seed_differences(base, {"better": better})["better"]
    both = seed_differences(base, {"same": same, "better": better})
    assert alone.holm == alone.p and both["better"].holm == pytest.approx(2 * alone.p)
    assert both["better"].certain and not both["same"].certain
