"""What a metric says of itself; reports and documents print it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from acutance.errors import InputError


@dataclass(frozen=True)
class Card:
    """How to read a metric's values, and where it comes from."""

    direction: Literal["higher", "lower"]  # which is better
    unit: str
    range: tuple[float, float]  # the values it can take
    judges: Literal["fidelity", "perception"]
    source: str
    identical: float  # its value for two equal pictures


def check_pair(sr: np.ndarray, hr: np.ndarray) -> None:
    """Two pictures can be compared: one shape, (H, W) or (H, W, C), and not empty."""
    if sr.shape != hr.shape:
        raise InputError(
            f"Pictures of different shapes cannot be compared: {sr.shape} and {hr.shape}. "
            "Crop or resize one of them first."
        )
    if sr.ndim not in (2, 3) or sr.size == 0:
        raise InputError(f"Pictures are compared as (H, W) or (H, W, C), not {sr.shape}.")
