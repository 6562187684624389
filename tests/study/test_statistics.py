"""What a comparison over seeds may claim: p of the seeds, an interval over seeds and pictures."""

import sys
import time
from math import inf, isnan, sqrt

import numpy as np
import pytest
from scipy import stats

from acutance.errors import InputError, MissingPackageError
from acutance.study.statistics import (
    compare_paired,
    holm,
    picture_interval,
    seed_interval,
    seed_noise,
)


def drawn(seeds: int, pictures: int, *, mean: float = 0.0, seed: int = 0) -> np.ndarray:
    """Differences with the spread of small networks in dB: 0.07 a seed, 0.1 a picture."""
    generator = np.random.default_rng(seed)
    by_seed = generator.normal(0, 0.07, (seeds, 1))
    by_picture = generator.normal(0, 0.1, (1, pictures))
    return mean + by_seed + by_picture + generator.normal(0, 0.04, (seeds, pictures))


def test_p_is_that_of_the_seeds_by_hand():
    """Means 1, 2, 3: t = 2 / (1 / sqrt 3) = 3.4641 with 2 degrees of freedom."""
    result = compare_paired(np.array([[0.0, 2.0], [1.0, 3.0], [2.0, 4.0]]), seed=0)
    assert (result.mean, result.sd, result.effect) == (2.0, 1.0, 2.0)
    assert (result.seeds, result.pictures) == (3, 2)
    assert result.p == pytest.approx(1 - 3.4641016 / sqrt(2 + 12), abs=1e-7)  # t(2) in closed form


@pytest.mark.parametrize("seeds", [2, 3, 5, 30])
def test_p_is_scipys(seeds):
    table = drawn(seeds, 20, mean=0.05)
    assert compare_paired(table, seed=0).p == pytest.approx(
        stats.ttest_1samp(table.mean(axis=1), 0).pvalue
    )


def test_pictures_are_not_repetitions():
    table = drawn(5, 20, mean=0.05)
    assert compare_paired(np.tile(table, 10), seed=0).p == pytest.approx(
        compare_paired(table, seed=0).p
    )


