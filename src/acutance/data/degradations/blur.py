"""Blur by a Gaussian, round or drawn out, or by its flatter and steeper relatives."""

import numpy as np

from acutance.data.degradations import kernels
from acutance.data.degradations.contract import Aim, Option, Stage, as_levels
from acutance.data.degradations.filtering import along_axes, convolve, line_taps

STAGE = Stage(
    text="Blur by a Gaussian, round or drawn out, generalised, or by a plateau",
    options={
        "sigma": Option(1.0, "standard deviation along the angle, px; 0 is no blur", 0.0, 50.0),
        "across": Option(0.0, "standard deviation across it, px; 0 is as sigma", 0.0, 50.0),
        "angle": Option(0.0, "degrees, counter-clockwise from the horizontal", -360.0, 360.0),
        "beta": Option(1.0, "exponent: above 1 flatter on top, steeper at the side", 0.1, 8.0),
        "form": Option(
            "gaussian",
            "exp(-d^(2 beta)/2), or a plateau 1/(1 + d^(2 beta))",
            choices=("gaussian", "plateau"),
        ),
        "size": Option(
            21,
            "of the kernel's side, px, beyond it nothing; even ones become one larger",
            1,
            101,
            True,
        ),
    },
    source="Wang, Xie, Dong, Shan: Real-ESRGAN (ICCVW 2021), sec. 3.1",
)


def blur(
    picture: np.ndarray,
    aim: Aim,
    *,
    sigma: float,
    across: float,
    angle: float,
    beta: float,
    form: str,
    size: int,
) -> np.ndarray:
    """(h, w, c) float32; the border is mirrored."""
    size |= 1
    across = across or sigma
    if not across:
        return as_levels(picture)
    square = sigma == across or angle % 90 == 0
    if form == "gaussian" and beta == 1 and square:
        rows, columns = (across, sigma) if angle % 180 == 0 else (sigma, across)
        lines = [kernels.gaussian_line(size, one) for one in (rows, columns)]
        taps = [line_taps(n, one) for n, one in zip(picture.shape[:2], lines, strict=True)]
        return along_axes(picture, *taps)
    shape = kernels.gaussian if form == "gaussian" else kernels.plateau
    return convolve(picture, shape(size, sigma=sigma, across=across, angle=angle, beta=beta))
