"""Rates are pure functions of the step; expected values follow from their formulas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acutance.training.convergence import WINDOW, has_converged, trend
from acutance.training.schedules import rate_share, smooth_decay

NAMES = st.sampled_from(["constant", "cosine", "one_cycle", "multi_step"])


def share(step, steps=1000, schedule="cosine", warmup=0.0, **options):
    return rate_share(step, steps, schedule=schedule, warmup=warmup, **options)


def test_cosine_is_whole_at_the_start_half_in_the_middle_and_nothing_at_the_end():
    assert [share(0), share(500), share(1000)] == pytest.approx([1.0, 0.5, 0.0])


def test_warmup_rises_linearly():
    values = [share(k, schedule="constant", warmup=0.1) for k in (0, 49, 99, 100, 999)]
    assert values == pytest.approx([0.01, 0.5, 1.0, 1.0, 1.0])


def test_multi_step_falls_by_gamma_at_each_milestone():
    values = [
        share(k, schedule="multi_step", milestones=(0.5, 0.9), gamma=0.1) for k in (499, 500, 900)
    ]
    assert values == pytest.approx([1.0, 0.1, 0.01])


def test_one_cycle_peaks_at_thirty_percent():
    values = [share(k, schedule="one_cycle") for k in (0, 300, 1000)]
    assert values == pytest.approx([0.04, 1.0, 0.0])


@given(NAMES, st.integers(1, 5000), st.floats(0, 1), st.floats(0, 0.5))
def test_a_rate_is_never_negative_nor_above_the_full_one(name, steps, where, warmup):
    step = min(steps - 1, int(where * steps))
    value = share(step, steps, name, warmup, milestones=(0.5,))
    assert 0 < value <= 1


def test_smooth_weights_forget_the_start_early():
    assert smooth_decay(0, 0.999) == pytest.approx(0.1)
    assert smooth_decay(100_000, 0.999) == 0.999


def test_a_flat_score_has_converged_and_a_rising_one_has_not():
    steps = [100 * k for k in range(WINDOW)]
    flat = [30.0 + 0.0001 * (k % 2) for k in range(WINDOW)]
    rising = [30.0 + 0.05 * k for k in range(WINDOW)]
    assert has_converged(steps, flat, 0.01)
    assert not has_converged(steps, rising, 0.01)
    assert not has_converged(steps[:-1], flat[:-1], 0.01)  # too few to judge


def test_a_noisy_score_is_not_called_converged():
    """The slope's interval counts, not the slope: noise of 0.1 dB hides a gain of 0.01."""
    steps = [100 * k for k in range(WINDOW)]
    noisy = [30.0 + 0.1 * (-1) ** k for k in range(WINDOW)]
    assert not has_converged(steps, noisy, 0.01)


def test_the_interval_is_students():
    """scipy.stats.linregress gives the same slope and standard error; t(0.95, 6) = 1.943."""
    from scipy.stats import linregress

    steps = [100 * k for k in range(WINDOW)]
    scores = [30.0, 30.2, 30.1, 30.4, 30.3, 30.5, 30.45, 30.6]
    found, expected = trend(steps, scores), linregress(steps, scores)
    assert found.slope == pytest.approx(expected.slope)
    assert found.upper == pytest.approx(expected.slope + 1.9432 * expected.stderr, rel=1e-3)
    assert found.lower == pytest.approx(expected.slope - 1.9432 * expected.stderr, rel=1e-3)
