"""Nothing that a network gives becomes a picture before it was looked at."""

from collections.abc import Callable
from typing import Protocol, cast, runtime_checkable

import numpy as np

from acutance.errors import InputError, RunError
from acutance.upscaling.engine import Engine
from acutance.upscaling.windows import Run

# In [0, 1]. Bounds are wide: what lies beyond them is no matter of taste.
_VARIES = 4 / 255  # an input whose values lie further apart is not constant
_CONSTANT = 1e-4  # an output whose values lie nearer together is
_NOT_BLACK = 8 / 255  # a mean that black does not explain
_FAR = 0.5  # between the means of input and output
_OF_A_FAILURE = 4  # halvings: a sixteenth of the pixels needs a sixteenth of the memory


class Fault(Exception):  # noqa: N818  # of what was given, not of a call
    """A network gave what is no picture, or failed; the text says how, for a longer message."""

    def __init__(self, how: str, *, halvings: int) -> None:
        super().__init__(how)
        self.halvings = halvings  # how often it is worth trying with half the pixels


@runtime_checkable
class PreciseEngine(Protocol):
    """An engine that can give its network in a higher precision."""

    def precise(self) -> Engine:
        """The same network, as exact as the engine can."""
        ...


def finite(engine: Engine) -> Run:
    """The engine, refusing what is not finite: for scoring, where a bad network is a bad score."""
    return lambda lr: _checked(engine, lr, fault_of=_not_finite)


def checked(engine: Engine) -> Run:
    """The engine, refusing what is no picture of its input, after one more try.

    The second try is in higher precision where the engine has one. Raises Fault.
    """

    def run(lr: np.ndarray) -> np.ndarray:
        try:
            return _checked(engine, lr, fault_of=fault_in)
        except Fault as fault:
            if fault.halvings > 1:
                raise
        again = engine.precise() if isinstance(engine, PreciseEngine) else engine
        return _checked(again, lr, fault_of=fault_in)

    return run


def fault_in(lr: np.ndarray, sr: np.ndarray) -> str | None:
    """What is wrong with `sr` (1, c, H, W) as an enlargement of `lr`, both in [0, 1]; else None."""
    if not np.isfinite(sr).all():
        return _NOT_FINITE
    mean, low, high = float(lr.mean()), float(sr.min()), float(sr.max())
    if high - low < _CONSTANT and float(np.ptp(lr)) > _VARIES:
        return "as one constant colour, which they are not"
    if high <= 0 and mean > _NOT_BLACK:
        return "black, which they are not"
    if abs(float(sr.mean()) - mean) > _FAR:
        return "far darker or brighter than they are"
    return None


def _not_finite(lr: np.ndarray, sr: np.ndarray) -> str | None:  # noqa: ARG001  # as fault_in
    return None if np.isfinite(sr).all() else _NOT_FINITE


def _checked(
    engine: Engine, lr: np.ndarray, *, fault_of: Callable[[np.ndarray, np.ndarray], str | None]
) -> np.ndarray:
    try:
        sr = engine(lr)
    except InputError:
        raise
    except MemoryError:
        raise Fault("not at all: the memory is full", halvings=_OF_A_FAILURE) from None
    except Exception as error:  # engines raise whatever they like
        how = f"not at all: {type(error).__name__}: {_first_line(error)}"
        raise Fault(how, halvings=_OF_A_FAILURE) from error
    scale, (_, channels, height, width) = engine.card.scale, lr.shape
    expected = (1, channels, height * scale, width * scale)
    if sr.shape != expected:
        raise RunError(f"The engine gave an array of {sr.shape} instead of {expected}: a defect.")
    how = fault_of(lr, sr)
    if how is not None:
        raise Fault(how, halvings=1)
    return cast(np.ndarray, sr)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


_NOT_FINITE = "as numbers that are not finite"
