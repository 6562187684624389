"""LPIPS as a metric: the distance that people see, by the features of AlexNet."""

import math

import numpy as np

from acutance.evaluation.learned import Learned, needs_torch
from acutance.metrics.card import Card

CARD = Card(
    direction="lower",
    unit="",
    range=(0.0, math.inf),
    judges="perception",
    source=(
        "Zhang, Isola, Efros, Shechtman, Wang: The Unreasonable Effectiveness of Deep Features as "
        "a Perceptual Metric (CVPR 2018), eq. 1; AlexNet and the heads of version 0.1"
    ),
    identical=0.0,
    sees="colours",
    least_side_px=31,
)


class Lpips:
    """LPIPS of two pictures uint8 (H, W, 3). Made once: raises InputError where weights lack."""

    def __init__(self) -> None:
        needs_torch("lpips")
        from acutance.losses.features.lpips import LPIPS

        self._distance = Learned(LPIPS(net="alex"))

    def __call__(self, sr: np.ndarray, hr: np.ndarray) -> float:
        return self._distance(sr, hr)
