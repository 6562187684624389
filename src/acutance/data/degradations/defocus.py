"""Blur by a lens that is not in focus: a point becomes a disc."""

import numpy as np

from acutance.data.degradations import kernels
from acutance.data.degradations.contract import Aim, Option, Stage
from acutance.data.degradations.filtering import convolve

STAGE = Stage(
    text="Blur by an even disc, as of a lens out of focus",
    options={"radius": Option(2.0, "of the disc, px; up to 0.5 is no blur", 0.0, 50.0)},
    source="geometrical optics of a round aperture; a pixel weighs what the disc covers of it",
)


def defocus(picture: np.ndarray, aim: Aim, *, radius: float) -> np.ndarray:
    """(h, w, c) float32; the border is mirrored."""
    return convolve(picture, kernels.disc(radius=radius))
