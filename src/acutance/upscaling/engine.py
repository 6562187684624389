"""What an engine is: a network that can be called on arrays, and what is known about it."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from acutance.models.card import ModelCard


class Engine(Protocol):
    """A network ready to run. `load(path)` of an engine's module gives one."""

    @property
    def card(self) -> ModelCard:
        """Scale, colour and reach of the network."""
        ...

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        """float32 (1, c, h, w) in [0, 1] -> float32 (1, c, scale h, scale w)."""
        ...


@runtime_checkable
class SpreadEngine(Engine, Protocol):
    """An engine that can also give the second output of a network with the head "spread"."""

    def with_spread(self, lr: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        """sr as above, and log_scale of the same shape: exp of it is the spread in [0, 1]."""
        ...


@dataclass(frozen=True)
class EngineFacts:
    """What stands as ENGINE in the module of every engine."""

    package: str  # that it needs
    extra: str  # of this package, which brings it
    reads: tuple[str, ...]  # endings of the files it loads
    tolerance: float  # largest difference to pytorch, in [0, 1], that the tests accept
