"""What a loss claims of itself: read by the tests, the reader of expressions and the documents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from acutance.errors import InputError

# The promises that every loss makes; one that cannot keep one says so in `exceptions`. The order is
# that in which a fault is best mended: what breaks one point often breaks those below it.
POINTS = (
    "shape_and_type",
    "out_of_range",
    "finite_at_equality",
    "minimum_at_equality",
    "per_picture",
    "gradcheck",
    "symmetry",
    "homogeneity",
    "blind_spots",
    "tiling",
    "degenerate",
    "precision",
    "layout",
    "sizes",
    "determinism",
    "no_host_sync",
    "compile",
    "descends",
    "memory",
)


@runtime_checkable
class Loss(Protocol):
    """One value per picture, smaller is better. A parameter annotated so takes a term."""

    def __call__(self, sr: Any, hr: Any, /) -> Any: ...


@dataclass(frozen=True)
class Contract:
    """The claims of one loss, proven by acutance.losses.proof at its default constants.

    `at_identity` is the value of f(hr, hr), None where it depends on the picture. `degree` is the
    d of f(hr + t e, hr) = t^d f(hr + e, hr), None where there is none. `min_size` is the
    smallest side in pixels; where constants change it, `min_size_for` takes those constants by
    name and gives the side. `memory` is the peak of extra memory in forward and backward, as a
    multiple of sr's own, for eight pictures of 192 pixels a side. `channels` are the counts it
    takes; empty means any. Sides have to be divisible by `multiple`. `blind_to` names changes of a
    picture (acutance.losses.proof.blindness) that the loss does not see; one that is not injective
    names at least one. `proof` are the constants to prove it with where the defaults need what is
    not everywhere, such as trained weights; a loss inside it is written as text.
    """

    source: str
    at_identity: float | None = 0.0
    injective: bool = True  # zero distance only between equal pictures
    symmetric: bool = False
    needs: tuple[str, ...] = ()  # extras it asks for by parameter name
    min_size: int = 1
    min_size_for: Callable[..., int] | None = None
    multiple: int = 1
    channels: tuple[int, ...] = ()
    blind_to: tuple[str, ...] = ()
    batch_coupled: bool = False
    stochastic: bool = False
    can_be_negative: bool = False
    degree: float | None = None
    memory: float = 4.0
    proof: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    exceptions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for point in self.exceptions:
            if point not in POINTS:
                raise InputError(f"A contract has no point '{point}'. Known: {', '.join(POINTS)}.")

    @property
    def zero_at_equality(self) -> bool:
        """Whether f(hr, hr) is 0 for every picture."""
        return self.at_identity == 0.0

    def smallest(self, constants: Mapping[str, Any]) -> int:
        """The smallest side in pixels with these constants."""
        if self.min_size_for is None:
            return self.min_size
        asked = signature(self.min_size_for).parameters
        return self.min_size_for(**{name: constants[name] for name in asked if name in constants})
