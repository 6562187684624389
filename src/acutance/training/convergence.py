"""Decide from the validation scores whether going on would still pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

WINDOW = 8  # scores that the slope is fitted to
QUANTILE = 1.943  # one-sided 95 % of Student's t with WINDOW - 2 degrees of freedom


@dataclass(frozen=True)
class Trend:
    """The slope of the last scores in dB per step, and the upper end of its 95 % interval."""

    slope: float
    upper: float
    window_steps: int

    def gain_db(self) -> float:
        """What the next window of the same length would bring at most, in dB."""
        return self.upper * self.window_steps


def trend(steps: Sequence[int], scores: Sequence[float]) -> Trend | None:
    """Least squares over the last WINDOW scores; None while there are fewer."""
    if len(scores) < WINDOW:
        return None
    x, y = list(steps[-WINDOW:]), list(scores[-WINDOW:])
    mean_x, mean_y = sum(x) / WINDOW, sum(y) / WINDOW
    spread = sum((a - mean_x) ** 2 for a in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    rest = sum((b - mean_y - slope * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    error = sqrt(rest / (WINDOW - 2) / spread)
    return Trend(slope, slope + QUANTILE * error, x[-1] - x[0])


def has_converged(steps: Sequence[int], scores: Sequence[float], gain_db: float) -> bool:
    """Whether the next window would, with 95 % confidence, bring less than `gain_db`."""
    found = trend(steps, scores)
    return found is not None and found.gain_db() < gain_db
