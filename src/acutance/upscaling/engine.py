"""What an engine is: a network that can be called on arrays, and what is known about it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from acutance.errors import RunError
from acutance.models.card import ModelCard

Precision = Literal["f32", "bf16", "f16", "int8"]


class Engine(Protocol):
    """A network ready to run, called from one thread at a time.

    Raises MemoryError where a piece is too large for this machine (a smaller one may do), and
    RunError where the network cannot be run.
    """

    @property
    def card(self) -> ModelCard:
        """Scale, colour and reach of the network."""
        ...

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        """float32 (1, c, h, w) in [0, 1] -> float32 (1, c, scale h, scale w)."""
        ...


class NamedEngine(Engine, Protocol):
    """What `load(path, how)` of an engine's module gives: also what to write into a record."""

    @property
    def name(self) -> str:
        """As in the table ENGINES."""
        ...

    @property
    def precision(self) -> Precision:
        """What it computes in; the result is float32 in any case."""
        ...


@runtime_checkable
class SpreadEngine(Engine, Protocol):
    """An engine that can also give the second output of a network with the head "spread"."""

    def with_spread(self, lr: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        """sr as above, and log_scale of the same shape: exp of it is the spread in [0, 1]."""
        ...


@dataclass(frozen=True)
class How:
    """How a network is to be run."""

    fast: bool = False  # less precision than float32 is welcome where it is faster
    threads: int | None = None  # None: OMP_NUM_THREADS where it is set, else the engine's choice

    @property
    def thread_count(self) -> int:
        """Threads to be used; 0 leaves it to the engine."""
        told = os.environ.get("OMP_NUM_THREADS", "")
        return self.threads or (int(told) if told.isdecimal() else 0)


PLAIN = How()


@dataclass(frozen=True)
class EngineFacts:
    """What stands as ENGINE in the module of every engine."""

    package: str  # that it needs
    extra: str  # of this package, which brings it
    reads: tuple[str, ...]  # endings of the files it loads
    tolerance: float  # largest difference to the network in plain torch, as a share of the largest
    # value, that the tests accept: sums are made in other orders
    start_s: float  # about what importing the package takes on two cores


@contextmanager
def told_apart(engine: str) -> Iterator[None]:
    """Errors of a runtime as those that an Engine raises: too large, or broken."""
    try:
        yield
    except (MemoryError, RunError):
        raise
    except Exception as error:  # runtimes have many classes, and none that says "memory"
        reason = str(error).strip()
        if any(word in reason.lower() for word in _MEMORY_WORDS):
            raise MemoryError(f"The engine {engine}: {_first_line(reason)}") from error
        raise RunError(
            f"The engine {engine} cannot run the network: {_first_line(reason)}. "
            "Try another engine, or another model."
        ) from error


_MEMORY_WORDS = (
    "allocate memory",
    "bad allocation",
    "bad_alloc",
    "could not allocate",
    "failed to allocate",
    "not enough memory",
    "out of memory",
)


def _first_line(text: str) -> str:
    return text.splitlines()[0][:300] if text else "it does not say why"
