"""Lp: a power of the error; below 1 it forgives single large errors, above 2 it hunts them."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Krishnan, Fergus: Fast Image Deconvolution using Hyper-Laplacian Priors (NIPS 2009)",
    at_identity=1e-3,  # eps^p
    symmetric=True,
    memory=5.5,
)


def lp(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    p: float = 1.0,
    eps: float = 1e-3,
) -> Float[Tensor, " n"]:
    """Mean of (e^2 + eps^2)^(p / 2) per picture, eps^p at equality; of |e|^p with eps = 0.

    p = 1 is charbonnier, p = 2 with eps = 0 is mse. Not a norm: no p-th root is taken. Below
    p = 1 the slope of |e|^p at 0 is infinite, so eps has to be above 0 there.
    """
    if not (p > 0 and eps >= 0 and (eps > 0 or p >= 1)):
        raise InputError(
            f"lp takes p above 0, and eps above 0 or, from p = 1 on, 0; not p={p}, eps={eps}."
        )
    sr, hr = prepared(sr, hr, "lp")
    error = sr - hr
    if eps == 0:
        return mean_per_picture(error.abs() ** p)
    return mean_per_picture((error.square() + eps**2) ** (p / 2))
