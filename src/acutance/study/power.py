"""What a number of seeds can show, and what is to be said when it shows nothing."""

from dataclasses import dataclass
from functools import partial
from math import inf, isnan, nan
from typing import Literal

import numpy as np

from acutance.errors import InputError
from acutance.study.statistics import PairedResult, scipy_stats

POWER = 0.8  # chance of showing a difference that is there: the custom since Cohen (1988)
MOST_SEEDS = 1000  # beyond this a plan is no plan
MODERATE_SEEDS = 30  # as many as one may still be asked to run

Word = Literal["better", "worse", "no difference shown", "not enough seeds"]


@dataclass(frozen=True)
class Verdict:
    """What may be said of a comparison, in words.

    seeds_needed: how many seeds in all would show the observed difference with 80 % power, if
    it is the true one. Set only for "not enough seeds", and None where it is beyond 1000 or, at
    one seed, not known.
    """

    word: Word
    seeds_needed: int | None = None


def verdict(
    result: PairedResult,
    p_adjusted: float,
    *,
    direction: Literal["higher", "lower"],
    noise: float,
    alpha: float = 0.05,
) -> Verdict:
    """What `result` shows, by the p value that was adjusted for the number of comparisons.

    direction: which scores are better. noise: `seed_noise` of the reference. In this order:

    1. One seed: "not enough seeds".
    2. p_adjusted < alpha: "better" or "worse".
    3. |mean| > noise, or at most 30 seeds in all would show the observed mean and sd with 80 %
       power: "not enough seeds".
    4. "no difference shown". That is not "equal": the interval says how different they can be.

    Seeds are counted for the alpha that the adjustment left, alpha * p / p_adjusted. A verdict
    of rule 3 is a reason to run more, not a hint of a difference: at five seeds 25 % of the
    comparisons of a loss with itself get it (4000 simulated, normal runs), as an observed
    difference is mostly too large where there is none.
    """
    if direction not in ("higher", "lower"):
        raise InputError(f"The direction is '{direction}'. Give 'higher' or 'lower'.")
    if result.seeds < 2 or isnan(p_adjusted):
        return Verdict("not enough seeds")
    if p_adjusted < alpha:
        good = (result.mean > 0) == (direction == "higher")
        return Verdict("better" if good else "worse")
    left = alpha * min(1.0, result.p / p_adjusted)
    needed = seeds_needed(result.mean, result.sd, alpha=left)
    if abs(result.mean) > noise or (needed is not None and needed <= MODERATE_SEEDS):
        return Verdict("not enough seeds", needed)
    return Verdict("no difference shown")


def power_of(difference: float, sd: float, *, seeds: int, alpha: float = 0.05) -> float:
    """Chance that the paired t test of so many seeds shows a true difference at alpha.

    sd: standard deviation of the mean differences of the seeds, in the unit of `difference`.
    P(|T| > t(1 - alpha/2)) for the noncentral T of n - 1 degrees of freedom and the
    noncentrality |difference| / sd * sqrt(n). Source: Cohen, Statistical Power Analysis for the
    Behavioral Sciences (1988), sec. 2.2, in its exact form. Holds for normal runs.
    """
    _check_plan(sd, alpha=alpha)
    if seeds < 2:
        return 0.0
    return float(_powers(difference, sd, np.array([seeds]), alpha)[0])


def seeds_needed(
    mean: float, sd: float, *, alpha: float = 0.05, power: float = POWER
) -> int | None:
    """Fewest seeds, at least 2, that show a true difference `mean`; None beyond 1000.

    sd is that of the mean differences of the seeds. One from few seeds is itself uncertain: the
    true one is 0.6 to 2.9 times that of five (95 %, by chi-square), and the answer goes with its
    square.
    """
    _check_plan(sd, alpha=alpha, power=power)
    counts = np.arange(2, MOST_SEEDS + 1)
    enough = np.flatnonzero(_powers(mean, sd, counts, alpha) >= power)
    return int(counts[enough[0]]) if len(enough) else None


def smallest_difference(
    sd: float, seeds: int, *, alpha: float = 0.05, power: float = POWER
) -> float:
    """The true difference that so many seeds show with the chance `power`, in the unit of sd.

    inf for one seed, which shows nothing. It answers "no difference shown": smaller ones could
    not have been expected to show.
    """
    _check_plan(sd, alpha=alpha, power=power)
    if seeds < 2:
        return inf
    if sd == 0:
        return 0.0
    most = 10 * scipy_stats().t.isf(alpha / 2, seeds - 1) + 40  # an effect of power 1
    from scipy.optimize import root_scalar

    excess = partial(_excess_power, seeds=seeds, alpha=alpha, power=power)
    return float(root_scalar(excess, bracket=(0.0, most), method="brentq").root) * sd


def _excess_power(effect: float, *, seeds: int, alpha: float, power: float) -> float:
    return power_of(effect, 1.0, seeds=seeds, alpha=alpha) - power


@dataclass(frozen=True)
class SmallestP:
    """The smallest two-sided p that a number of seeds can give, by test.

    t_test has no floor from two seeds on, and is nan at one: with little spread two seeds give
    any p, on the word of the normal distribution. sign_flip, 2 / 2^n, asks no distribution, only
    that a difference could as well have had the other sign: below six seeds it never gives
    p < 0.05, so there "significant" rests on runs being normal.
    """

    t_test: float
    sign_flip: float


def smallest_p(seeds: int) -> SmallestP:
    """What p a plan of so many seeds can reach at best."""
    if seeds < 1:
        raise InputError(f"A plan of {seeds} seeds shows nothing. Give at least one.")
    return SmallestP(t_test=0.0 if seeds > 1 else nan, sign_flip=2.0 ** (1 - seeds))


def _powers(difference: float, sd: float, counts: np.ndarray, alpha: float) -> np.ndarray:
    if difference == 0 or sd == 0:
        return np.full(len(counts), alpha if difference == 0 and sd > 0 else float(difference != 0))
    stats, freedom = scipy_stats(), counts - 1
    critical = stats.t.isf(alpha / 2, freedom)
    shift = np.minimum(abs(difference) / sd * np.sqrt(counts), 10 * critical + 40)  # power 1
    # scipy 1.17 gives nan where this tail is below its rounding (seen only under 1e-13): 0.
    wrong_sign = np.nan_to_num(stats.nct.cdf(-critical, freedom, shift), nan=0.0)
    return stats.nct.sf(critical, freedom, shift) + wrong_sign


def _check_plan(sd: float, *, alpha: float, power: float = POWER) -> None:
    if not 0 <= sd < inf:
        raise InputError(
            f"The sd is {sd}. Give that of at least two seeds, finite and not negative."
        )
    if not 0 < alpha < 1 or not alpha < power < 1:
        raise InputError(
            f"alpha is {alpha} and power {power}. Give 0 < alpha < power < 1, as 0.05 and 0.8."
        )
