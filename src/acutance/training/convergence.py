"""Decide from the validation scores whether going on would still pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

WINDOW = 8  # scores that the slope is fitted to
QUANTILE = 1.943  # one-sided 95 % of Student's t with WINDOW - 2 degrees of freedom


@dataclass(frozen=True)
class Scored:
    """One validation: PSNR in dB, and where one is asked for a perceptual score.

    Larger is better in `perceptual`: one of which less is better stands with its sign changed. It
    is None where none was asked for, or a picture could not be judged.
    """

    step: int
    psnr: float
    perceptual: float | None = None


@dataclass(frozen=True)
class Trend:
    """The slope of the last scores per step, and both ends of what holds it with 95 % each."""

    slope: float
    lower: float
    upper: float
    window_steps: int

    def gain(self) -> float:
        """What the next window of the same length would bring at most."""
        return self.upper * self.window_steps

    def change(self) -> float:
        """What this window brought by the fitted line."""
        return self.slope * self.window_steps


def trend(steps: Sequence[int], scores: Sequence[float]) -> Trend | None:
    """Least squares over the last WINDOW scores; None while there are fewer."""
    if len(scores) < WINDOW:
        return None
    x, y = list(steps[-WINDOW:]), list(scores[-WINDOW:])
    mean_x, mean_y = sum(x) / WINDOW, sum(y) / WINDOW
    spread = sum((a - mean_x) ** 2 for a in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    rest = sum((b - mean_y - slope * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    error = QUANTILE * sqrt(rest / (WINDOW - 2) / spread)
    return Trend(slope, slope - error, slope + error, x[-1] - x[0])


def has_converged(steps: Sequence[int], scores: Sequence[float], gain_db: float) -> bool:
    """Whether the next window would, with 95 % confidence, bring less than `gain_db`."""
    found = trend(steps, scores)
    return found is not None and found.gain() < gain_db


def settled(scores: Sequence[Scored], *, gain_db: float, gain_perceptual: float) -> str:
    """Why a perceptual run should stop: "plateau", "drift", or "" for going on.

    plateau: the next window would, with 95 % confidence, bring less than `gain_db` of PSNR and
    less than `gain_perceptual`, a share of its present value, of the perceptual score. drift: the
    perceptual score is getting worse with 95 % confidence, by more than that share in this window,
    and PSNR does not pay for it: it is not, by as much as `gain_db` and with that confidence,
    getting better.
    """
    seen = [(s.step, s.psnr, s.perceptual) for s in scores if s.perceptual is not None]
    steps = [step for step, _, _ in seen]
    fidelity = trend(steps, [psnr for _, psnr, _ in seen])
    perception = trend(steps, [value for _, _, value in seen])
    if fidelity is None or perception is None:
        return ""
    worth = gain_perceptual * abs(sum(value for _, _, value in seen[-WINDOW:]) / WINDOW)
    gets_worse = perception.upper < 0 and -perception.change() > worth
    if gets_worse and not (fidelity.lower > 0 and fidelity.change() > gain_db):
        return "drift"
    if not gets_worse and perception.gain() < worth and fidelity.gain() < gain_db:
        return "plateau"
    return ""
