"""Chroma: the error of colour alone, brightness left out."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.imaging.colour import YCBCR_WEIGHTS
from acutance.losses.colour.blocks import block_means
from acutance.losses.colour.spaces import mixed, prepared_colour
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture

CONTRACT = Contract(
    source="practice: ColorLoss of traiNNer-redux (2024); ITU-R BT.601 for Cb and Cr",
    injective=False,
    symmetric=True,
    degree=1,
    channels=(3,),
    blind_to=("luma",),
    memory=4.0,
)


def chroma(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, pool: int = 1
) -> Float[Tensor, " n"]:
    """Mean of |Cb - Cb'| and |Cr - Cr'| per picture, of sr and hr.

    Cb and Cr are BT.601's in MATLAB's scale, 16..240 of 255 (a scale 0.439 to pure blue's
    distance from grey, where full-range formulas have 0.5). `pool` takes means over squares of so
    many pixels first: the eye resolves colour coarsely. Pictures that differ by the same amount on
    all channels cost nothing.
    """
    if pool < 1:
        raise InputError(f"chroma's pool is a number of pixels, 1 or more, not {pool}.")
    sr, hr = prepared_colour(sr, hr, "chroma")
    error = sr - hr
    planes = [mixed(error, tuple(w / 255 for w in row)) for row in YCBCR_WEIGHTS[1:]]
    return mean_per_picture(block_means(torch.cat(planes, dim=1), pool).abs())
