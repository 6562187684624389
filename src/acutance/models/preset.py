"""A preset: one published or proven choice of a network's constants."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Constant = bool | int | float | str
"""What a network's constructor takes, and what a model file can therefore hold."""


@dataclass(frozen=True)
class Preset:
    """Constants of a network with what is known about the result; tests hold the claims.

    The entries of a module's PRESETS are written as literals: the list of networks is read from
    the source text, so that it appears at once and without torch (`listing.py`).
    """

    parameters: int  # everything that is trained, at x2
    reach: int | None  # lr pixels, at x2; None: every pixel matters
    channels: int  # 1: luma; 3: RGB
    source: str
    arguments: Mapping[str, Constant] = field(default_factory=dict)
