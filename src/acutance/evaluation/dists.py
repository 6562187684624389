"""DISTS as a metric: structure and texture by the features of VGG16, forgiving of moved grain."""

import numpy as np

from acutance.evaluation.learned import Learned, needs_torch
from acutance.metrics.card import Card

CARD = Card(
    direction="lower",
    unit="",
    range=(0.0, 2.0),
    judges="perception",
    source=(
        "Ding, Ma, Wang, Simoncelli: Image Quality Assessment: Unifying Structure and Texture "
        "Similarity (TPAMI 2020), eq. 7, with the authors' constants; pictures keep their size, "
        "where the authors' program makes the shorter side 256 pixels"
    ),
    identical=0.0,
    sees="colours",
    least_side_px=16,
)


class Dists:
    """DISTS of two pictures uint8 (H, W, 3). Made once: raises InputError where weights lack."""

    def __init__(self) -> None:
        needs_torch("dists")
        from acutance.losses.features.dists import DISTS

        self._distance = Learned(DISTS())

    def __call__(self, sr: np.ndarray, hr: np.ndarray) -> float:
        return self._distance(sr, hr)
