"""Moments: mean, spread and skewness of the values of each channel."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="practice, after Huang, Belongie: AdaIN (ICCV 2017), sec. 5, for mean and spread",
    injective=False,
    symmetric=True,
    blind_to=("permutation",),
    memory=5.5,
)
FLAT = 1e-12  # variances below it are that of a flat picture, which has no slope
SKEW_FLOOR = 1e-4  # added to the variance: noise of one level on a flat picture has no skewness


def moments(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, orders: int = 2
) -> Float[Tensor, " n"]:
    """Mean over the channels and the first `orders` moments of |m(sr) - m(hr)| per picture.

    The first is the mean, the second the standard deviation, the third the skewness
    mean((v - mean)^3) / (variance + 1e-4)^1.5, all of a channel's values.
    """
    if orders not in (1, 2, 3):
        raise InputError(f"moments' orders are 1 (mean), 2 (spread) or 3 (skewness), not {orders}.")
    sr, hr = prepared(sr, hr, "moments")
    return (_moments(sr, orders) - _moments(hr, orders)).abs().mean(dim=(1, 2))


def _moments(pictures: Tensor, orders: int) -> Tensor:
    """(n, c, orders)."""
    mean = pictures.mean(dim=(2, 3), keepdim=True)
    found = [mean.flatten(2)]
    if orders > 1:
        centred = pictures - mean
        variance = centred.square().mean(dim=(2, 3))
        wide = variance > FLAT
        spread = torch.where(wide, torch.where(wide, variance, 1.0).sqrt(), 0.0)
        found.append(spread[..., None])
        if orders > 2:
            cubes = (centred * centred.square()).mean(dim=(2, 3))
            found.append((cubes / (variance + SKEW_FLOOR).pow(1.5))[..., None])
    return torch.cat(found, dim=2)