def test_the_interval_is_the_same_for_the_same_seed_and_lies_around_the_mean():
    table = drawn(5, 30, mean=0.2)
    first, again, other = (compare_paired(table, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.low < first.mean < first.high
    assert first.low != other.low
    assert first.low == pytest.approx(other.low, abs=0.01)


def test_the_interval_moves_and_scales_with_the_scores():
    table = drawn(4, 30)
    one, moved = compare_paired(table, seed=3), compare_paired(10 * table + 5, seed=3)
    assert [moved.low, moved.high] == pytest.approx([10 * one.low + 5, 10 * one.high + 5])


def test_the_interval_over_many_seeds_and_pictures_is_that_of_both_variances():
    """Crossed: variance of the mean = var of seeds / n + var of pictures / n, not of n * n."""
    table = drawn(60, 400, seed=5)
    result = compare_paired(table, seed=0)
    error = sqrt(table.mean(axis=1).var(ddof=1) / 60 + table.mean(axis=0).var(ddof=1) / 400)
    assert result.high - result.low == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_pictures_that_differ_widen_the_interval_and_leave_p_alone():
    seeds = np.array([[0.1], [0.2], [0.3]])
    calm = compare_paired(np.tile(seeds, 50), seed=0)
    wild = compare_paired(seeds + np.linspace(-1, 1, 50), seed=0)
    assert wild.p == pytest.approx(calm.p)
    assert wild.high - wild.low > 1.1 * (calm.high - calm.low)


def test_one_picture_gives_the_interval_of_the_seeds():
    table = np.array([[0.1], [0.2], [0.4], [0.3]])
    result = compare_paired(table, seed=0, resamplings=100_000)
    assert [result.low, result.high] == pytest.approx(seed_interval(result), abs=0.01)


@pytest.mark.parametrize("mean", [0.0, 0.02, 0.08, 0.2])
def test_the_interval_of_the_seeds_leaves_out_zero_where_p_is_below_five_percent(mean):
    for seed in range(20):
        result = compare_paired(drawn(5, 20, mean=mean, seed=seed), seed=0, resamplings=10)
        low, high = seed_interval(result)
        assert (low > 0 or high < 0) == (result.p < 0.05)


def test_the_interval_of_the_seeds_is_scipys():
    table = drawn(6, 20)
    expected = stats.ttest_1samp(table.mean(axis=1), 0).confidence_interval(0.95)
    assert seed_interval(compare_paired(table, seed=0)) == pytest.approx(
        (expected.low, expected.high)
    )


@pytest.mark.parametrize("pictures", [5, 14, 100])
def test_the_interval_over_pictures_is_students_for_normal_ones(pictures):
    values = stats.norm.ppf((np.arange(pictures) + 0.5) / pictures)  # as normal as can be
    low, high = picture_interval(3 + values, seed=0)
    expected = stats.t.interval(0.95, pictures - 1, 3, stats.sem(values))
    assert (low, high) == pytest.approx(expected, abs=0.06 * (expected[1] - expected[0]))


def test_one_picture_has_no_interval_over_pictures():
    assert all(map(isnan, picture_interval(np.array([0.3]), seed=0)))


def test_one_seed_shows_its_mean_and_nothing_else():
    result = compare_paired(np.array([[0.1, 0.3]]), seed=0)
    assert result.mean == pytest.approx(0.2)
    unknown = (result.p, result.low, result.high, result.effect, result.sd)
    assert all(isnan(value) for value in (*unknown, *seed_interval(result)))


def test_no_difference_anywhere_has_p_one_and_an_interval_of_no_width():
    result = compare_paired(np.zeros((3, 4)), seed=0)
    assert (result.mean, result.low, result.high) == (0, 0, 0)
    assert (result.p, result.effect, result.sd) == (1, 0, 0)


@pytest.mark.parametrize(("difference", "effect"), [(0.1, inf), (-0.1, -inf)])
def test_the_same_difference_under_every_seed_is_the_limit_of_the_test(difference, effect):
    """0.1 three times has a computed sd of 1.7e-17: rounding must not become a spread."""
    result = compare_paired(np.full((3, 7), difference), seed=0)
    assert (result.p, result.effect, result.sd) == (0, effect, 0)
    assert result.low == result.high == pytest.approx(difference)


def test_ten_thousand_resamplings_of_five_by_a_hundred_are_quick():
    """Measured at 0.036 s on one core; 0.5 s is for a busy machine."""
    table = drawn(5, 100)
    compare_paired(table, seed=0)
    start = time.perf_counter()
    compare_paired(table, seed=0)
    assert time.perf_counter() - start < 0.5


def test_many_pictures_are_resampled_in_pieces_to_the_same_end(monkeypatch):
    table = drawn(4, 50, mean=0.1)
    whole = compare_paired(table, seed=0, resamplings=1003)
    monkeypatch.setattr("acutance.study.statistics.CHUNK_DRAWS", 1000)
    assert compare_paired(table, seed=0, resamplings=1003).low == pytest.approx(whole.low)


@pytest.mark.parametrize("shape", [(3,), (0, 4), (3, 0), (2, 2, 2)])
def test_another_shape_is_named(shape):
    with pytest.raises(InputError) as error:
        compare_paired(np.zeros(shape), seed=0)
    assert str(error.value) == (
        f"Scores have the shape {shape}. Give an array (seeds, pictures) with at least one of each."
    )


def test_a_value_that_is_not_finite_is_named_by_its_place():
    table = np.zeros((2, 3))
    table[1, 2] = inf
    with pytest.raises(InputError) as error:
        compare_paired(table, seed=0)
    assert str(error.value) == (
        "Scores hold inf at seed 1, picture 2 (counted from 0), and 1 such values in all. "
        "Leave these pictures out of every arm."
    )


def test_without_scipy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingPackageError) as error:
        compare_paired(drawn(3, 4), seed=0)
    assert str(error.value) == (
        "Comparing losses over seeds needs scipy, which is not installed. "
        "Install it by: pip install 'acutance[study]'"
    )


def test_seed_noise_is_the_spread_of_the_means():
    values = np.array([[30.0, 32.0], [31.0, 33.0], [32.0, 34.0]])  # means 31, 32, 33
    assert seed_noise(values) == 1.0
    assert isnan(seed_noise(values[:1]))
    assert seed_noise(np.full((3, 7), 30.1)) == 0


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # R: p.adjust(p, "holm")
        ([0.04, np.nan, 0.01], [0.04, np.nan, 0.02]),
        ([0.02, 0.02], [0.04, 0.04]),
        ([0.9, 0.6], [1.0, 1.0]),
        ([np.nan], [np.nan]),
        ([0.0], [0.0]),
        ([], []),
    ],
)
def test_holm_by_hand(p, adjusted):
    np.testing.assert_allclose(holm(p), adjusted, rtol=1e-12)


def test_holm_leaves_its_input_alone_and_never_lowers_a_p():
    p = np.random.default_rng(0).uniform(0, 1, 50)
    before = p.copy()
    adjusted = holm(p)
    np.testing.assert_array_equal(p, before)
    assert np.all(adjusted >= p)
    assert np.all(np.diff(adjusted[np.argsort(p)]) >= 0)


@pytest.mark.parametrize("p", [[1.2], [-0.1], [[0.1]]])
def test_what_is_no_p_value_is_refused(p):
    with pytest.raises(InputError) as error:
        holm(p)
    assert str(error.value) == f"p values {p} are not a list of numbers from 0 to 1."
