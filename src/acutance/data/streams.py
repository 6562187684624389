"""Random numbers as a pure function of (seed, stream, step), so that no state needs saving."""

from enum import IntEnum

import numpy as np

from acutance.errors import InputError


class Stream(IntEnum):
    """What a random number is for. Streams of one seed never share numbers; values are frozen:

    another value would change every batch of every run that was ever recorded.
    """

    BATCH = 0
    GRID = 1
    PICTURE = 2
    SPLIT = 3
    DEGRADE = 4
    DEGRADE_PICTURE = 5


def philox(seed: int, stream: int, *, step: int, part: int = 0) -> np.random.Philox:
    """The bit generator of (seed, stream, step, part), made afresh.

    The key is (seed, stream), the highest words of the 256-bit counter are the step and its part,
    such as one picture of a batch: two steps are 2^192 draws apart, two parts 2^128.
    Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011), sec. 3.
    """
    named = (("seed", seed), ("stream", stream), ("step", step), ("part", part))
    for name, value in named:
        if not 0 <= value < 2**64:
            raise InputError(
                f"The {name} of a random stream is {value}; it must be from 0 to 2^64 - 1."
            )
    key = np.array([seed, stream], dtype=np.uint64)
    return np.random.Philox(key=key, counter=np.array([0, 0, part, step], dtype=np.uint64))


def generator(seed: int, stream: int, *, step: int, part: int = 0) -> np.random.Generator:
    """numpy's distributions over `philox`: the same in any process with the same numpy."""
    return np.random.Generator(philox(seed, stream, step=step, part=part))


def uniforms(seed: int, stream: int, *, step: int, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform float64 numbers in [0, 1) of (seed, stream, step).

    Taken from the raw 64-bit words, whose values numpy guarantees in every version; those of its
    distributions it does not.
    """
    words = philox(seed, stream, step=step).random_raw(int(np.prod(shape)))
    return ((words >> np.uint64(11)) * 2.0**-53).reshape(shape)


def below(uniform: np.ndarray, count: np.ndarray | int) -> np.ndarray:
    """Whole numbers 0 .. count - 1 from numbers in [0, 1), equally likely within count / 2^53."""
    return (uniform * count).astype(np.int64)
