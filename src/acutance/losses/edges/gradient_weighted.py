"""Gradient-weighted: absolute error that counts more where the error has edges and corners."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.edges.derivatives import SMOOTHING, derivatives
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Wei, Xie, Lu, Zhan, Ye, Zuo, Lin: Component Divide-and-Conquer (CDC, ECCV 2020), "
    "sec. 3.3",
    symmetric=True,
    min_size=3,
    memory=6.5,
)


def gradient_weighted(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    gain: float = 4.0,
    detach: bool = False,
) -> Float[Tensor, " n"]:
    """Mean of (1 + gain |dx|) (1 + gain |dy|) |e| per picture, e = sr - hr.

    dx and dy are Sobel slopes, in intensity per pixel, of the mean of e over the channels, so the
    factor is at most (1 + gain)^2. `detach` holds it constant for the gradient, which the paper
    does not. The paper's code takes Sobel without its factor 1/8, and writes the two diagonal
    kernels over with the two upright ones, so that its factor is squared and reaches 83521.
    """
    if not gain >= 0:
        raise InputError(f"gradient_weighted's gain must be 0 or more, not {gain}.")
    sr, hr = prepared(sr, hr, "gradient_weighted", min_side=3)
    error = sr - hr
    grey = error.detach() if detach else error
    dx, dy = derivatives(grey.mean(dim=1, keepdim=True), SMOOTHING["sobel"])
    weight = (1 + gain * dx.abs()) * (1 + gain * dy.abs())
    return mean_per_picture(weight * error.abs())
