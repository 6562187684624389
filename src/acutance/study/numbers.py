"""Scores as people read them: as many digits as mean something, the same within one statement."""

from math import isfinite

from acutance.evaluation.judging import card_of

DIGITS = {"dB": 3}  # after the point, by unit
FEWEST = 4  # of metrics without one, whose values are mostly below 1


def digits(value: float, metric: str, *, signed: bool = False) -> str:
    """A value of a metric, or a difference of two, without its unit."""
    return f"{value:{'+' if signed else ''}.{DIGITS.get(card_of(metric).unit, FEWEST)}f}"


def in_unit(value: float, metric: str, *, signed: bool = False) -> str:
    """The same with the unit, where there is one."""
    return f"{digits(value, metric, signed=signed)} {card_of(metric).unit}".rstrip()


def interval(low: float, high: float, metric: str) -> str:
    """The ends of an interval, without the unit; of one seed nothing is known."""
    if not isfinite(low):
        return "–"
    return f"{digits(low, metric, signed=True)} to {digits(high, metric, signed=True)}"
