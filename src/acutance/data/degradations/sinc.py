"""A round low-pass filter: the rings and overshoots that sharpening and compression leave."""

import math

import numpy as np

from acutance.data.degradations import kernels
from acutance.data.degradations.contract import Aim, Option, Stage
from acutance.data.degradations.filtering import convolve

STAGE = Stage(
    text="A low-pass filter with a sharp cutoff, which leaves rings round edges",
    options={
        "cutoff": Option(
            math.pi / 2, "radians per pixel; pi is the finest pattern along an axis", 0.1, 3.2
        ),
        "size": Option(
            21,
            "of the kernel's side, px, beyond it nothing; even ones become one larger",
            1,
            101,
            True,
        ),
    },
    source="Wang, Xie, Dong, Shan: Real-ESRGAN (ICCVW 2021), sec. 3.3",
)


def sinc(picture: np.ndarray, aim: Aim, *, cutoff: float, size: int) -> np.ndarray:
    """(h, w, c) float32, beyond 0 and 255 where it overshoots; the border is mirrored."""
    return convolve(picture, kernels.sinc(size | 1, cutoff=cutoff))
