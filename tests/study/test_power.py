"""What a plan of seeds can show, and the words for what it showed."""

from math import inf, isnan, nan

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.study.power import (
    Verdict,
    power_of,
    seeds_needed,
    smallest_difference,
    smallest_p,
    verdict,
)
from acutance.study.statistics import PairedResult


@pytest.mark.parametrize(
    ("effect", "seeds"),
    [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)],
)
def test_seeds_needed_are_those_of_g_power(effect, seeds):
    """G*Power 3.1, paired t test, two-sided, alpha 0.05, power 0.8."""
    assert seeds_needed(effect, 1.0) == seeds
    assert seeds_needed(-effect / 2, 0.5) == seeds


def test_power_is_reached_at_the_seeds_needed_and_not_before():
    assert power_of(0.5, 1.0, seeds=34) >= 0.8 > power_of(0.5, 1.0, seeds=33)


@pytest.mark.parametrize(
    ("mean", "sd", "seeds"),
    [(0.0, 1.0, None), (0.01, 1.0, None), (0.0, 0.0, None), (0.1, 0.0, 2), (1e6, 1.0, 2)],
)
def test_seeds_needed_at_the_edges(mean, sd, seeds):
    assert seeds_needed(mean, sd) == seeds


def test_power_at_the_edges():
    assert power_of(0.0, 1.0, seeds=5, alpha=0.1) == 0.1  # a false alarm
    assert power_of(0.0, 0.0, seeds=5) == 0
    assert power_of(0.1, 0.0, seeds=5) == 1
    assert power_of(0.1, 1.0, seeds=1) == 0
    assert power_of(1e9, 1.0, seeds=2, alpha=1e-4) == pytest.approx(1)


@pytest.mark.parametrize("alpha", [0.05, 1e-4])
def test_power_grows_with_difference_and_seeds_without_a_gap(alpha):
    """The noncentral t of scipy must not turn nan or fall for any plan in reach."""
    for counts in (2, 3, 5, 30, 1000):
        powers = [power_of(d, 1.0, seeds=counts, alpha=alpha) for d in np.geomspace(1e-3, 1e5, 60)]
        assert np.all(np.diff(powers) >= -1e-9), counts
        assert powers[0] >= 0.99 * alpha
        assert powers[-1] == pytest.approx(1)


@pytest.mark.parametrize("seeds", [2, 3, 5, 20])
def test_the_smallest_difference_has_the_power_asked_for(seeds):
    difference = smallest_difference(0.07, seeds, power=0.9)
    assert power_of(difference, 0.07, seeds=seeds) == pytest.approx(0.9, abs=1e-6)


def test_the_smallest_difference_at_the_edges():
    assert smallest_difference(0.07, 1) == inf
    assert smallest_difference(0.0, 5) == 0


def test_the_smallest_p_of_a_plan():
    assert isnan(smallest_p(1).t_test)
    assert smallest_p(1).sign_flip == 1
    assert smallest_p(5).t_test == 0
    assert smallest_p(5).sign_flip == 2 / 2**5 > 0.05
    assert smallest_p(6).sign_flip == 2 / 2**6 < 0.05
    with pytest.raises(InputError) as error:
        smallest_p(0)
    assert str(error.value) == "A plan of 0 seeds shows nothing. Give at least one."


@pytest.mark.parametrize("sd", [-1.0, nan, inf])
def test_an_sd_that_is_none_is_refused(sd):
    with pytest.raises(InputError) as error:
        seeds_needed(1.0, sd)
    assert str(error.value) == (
        f"The sd is {sd}. Give that of at least two seeds, finite and not negative."
    )


def test_alpha_and_power_the_wrong_way_round_are_refused():
    with pytest.raises(InputError) as error:
        seeds_needed(1.0, 1.0, alpha=0.8, power=0.05)
    assert str(error.value) == (
        "alpha is 0.8 and power 0.05. Give 0 < alpha < power < 1, as 0.05 and 0.8."
    )


def result(mean: float, sd: float, *, p: float, seeds: int = 5) -> PairedResult:
    """A result of which the interval does not matter: no verdict reads it."""
    effect = mean / sd if sd else nan
    return PairedResult(mean, nan, nan, p, effect, sd, seeds, pictures=10)


@pytest.mark.parametrize(
    ("mean", "direction", "word"),
    [
        (0.2, "higher", "better"),
        (-0.2, "higher", "worse"),
        (0.2, "lower", "worse"),
        (-0.2, "lower", "better"),
    ],
)
def test_a_small_p_speaks_by_sign_and_direction(mean, direction, word):
    found = verdict(result(mean, 0.07, p=0.004), 0.02, direction=direction, noise=0.05)
    assert found == Verdict(word)


def test_one_seed_is_never_enough_and_does_not_say_how_many_are():
    one = result(5.0, nan, p=nan, seeds=1)
    assert verdict(one, nan, direction="higher", noise=nan) == Verdict("not enough seeds")


def test_alpha_itself_is_not_below_alpha():
    found = verdict(result(0.2, 0.07, p=0.05), 0.05, direction="higher", noise=0.05)
    assert found.word == "not enough seeds"


def test_a_difference_that_a_few_more_seeds_would_show_asks_for_them():
    """Below the noise, but 0.04 / 0.05 = 0.8 needs 15 seeds."""
    found = verdict(result(0.04, 0.05, p=0.15), 0.15, direction="higher", noise=0.05)
    assert found == Verdict("not enough seeds", 15)


def test_a_difference_above_the_noise_asks_for_seeds_however_many():
    """0.1 / 0.2 = 0.5 needs 34 seeds, 0.1 / 2 more than 1000."""
    found = [
        verdict(result(0.1, sd, p=0.4), 0.4, direction="higher", noise=0.05) for sd in (0.2, 2.0)
    ]
    assert found == [Verdict("not enough seeds", 34), Verdict("not enough seeds", None)]


@pytest.mark.parametrize("noise", [0.05, nan])
def test_a_difference_within_the_noise_that_few_seeds_would_not_show_is_not_shown(noise):
    found = verdict(result(0.02, 0.04, p=0.33), 0.33, direction="higher", noise=noise)
    assert found == Verdict("no difference shown")


def test_equal_losses_show_no_difference():
    same = result(0.0, 0.0, p=1.0)
    assert verdict(same, 1.0, direction="lower", noise=0.0) == Verdict("no difference shown")


def test_seeds_are_counted_for_what_the_adjustment_left():
    """p 0.02 is 0.1 after five comparisons: what is left of alpha is 0.01."""
    found = verdict(result(0.12, 0.07, p=0.02), 0.1, direction="higher", noise=0.05)
    assert found.seeds_needed == seeds_needed(0.12, 0.07, alpha=0.01) > 5


def test_another_direction_is_refused():
    with pytest.raises(InputError) as error:
        verdict(result(1, 1, p=0.5), 0.5, direction="up", noise=0)  # type: ignore[arg-type]
    assert str(error.value) == "The direction is 'up'. Give 'higher' or 'lower'."
