"""What a search may vary: free weights within ranges, or shares of terms from a pool."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.losses.expression import parse_loss

LEAST_SHARE = 0.02  # a term with less of the gradient than this is left out


@dataclass(frozen=True)
class Knob:
    """A number that trials choose, within [low, high], evenly or evenly in its logarithm."""

    name: str
    low: float
    high: float
    log: bool = False

    def at(self, share: float) -> float:
        """The value that lies at `share`, 0 to 1, of the range."""
        if not self.log:
            return self.low + share * (self.high - self.low)
        return self.low * (self.high / self.low) ** share


@dataclass(frozen=True)
class Space:
    """The knobs, and how their values become a loss."""

    knobs: tuple[Knob, ...]
    loss: str = ""  # with free names, one for each knob
    terms: tuple[str, ...] = ()  # or the terms that share the gradient

    def loss_at(self, values: Mapping[str, float]) -> str:
        """The loss of one trial, in canonical form.

        Of a pool, each knob is a term's part of the whole; parts below 2 % of it are left out.
        """
        if self.loss:
            rounded = {name: float(f"{value:.4g}") for name, value in values.items()}
            return str(parse_loss(self.loss).bind(rounded))
        parts = [values[knob.name] for knob in self.knobs]
        kept = {
            term: part
            for term, part in zip(self.terms, parts, strict=True)
            if part >= LEAST_SHARE * sum(parts) and part > 0
        }
        if not kept:  # all parts 0: evenly
            kept = dict.fromkeys(self.terms, 1.0)
        return _shares(kept)


def _shares(parts: Mapping[str, float]) -> str:
    """Whole percents that sum to 100: what rounding leaves over goes to the largest."""
    whole = sum(parts.values())
    percents = {term: max(1, round(100 * part / whole)) for term, part in parts.items()}
    largest = max(percents, key=lambda term: percents[term])
    percents[largest] += 100 - sum(percents.values())
    if len(percents) == 1:
        return str(parse_loss(largest))
    return str(parse_loss(" + ".join(f"{p}% {term}" for term, p in percents.items())))


def weight_space(loss: str, ranges: Mapping[str, str]) -> Space:
    """The free names of `loss`, each with its range such as "0.01..1:log"."""
    try:
        free = parse_loss(loss).free
    except InputError as error:
        raise InputError(f"--loss '{loss}': {error}") from error
    if not free:
        raise InputError(
            f"'{loss}' leaves nothing to look for. Put names where weights are sought, as in "
            "'l1 + w*fft', and give --range w=0.01..1:log."
        )
    for name in ranges:
        if name not in free:
            raise InputError(f"--range {name}: '{loss}' has no such name. {nearest(name, free)}")
    missing = [name for name in free if name not in ranges]
    if missing:
        raise InputError(
            f"No range for {', '.join(missing)}: give --range {missing[0]}=0.01..1:log."
        )
    return Space(tuple(_knob(name, ranges[name]) for name in free), loss=loss)


def pool_space(terms: Sequence[str]) -> Space:
    """Shares of each of `terms`; single losses, with options if need be."""
    if len(terms) < 2:
        raise InputError("A pool needs two terms or more: --terms l1,fft,ssim.")
    canonical = []
    for term in terms:
        expression = parse_loss(term)
        if len(expression.terms) != 1 or expression.free or expression.has_shares:
            raise InputError(f"--terms takes single losses, and '{term}' is a sum.")
        canonical.append(str(expression))
    for k, term in enumerate(canonical):
        if term in canonical[:k]:
            raise InputError(f"--terms names {term} twice.")
    names = [f"share{k}" for k in range(len(terms))]
    return Space(tuple(Knob(name, 0.0, 1.0) for name in names), terms=tuple(canonical))


_RANGE = re.compile(r"(?P<low>[^:]+?)\.\.(?P<high>[^:]+)(?::(?P<scale>\w+))?")


def _knob(name: str, text: str) -> Knob:
    """One range: LOW..HIGH, or LOW..HIGH:log."""
    advice = f"--range {name}={text}: write it as LOW..HIGH or LOW..HIGH:log, such as 0.01..1:log."
    found = _RANGE.fullmatch(text.strip())
    try:
        low, high = (float(found["low"]), float(found["high"])) if found else (math.nan, math.nan)
    except ValueError as error:
        raise InputError(advice) from error
    scale = found["scale"] if found else None
    if not (math.isfinite(low) and math.isfinite(high)) or scale not in (None, "log", "linear"):
        raise InputError(advice)
    if low < 0 or low >= high or (scale == "log" and low == 0):
        raise InputError(
            f"--range {name}={text}: the lower end must be below the upper one, not negative, "
            "and above 0 where the range is logarithmic."
        )
    return Knob(name, low, high, log=scale == "log")
