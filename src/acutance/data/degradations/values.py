"""What an option of a stage is written as: a number or word, a range, or a list of them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from acutance.data.degradations.contract import Constant

# of a range: what is drawn evenly, and the way back from it
LAWS: Mapping[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "even": (float, float),
    "log": (math.log, math.exp),
    "square": (lambda x: x * x, math.sqrt),  # of variances, where the option is a deviation
    "inverse": (lambda x: 1 / max(x, 1e-300), lambda x: 1 / x),  # 1e-310 has an infinite one
}


@dataclass(frozen=True)
class Between:
    """A number from low to high: it, or by its law something of it, is drawn evenly."""

    low: float
    high: float
    law: str = "even"  # a name in LAWS

    def __str__(self) -> str:
        pair = f"({plain(self.low)}, {plain(self.high)})"
        return pair if self.law == "even" else f"{self.law}{pair}"

    def at(self, uniform: float) -> float:
        """The number that a uniform one in [0, 1) stands for."""
        forth, back = LAWS[self.law]
        low, high = forth(self.low), forth(self.high)
        return min(max(back(low + uniform * (high - low)), self.low), self.high)


@dataclass(frozen=True)
class OneOf:
    """One of some constants, all equally likely."""

    values: tuple[Constant, ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(plain, self.values))}]"


Value = Constant | Between | OneOf


def plain(value: Value) -> str:
    """As one writes it: 30, where Python has 30.0."""
    return str(value) if isinstance(value, Between | OneOf) else repr(value).removesuffix(".0")
