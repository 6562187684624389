"""Laplacian: error of lines and dots, by the second derivative of a slightly blurred error."""

import math

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.edges.derivatives import LUMA, brightness, mirrored, smoothed
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.windows import gaussian_taps


def smallest_side(*, sigma: float = 1.0) -> int:
    """One more than what is mirrored at each border, in pixels."""
    return math.ceil(3 * sigma) + 2


CONTRACT = Contract(
    source="Marr, Hildreth: Theory of Edge Detection (Proc. R. Soc. 1980); as a loss Zamir et al.: "
    "Multi-Stage Progressive Image Restoration (MPRNet, CVPR 2021), sec. 3.3",
    at_identity=1e-3,  # eps, for sqrt(0 + eps^2)
    injective=False,
    blind_to=("offset",),
    symmetric=True,
    min_size=5,
    min_size_for=smallest_side,
    memory=7.5,
)


def laplacian(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    sigma: float = 1.0,
    eps: float = 1e-3,
    centred: bool = False,
    luma: bool = False,
) -> Float[Tensor, " n"]:
    """Mean of sqrt(L^2 + eps^2) per picture, L the Laplacian of the blurred error sr - hr.

    The blur is a Gaussian of `sigma` pixels (0: none) out to 3 sigma; L is the sum of the four
    neighbours less four times the pixel; the border is mirrored. `centred` takes eps off, so
    that 0 is least; `luma` weighs R, G and B by BT.601 first. MPRNet blurs, shrinks, enlarges
    and subtracts instead (see laplacian_pyramid), with this eps and the weight 0.05 beside a
    pixel loss.
    """
    if not (sigma >= 0 and eps > 0):
        raise InputError(
            f"laplacian takes sigma of 0 or more and eps above 0, not sigma={sigma}, eps={eps}."
        )
    sr, hr = prepared(sr, hr, "laplacian", min_side=smallest_side(sigma=sigma))
    error = sr - hr
    if luma:
        error = brightness(error, LUMA, "laplacian")
    radius = math.ceil(3 * sigma)
    taps = gaussian_taps(2 * radius + 1, sigma) if radius else (1.0,)
    blurred = smoothed(mirrored(error, radius + 1), taps)
    beside = blurred[..., 1:-1, :-2] + blurred[..., 1:-1, 2:]
    above = blurred[..., :-2, 1:-1] + blurred[..., 2:, 1:-1]
    second = beside + above - 4 * blurred[..., 1:-1, 1:-1]
    value = mean_per_picture((second.square() + eps**2).sqrt())
    return value - eps if centred else value
