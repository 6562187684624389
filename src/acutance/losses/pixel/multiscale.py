"""Multiscale: any loss, summed over the pictures and ever smaller versions of them."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract, Loss
from acutance.losses.inputs import prepared


def smallest_side(*, levels: int = 3) -> int:
    """Where the coarsest level has one pixel, in pixels; the loss inside may need more there."""
    return 2 ** (levels - 1)


CONTRACT = Contract(
    source="Mathieu, Couprie, LeCun: Deep Multi-Scale Video Prediction (ICLR 2016), sec. 3.1",
    at_identity=None,  # that of the loss inside, times levels
    symmetric=True,
    degree=1,
    min_size=4,
    min_size_for=smallest_side,
    memory=4.5,
    proof={"loss": "l1"},
)


def multiscale(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    loss: Loss,
    levels: int = 3,
) -> Float[Tensor, " n"]:
    """Sum of the inner loss of the pair at full size, at half, at a quarter: `levels` of them.

    Each level is the one before in means of 2 x 2 pixels; an odd last row or column is left out
    of the coarser ones. A wrong brightness counts on every level, fine detail on the first
    alone. levels = 1 is the loss itself.
    """
    if levels < 1:
        raise InputError(f"multiscale's levels must be 1 or more, not {levels}.")
    sr, hr = prepared(sr, hr, "multiscale", min_side=smallest_side(levels=levels))
    total = loss(sr, hr)
    for _ in range(levels - 1):
        sr, hr = F.avg_pool2d(sr, 2), F.avg_pool2d(hr, 2)
        total = total + loss(sr, hr)
    return total
