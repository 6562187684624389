"""A ranking from choices between pairs, with intervals: the model of Bradley and Terry.

Each side has a strength; the one of strength a is chosen over that of b with the probability
1 / (1 + exp(b - a)). Source: Bradley, Terry: Rank Analysis of Incomplete Block Designs: I
(Biometrika 39, 1952). A tie counts as half a choice for each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np

from acutance.errors import InputError

PRIOR_SD = 3.0
"""Of the strengths, normal round 0: keeps a side that never lost finite. With a strength of 3, 95 %
of the choices against an average side are won: it says next to nothing below that."""
CRITICAL = 3.841458820694124  # 95 % of chi squared with one degree of freedom
FURTHEST = 40.0  # where an interval that no choice bounds is cut
_ROUNDS = 200


@dataclass(frozen=True)
class Rank:
    """A side's strength with its 95 % interval; the strengths of all sum to 0."""

    side: int
    strength: float
    low: float
    high: float
    wins: float  # a tie is half of one
    compared: int

    @property
    def chance(self) -> float:
        """Of being chosen over a side of strength 0, the average of these."""
        return 1 / (1 + exp(-self.strength))


def rank(wins: np.ndarray) -> list[Rank]:
    """Sides by strength, the strongest first, of `wins` (K, K): [i, j] is how often i beat j.

    The most likely strengths under the prior, found by Newton's method. An interval holds every
    value of a side's strength at which the log likelihood, largest over all others' strengths, is
    at most 1.92 below its maximum (profile likelihood). It takes choices as independent: it is
    about these persons and pictures, not about others.
    """
    table = np.asarray(wins, dtype=float)
    count = len(table)
    if table.shape != (count, count) or count < 2 or (table < 0).any():
        raise InputError(f"Wins are a table (K, K) of 2 sides or more, not {table.shape}.")
    strengths, best = _most_likely(table, None)
    found = []
    for side in range(count):
        strength, won = float(strengths[side]), float(table[side].sum())
        low, high = (_end(table, side, strength, best, sign) for sign in (-1, 1))
        compared = round(won + float(table[:, side].sum()))
        found.append(Rank(side, strength, low, high, won, compared))
    return sorted(found, key=lambda one: -one.strength)


def _end(
    wins: np.ndarray, side: int, strength: float, best: float, sign: int
) -> float:  # fmt: skip
    """Where the profile falls to its bound, above (sign 1) or below the strength."""

    def outside(value: float) -> bool:
        return 2 * (best - _most_likely(wins, (side, value))[1]) > CRITICAL

    step = 0.5
    while not outside(strength + sign * step):
        step *= 2
        if step > FURTHEST:
            return strength + sign * FURTHEST
    return strength + sign * _bisected(lambda d: outside(strength + sign * d), step)


def _bisected(outside: Callable[[float], bool], high: float) -> float:
    low = 0.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if outside(middle) else (middle, high)
    return (low + high) / 2


def _most_likely(wins: np.ndarray, held: tuple[int, float] | None) -> tuple[np.ndarray, float]:
    """Strengths that sum to 0, one of them `held` at a value or none, and their log likelihood.

    Newton's method over the directions that are free; the function is strictly concave.
    """
    count = len(wins)
    start = np.zeros(count)
    fixed = np.ones((1, count))
    if held is not None:
        start[:] = -held[1] / (count - 1)
        start[held[0]] = held[1]
        fixed = np.vstack([fixed, np.eye(count)[held[0]]])
    free = np.linalg.svd(fixed)[2][len(fixed) :]  # (free directions, K)
    theta, value = start, _likelihood(wins, start)
    for _ in range(_ROUNDS):
        slope, curve = _derivatives(wins, theta)
        if not len(free):
            break
        step = free.T @ np.linalg.solve(free @ curve @ free.T, free @ slope)
        length = 1.0
        while length > 1e-8 and _likelihood(wins, theta + length * step) < value:
            length /= 2
        theta = theta + length * step
        gained, value = _likelihood(wins, theta) - value, _likelihood(wins, theta)
        if abs(gained) < 1e-12 and np.abs(step).max() < 1e-7:
            break
    return theta, value


def _likelihood(wins: np.ndarray, theta: np.ndarray) -> float:
    ahead = theta[:, None] - theta[None, :]
    return float(-(wins * np.logaddexp(0, -ahead)).sum() - (theta**2).sum() / (2 * PRIOR_SD**2))


def _derivatives(wins: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gradient, and minus the second derivatives."""
    chance = 1 / (1 + np.exp(theta[None, :] - theta[:, None]))
    together = wins + wins.T
    slope = (wins - together * chance).sum(axis=1) - theta / PRIOR_SD**2
    curve = -together * chance * (1 - chance)
    np.fill_diagonal(curve, 0)
    np.fill_diagonal(curve, -curve.sum(axis=1) + 1 / PRIOR_SD**2)
    return slope, curve


def share_interval(part: float, whole: int) -> tuple[float, float]:
    """95 % interval of a share, `part` of `whole` (Wilson, JASA 22, 1927, eq. 3)."""
    if whole == 0:
        return 0.0, 1.0
    z2, share = CRITICAL, part / whole
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = sqrt(z2 * (share * (1 - share) / whole + z2 / (4 * whole**2))) / (1 + z2 / whole)
    return max(0.0, middle - half), min(1.0, middle + half)
