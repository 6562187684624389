"""Structure tensor: which way edges run and how strongly, in a soft window round each pixel."""

import math

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.edges.derivatives import SMOOTHING, derivatives, mirrored, smoothed
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.windows import gaussian_taps


def smallest_side(*, sigma: float = 1.5) -> int:
    """One more than what is mirrored at each border, in pixels."""
    return math.ceil(3 * sigma) + 1


CONTRACT = Contract(
    source="Foerstner, Guelch: A Fast Operator for Detection and Precise Location of Distinct "
    "Points (ISPRS 1987); as a loss, practice",
    injective=False,
    blind_to=("inversion", "offset"),
    symmetric=True,
    min_size=6,
    min_size_for=smallest_side,
    memory=13,
)


def structure_tensor(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, sigma: float = 1.5
) -> Float[Tensor, " n"]:
    """A third of <|Jxx - Jxx'|> + <|Jxy - Jxy'|> + <|Jyy - Jyy'|> per picture, J' that of hr.

    Jxy is the mean of dx dy under a Gaussian of `sigma` pixels out to 3 sigma, the others
    likewise; dx and dy are Sobel slopes of each channel in intensity per pixel. The border is
    mirrored twice: for the slopes and for the window.
    """
    if not sigma > 0:
        raise InputError(f"structure_tensor's sigma must be above 0 pixels, not {sigma}.")
    sr, hr = prepared(sr, hr, "structure_tensor", min_side=smallest_side(sigma=sigma))
    radius = math.ceil(3 * sigma)
    taps = gaussian_taps(2 * radius + 1, sigma)
    gaps = [a - b for a, b in zip(_products(sr), _products(hr), strict=True)]
    xx, xy, yy = (mean_per_picture(smoothed(mirrored(g, radius), taps).abs()) for g in gaps)
    return (xx + xy + yy) / 3


def _products(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    dx, dy = derivatives(pictures, SMOOTHING["sobel"])
    return dx.square(), dx * dy, dy.square()
