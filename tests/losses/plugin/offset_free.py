"""Offset-free: the absolute error without what is wrong everywhere alike."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="an example of a package beside acutance",
    symmetric=True,
    injective=False,
    blind_to=("offset",),
    degree=1,
    memory=6,
)


def offset_free(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, per_channel: bool = False
) -> Float[Tensor, " n"]:
    """Mean of |e - m| per picture, e = sr - hr and m the mean of e.

    `per_channel` takes m per channel, which forgives a tint too.
    """
    sr, hr = prepared(sr, hr, "offset_free")
    error = sr - hr
    axes = (2, 3) if per_channel else (1, 2, 3)
    return mean_per_picture((error - error.mean(dim=axes, keepdim=True)).abs())
