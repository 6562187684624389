"""Smooth L1: absolute error whose corner at zero is rounded to a parabola."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Girshick: Fast R-CNN (ICCV 2015), sec. 2.3, eq. 3",
    symmetric=True,
    memory=1.5,
)


def smooth_l1(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, beta: float = 0.01
) -> Float[Tensor, " n"]:
    """Mean of e^2 / (2 beta) where |e| < beta, of |e| - beta / 2 elsewhere, per picture.

    huber with delta = beta, divided by beta, so that large errors pull as in l1. beta is in the
    unit of the pictures; the paper's 1, for boxes in pixels, would make it half a squared error.
    """
    if not beta > 0:
        raise InputError(f"smooth_l1's beta must be above 0, not {beta}; beta = 0 is l1.")
    sr, hr = prepared(sr, hr, "smooth_l1")
    return mean_per_picture(F.smooth_l1_loss(sr, hr, beta=beta, reduction="none"))
