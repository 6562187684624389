"""Masked: any loss, of the edges, the texture, the flat or the saturated parts alone."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract, Loss
from acutance.losses.inputs import prepared
from acutance.losses.pixel.weight_maps import MAPS

CONTRACT = Contract(
    source="Liu et al.: Partial Convolutions (ECCV 2018), sec. 3.3, the composite picture I_comp",
    at_identity=None,  # that of the loss inside, over the mean of the map
    injective=False,
    blind_to=("flat parts",),
    degree=1,
    memory=4,
    proof={"loss": "l1"},
)
LEAST = 1e-6  # a map that is 0 everywhere gives 0, not 0 / 0


def masked(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    loss: Loss,
    by: Literal["edges", "texture", "flat", "saturated"] = "edges",
) -> Float[Tensor, " n"]:
    """The inner loss of hr + m (sr - hr) and hr, over the mean of m, per picture.

    m in [0, 1] comes from hr and is a constant. Where it is 0 the inner loss sees the target
    itself, so no gradient reaches sr there, whatever the loss, windows and transforms included.
    masked(l1) is the mean of |e| weighted by m. A loss of degree 2 weighs by m^2, which makes a
    difference only on the slopes of m. `by`: "edges" is 0 at a slope of 5 of 255 levels over two
    pixels, 1 from 25 on; "texture" 0 at a spread of 7 x 7 neighbours of 0.01, 1 from 0.05 on;
    "flat" its opposite; "saturated" 1 at black or white, 0 from 8 levels off. Where m is 0 in the
    whole picture, the loss at equality over 1e-6 is all there is.
    """
    if by not in MAPS:
        raise InputError(f"masked goes by {', '.join(MAPS)}, not by {by!r}.")
    sr, hr = prepared(sr, hr, "masked")
    weight = MAPS[by](hr)
    share = weight.mean(dim=(1, 2, 3)).clamp_min(LEAST)
    return loss(torch.lerp(hr, sr, weight), hr) / share
