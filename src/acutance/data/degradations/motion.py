"""Blur by a camera that moves straight on while the shutter is open."""

import numpy as np

from acutance.data.degradations import kernels
from acutance.data.degradations.contract import Aim, Option, Stage
from acutance.data.degradations.filtering import convolve

STAGE = Stage(
    text="Blur along a straight line, as of a moving camera",
    options={
        "length": Option(9.0, "of the line, px; 1 is no blur", 1.0, 101.0),
        "angle": Option(0.0, "degrees, counter-clockwise from the horizontal", -360.0, 360.0),
    },
    source="uniform linear motion; the line is one pixel wide, with smooth sides",
)


def motion(picture: np.ndarray, aim: Aim, *, length: float, angle: float) -> np.ndarray:
    """(h, w, c) float32; the border is mirrored."""
    return convolve(picture, kernels.motion(length=length, angle=angle))
