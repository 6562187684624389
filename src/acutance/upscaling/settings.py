"""What is asked of a picture: how large, how exact, how strong; and of the file it goes into."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True)
class Size:
    """How large the result is to be; at most one is given, none means the model's own scale.

    `width` or `height` alone keep the proportions, as `fit` (the largest that fits into a box)
    and `megapixels` do.
    """

    scale: Fraction | None = None
    width: int | None = None
    height: int | None = None
    fit: tuple[int, int] | None = None  # width, height
    megapixels: float | None = None


@dataclass(frozen=True)
class Enlargement:
    """How pixels become more pixels."""

    size: Size = Size()
    tile: int | None = None  # side in lr pixels; 0: the whole at once; None: wide bands by memory
    strength: float = 1.0  # 0: the base (bicubic, or the faithful model); 1: the model
    tta: Literal[1, 8] = 1  # mean over the flips and turns
    back_project: int = 0  # steps that make the result, when reduced, agree with the input
    edge: Literal["normal", "wrap"] = "normal"  # wrap: a seamless texture
    fix_colour: bool = False  # take off a cast of the mean colour
    memory: int | None = None  # bytes that the process may hold; None: no bound


@dataclass(frozen=True)
class Output:
    """How the result is written."""

    format: str | None = None  # ending without its dot; None: by the file's name
    metadata: Literal["keep", "no-gps", "strip"] = "keep"
    quality: int | None = None  # 1 to 100 of lossy formats; None: the format's default
    compression: int | None = None  # 0 to 9 of lossless ones; None: fastest
    tag: bool = True  # say in the file what made it
    overwrite: bool = False
