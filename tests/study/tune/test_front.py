"""Fronts of hand-made values, their areas, knees and names, for every set of metrics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from acutance.study.tune.front import (
    higher_is_better,
    hypervolume,
    knee,
    picks,
    ranks,
    spread_along,
)

BOTH = ("psnr", "lpips")
# psnr up, lpips down: a, b and c do not beat each other; d is beaten by b, e by all
POINTS = np.array([[30.0, 0.1], [32.0, 0.2], [33.0, 0.4], [31.0, 0.3], [29.0, 0.5]])


def values(most):
    """Up to `most` trials of two metrics, from a grid, so that equal values happen."""
    numbers = st.integers(0, 8).map(float)
    return st.integers(1, most).flatmap(lambda n: arrays(float, (n, 2), elements=numbers))


def test_fidelity_goes_up_and_lpips_down():
    assert higher_is_better(("psnr", "ssim", "lpips", "dists", "niqe")) == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_ranks_peel_front_after_front():
    assert ranks(POINTS, BOTH).tolist() == [0, 0, 0, 1, 2]
    assert ranks(POINTS, ("psnr", "ssim")).tolist() == [2, 1, 0, 1, 0]  # both up


def test_equal_trials_share_their_rank():
    assert ranks(np.array([[30.0, 0.1], [30.0, 0.1]]), BOTH).tolist() == [0, 0]


@given(values(8))
def test_ranks_stay_under_increasing_maps(table):
    bent = np.stack([np.exp(table[:, 0]), table[:, 1] ** 3 - 7], axis=1)
    assert ranks(bent, BOTH).tolist() == ranks(table, BOTH).tolist()


@pytest.mark.parametrize(
    ("points", "area"),
    [
        ([], 0.0),
        ([[31, 0.3]], 2 * 0.2),  # from (29, 0.5): 2 dB times 0.2
        ([[31, 0.3], [30, 0.1]], 2 * 0.2 + 1 * 0.2),
        ([[31, 0.3], [30, 0.4]], 2 * 0.2),  # beaten: adds nothing
        ([[28, 0.1]], 0.0),  # worse than the reference in psnr
        ([[29, 0.1]], 0.0),  # no better than it
    ],
)
def test_the_hypervolume_is_the_area_by_hand(points, area):
    found = hypervolume(np.array(points, dtype=float).reshape(-1, 2), np.array([29.0, 0.5]), BOTH)
    assert found == pytest.approx(area, rel=1e-12, abs=1e-15)


@given(values(8), values(1))
def test_the_hypervolume_never_shrinks_when_a_trial_is_added(table, more):
    """1e-9 for the rounding of sums of up to 64."""
    corner = np.array([0.0, 8.0])
    grown = hypervolume(np.concatenate([table, more]), corner, BOTH)
    assert grown >= hypervolume(table, corner, BOTH) - 1e-9


def test_the_knee_is_furthest_from_the_line_through_the_ends():
    """Scaled to 1: (0, 1), (0.5, 0.9), (0.8, 0.5), (1, 0): sums 1, 1.4, 1.3, 1."""
    front = np.array([[30.0, 0.1], [31.0, 0.14], [31.6, 0.3], [32.0, 0.5]])
    assert knee(front, BOTH) == 1
    assert knee(front[::-1], BOTH) == 2


@pytest.mark.parametrize("front", [[[30.0, 0.1]], [[30.0, 0.1], [31.0, 0.2]]])
def test_a_front_of_one_or_two_has_its_knee_at_the_first(front):
    assert knee(np.array(front), BOTH) == 0


def test_picks_are_named_by_what_their_metric_judges():
    front = POINTS[:3]
    assert picks(front, BOTH) == {"most faithful": 2, "balanced": 1, "sharpest": 0}
    assert list(picks(front[:, :1], ("psnr",))) == ["most faithful", "balanced"]
    assert list(picks(front[:, 1:], ("lpips",))) == ["balanced", "sharpest"]
    assert picks(front[:, ::-1], ("lpips", "psnr")) == picks(front, BOTH)


def test_some_of_a_long_front_are_spread_from_end_to_end():
    front = np.stack([np.arange(9.0), np.arange(9.0)], axis=1)
    assert spread_along(front, 3) == [0, 4, 8]
    assert spread_along(front, 3, keep=(5,)) == [0, 4, 5]
    assert spread_along(front, 1, keep=(2, 7)) == [2, 7]  # what is named is never left out
    assert spread_along(front[:2], 5) == [0, 1]
