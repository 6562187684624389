"""Values of the margin losses."""

import numpy as np
from tests.losses.anchors import Anchor, Twin
from tests.losses.reference.triplet_margin import triplet_margin

ANCHORS = [
    Anchor(
        "cross_domain_margin",
        "formula",
        0.08425106804874728,
        (0.08644184453295208, 0.08644344022331155),
    ),
    Anchor(
        "cross_domain_margin(s=0.01)",
        "formula",
        0.0023131552968409593,
        (0.00260045402709695, 0.0025737315325435727),
    ),
    Anchor(
        "epsilon_insensitive(s=0.01)",
        "formula",
        0.008063151041666666,
        (0.006158715873502178, 0.006130291309232026),
    ),
]


def beyond(sr: np.ndarray, hr: np.ndarray, s: float, power: int) -> np.ndarray:
    return (np.maximum(0, np.abs(sr - hr) - s) ** power).mean(axis=(1, 2, 3))


TWINS = [
    Twin("epsilon_insensitive", "Vapnik 1995", lambda x, y: beyond(x, y, 0.004, 1)),
    Twin("squared_epsilon_insensitive", "the square of it", lambda x, y: beyond(x, y, 0.004, 2)),
    Twin("squared_epsilon_insensitive(s=0.1)", "same", lambda x, y: beyond(x, y, 0.1, 2)),
    Twin(
        "triplet_margin(margin=1.0)",
        "FaceNet, eq. 3; Keys 1981",
        lambda x, y, lr: triplet_margin(x, y, lr, 1.0, 0.008),
        needs=("lr",),
    ),
    Twin(
        "triplet_margin(margin=0.8, threshold=0.2)",
        "FaceNet, eq. 3; Keys 1981",
        lambda x, y, lr: triplet_margin(x, y, lr, 0.8, 0.2),
        needs=("lr",),
    ),
]
