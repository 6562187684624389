"""CIELAB: the colour difference delta E of 1976; 1 is about what the eye can just tell."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.losses.colour.spaces import cie_lab, prepared_colour
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture

CONTRACT = Contract(
    source="CIE 15:2004, Colorimetry, sec. 8.2.1",
    symmetric=True,
    channels=(3,),
    memory=8.5,
)


def cielab(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Mean of sqrt(dL*^2 + da*^2 + db*^2) per picture, black to white being 100.

    Of sRGB pictures under D65. A hundred times the scale of l1: give it a weight near 0.01. At a
    pixel without error the root has no slope; it is given 0.
    """
    sr, hr = prepared_colour(sr, hr, "cielab")
    squares = (cie_lab(sr) - cie_lab(hr)).square().sum(dim=1, keepdim=True)
    wrong = squares > 0
    return mean_per_picture(torch.where(wrong, torch.where(wrong, squares, 1.0).sqrt(), 0.0))
