"""What a metric says of itself; reports and documents print it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from acutance.errors import InputError

Beside = Literal["hr", "lr", "nothing"]
Sees = Literal["compared", "picture", "colours", "whole"]


@dataclass(frozen=True)
class Card:
    """How to read a metric's values, where it comes from, and which pictures it is called with.

    The metric is called with what was made and what stands `beside` it: f(sr, hr), f(sr, lr) or
    f(sr). `sees` says what these are. "compared": as the protocol compares them, luma or colours,
    without the border. "picture": 8 bits without the border, colours, or luma where the protocol
    makes no colours. "colours": the same, but only colours. "whole": 8-bit colours with the
    border.
    """

    direction: Literal["higher", "lower"]  # which is better
    unit: str
    range: tuple[float, float]  # the values it can take
    judges: Literal["fidelity", "perception"]
    source: str
    identical: float | None  # its value for two equal pictures; None where it sees but one
    beside: Beside = "hr"
    sees: Sees = "compared"
    least_side_px: int = 1  # of what it sees


def check_pair(sr: np.ndarray, hr: np.ndarray) -> None:
    """Two pictures can be compared: one shape, (H, W) or (H, W, C), and not empty."""
    if sr.shape != hr.shape:
        raise InputError(
            f"Pictures of different shapes cannot be compared: {sr.shape} and {hr.shape}. "
            "Crop or resize one of them first."
        )
    if sr.ndim not in (2, 3) or sr.size == 0:
        raise InputError(f"Pictures are compared as (H, W) or (H, W, C), not {sr.shape}.")
