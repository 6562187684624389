"""Weighted L1: the absolute error, counting more beside the edges of the target."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.pixel.weight_maps import steepness

CONTRACT = Contract(
    source="after Wei et al.: Component Divide-and-Conquer (CDC, ECCV 2020)",
    degree=1,
    memory=4.5,
)


def weighted_l1(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, edge_gain: float = 4.0
) -> Float[Tensor, " n"]:
    """Sum of w |sr - hr| over the sum of w, per picture, with w = 1 + edge_gain * d.

    d is the length of the target's slope (Sobel / 4 on the channel mean): 1 beside a step from
    black to white, which so counts 1 + edge_gain times. The weights are constants, taken from the
    target; the paper takes them from the error, which gradient_weighted does. edge_gain = 0 is l1.
    For a picture's own parts alone see masked(l1, by='edges').
    """
    if not edge_gain >= 0:
        raise InputError(f"weighted_l1's edge_gain must be 0 or more, not {edge_gain}.")
    sr, hr = prepared(sr, hr, "weighted_l1")
    weight = 1 + edge_gain * steepness(hr)
    weight = weight / weight.mean(dim=(2, 3), keepdim=True)
    return mean_per_picture(weight * (sr - hr).abs())
