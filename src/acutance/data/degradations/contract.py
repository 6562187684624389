"""What a stage of a chain is, and what it says of itself.

Beside its constant STAGE a stage's file has the function of its name:

    def blur(picture: np.ndarray, aim: Aim, *, sigma: float, ...) -> np.ndarray

`picture` is (h, w, 1 or 3) in levels of 0 to 255: uint8 as files and codecs give it, or float32,
which may lie beyond the range. It is not changed. The options come by name, all of them, as
numbers and words: ranges have been drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

Constant = float | int | str


@dataclass(frozen=True, eq=False)
class Aim:
    """What a stage knows beside its picture."""

    size: tuple[int, int]
    """Height and width of the lr that the chain ends with."""
    draw: np.random.Generator
    """Where everything random inside a stage comes from."""


@dataclass(frozen=True)
class Option:
    """A number between `low` and `high`, or a word among `choices`."""

    default: Constant
    text: str  # what it means, with its unit
    low: float = 0.0
    high: float = 0.0
    whole: bool = False  # a whole number
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """What a stage does, in a line, its options, and where it is from."""

    text: str
    options: Mapping[str, Option] = field(default_factory=dict)
    source: str = ""


def as_levels(picture: np.ndarray) -> np.ndarray:
    """The picture as float32, for arithmetic; a float32 one as it is."""
    return picture.astype(np.float32, copy=False)


def as_bytes(picture: np.ndarray) -> np.ndarray:
    """The picture as a file holds it: clipped to 0..255, rounded half up, uint8."""
    if picture.dtype == np.uint8:
        return picture
    levels = np.clip(picture, 0.0, 255.0)
    levels += np.float32(0.5)
    return levels.astype(np.uint8)  # the cast is the floor
