"""Y L1: the mean absolute error of the luma, the channel on which papers score."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.pixel.luma import luma

CONTRACT = Contract(
    source="Dong, Loy, He, Tang: SRCNN (ECCV 2014), sec. 4, trained and scored on luma alone",
    injective=False,
    blind_to=("chroma",),
    symmetric=True,
    degree=1,
    channels=(3,),
    memory=3.5,
)


def y_l1(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    matrix: Literal["bt601", "full"] = "bt601",
) -> Float[Tensor, " n"]:
    """Mean of |Y(sr) - Y(hr)| per picture; Y = (65.481 R + 128.553 G + 24.966 B + 16) / 255.

    `matrix` "full" takes 0.299 R + 0.587 G + 0.114 B in 0 to 1, whose values are 255/219 times as
    large. Blind to colour: another colour of the same luma costs nothing, so give a colour
    network another term beside it. For other losses of Y see y_channel.
    """
    sr, hr = prepared(sr, hr, "y_l1")
    result, target = (luma(pictures, matrix, "y_l1") for pictures in (sr, hr))
    return mean_per_picture(F.l1_loss(result, target, reduction="none"))
