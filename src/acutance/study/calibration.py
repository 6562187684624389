"""Does the test keep its word? Tried on runs that differ by nothing, and on simulated ones.

`false_alarm_rate` takes the scores of many runs of one loss, so it judges the test on the runs
of the study itself, whatever their distribution.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from acutance.errors import InputError
from acutance.study.statistics import checked_scores, compare_paired, paired_p


def false_alarm_rate(
    values: np.ndarray,
    *,
    seeds_per_arm: int,
    resamplings: int = 200,
    alpha: float = 0.05,
    seed: int,
) -> float:
    """Share of comparisons of a loss with itself that the paired t test calls different.

    values: scores (runs, pictures) of one loss under different seeds. Each resampling draws two
    arms without a common run, pairs them as drawn, and counts p < alpha; alpha is right.
    Resamplings share runs, so the rate of one set of runs is a little less certain than their
    number says: over 1500 simulated sets of normal runs, 5 seeds and 200 resamplings its mean was
    4.9 % for 10 runs and 5.0 % for 20, its standard deviation 1.8 % and 1.6 % (1.5 % from the
    resamplings alone). A rate from 1 % to 9 % is therefore no evidence against the test.
    """
    return detection_rate(
        values, 0.0, seeds_per_arm=seeds_per_arm, resamplings=resamplings, alpha=alpha, seed=seed
    )


def detection_rate(
    values: np.ndarray,
    difference: float,
    *,
    seeds_per_arm: int,
    resamplings: int = 200,
    alpha: float = 0.05,
    seed: int,
) -> float:
    """As `false_alarm_rate`, with `difference` added to every score of one arm: the power.

    The arms are not paired by seed, so it is the power of a study whose seeds have nothing in
    common between arms; `power_of` with the sd of real paired differences may be higher.
    """
    runs = checked_scores(values).mean(axis=1)
    if seeds_per_arm < 2 or 2 * seeds_per_arm > len(runs):
        raise InputError(
            f"Two arms of {seeds_per_arm} seeds do not fit into {len(runs)} runs. "
            "Give at least 2 seeds and twice as many runs."
        )
    generator = np.random.default_rng(seed)
    order = generator.permuted(np.tile(np.arange(len(runs)), (resamplings, 1)), axis=1)
    arms = runs[order[:, : 2 * seeds_per_arm]].reshape(resamplings, 2, seeds_per_arm)
    return float(np.mean(paired_p(arms[:, 0] - arms[:, 1] + difference) < alpha))


@dataclass(frozen=True)
class Spread:
    """Standard deviations of what a paired difference is made of, in the unit of the scores."""

    seed: float  # of what a seed does to all pictures
    picture: float  # of what the losses do differently to a picture under every seed
    rest: float  # of what is left: a seed at a picture


def simulated_differences(
    spread: Spread, *, seeds: int, pictures: int, generator: np.random.Generator
) -> np.ndarray:
    """Differences (seeds, pictures) of the true mean 0: normal effects of seed, picture, rest."""
    return (
        generator.normal(0, spread.seed, (seeds, 1))
        + generator.normal(0, spread.picture, (1, pictures))
        + generator.normal(0, spread.rest, (seeds, pictures))
    )


def spread_of(differences: np.ndarray) -> Spread:
    """The spread that differences (seeds, pictures) show, at least two of each.

    The estimates of the two-way table without repetition, by its mean squares; a negative
    variance, which small tables give by chance, is 0. Source: Searle, Casella, McCulloch:
    Variance Components (1992), sec. 4.3.
    """
    table = checked_scores(differences)
    seeds, pictures = table.shape
    if min(seeds, pictures) < 2:
        raise InputError(
            f"Differences of {seeds} seeds and {pictures} pictures have no spread to speak of. "
            "Give at least two of each."
        )
    by_seed, by_picture = table.mean(axis=1), table.mean(axis=0)
    left = table - by_seed[:, None] - by_picture + table.mean()
    rest = float(np.square(left).sum()) / ((seeds - 1) * (pictures - 1))
    return Spread(
        seed=sqrt(max(0.0, float(by_seed.var(ddof=1)) - rest / pictures)),
        picture=sqrt(max(0.0, float(by_picture.var(ddof=1)) - rest / seeds)),
        rest=sqrt(rest),
    )


def interval_coverage(
    spread: Spread, *, seeds: int, pictures: int, studies: int = 1000, seed: int
) -> float:
    """Share of simulated studies whose 95 % interval holds the true mean over all pictures.

    1000 studies give it to 0.7 % (standard error at 95 %).
    """
    generator, held = np.random.default_rng(seed), 0
    for study in range(studies):
        table = simulated_differences(spread, seeds=seeds, pictures=pictures, generator=generator)
        result = compare_paired(table, seed=study, resamplings=2000)
        held += result.low <= 0 <= result.high
    return held / studies
