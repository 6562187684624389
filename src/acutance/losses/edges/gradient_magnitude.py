"""Gradient magnitude: how steep the picture is at each pixel, whatever the direction."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.edges.derivatives import derivatives, smoothing
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Ma, Rao, Cheng, Chen, Lu, Zhou: Structure-Preserving Super Resolution with Gradient "
    "Guidance (SPSR, CVPR 2020), sec. 3.3",
    injective=False,
    blind_to=("inversion", "offset"),
    symmetric=True,
    min_size=3,
    memory=11,
)
ROUNDING = 1e-6  # of a root of float32 numbers up to 1, with room


def gradient_magnitude(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    kernel: Literal["sobel", "scharr", "prewitt"] = "sobel",
    eps: float = 1e-3,
) -> Float[Tensor, " n"]:
    """Mean of |m(sr) - m(hr)| per picture, m = sqrt(dx^2 + dy^2 + eps^2).

    Slopes are in intensity per pixel, the border is mirrored. eps keeps the gradient finite on
    flat areas; slopes well below it are not told apart. A dark line and a bright one are the
    same to it. A difference of 1e-6 or less counts as none: 8-bit pictures have many ties, and
    their slope is to be 0 however the sums are rounded.
    """
    if not eps > 0:
        raise InputError(f"gradient_magnitude's eps must be above 0, not {eps}.")
    weights = smoothing(kernel, "gradient_magnitude")
    sr, hr = prepared(sr, hr, "gradient_magnitude", min_side=3)
    x, y = (_magnitude(pictures, weights, eps) for pictures in (sr, hr))
    return mean_per_picture(F.hardshrink(x - y, ROUNDING).abs())


def _magnitude(pictures: Tensor, weights: tuple[float, float], eps: float) -> Tensor:
    dx, dy = derivatives(pictures, weights)
    return (dx.square() + dy.square() + eps**2).sqrt()
