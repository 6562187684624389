"""Y MSE: the mean squared error of the luma, the channel on which papers score."""

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
    degree=2,
    channels=(3,),
    memory=3.5,
)


def y_mse(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    matrix: Literal["bt601", "full"] = "bt601",
) -> Float[Tensor, " n"]:
    """Mean of (Y(sr) - Y(hr))^2 per picture; Y = (65.481 R + 128.553 G + 24.966 B + 16) / 255.

    Its minimum is the highest PSNR on Y. `matrix` "full" takes 0.299 R + 0.587 G + 0.114 B in 0
    to 1, whose values are (255/219)^2 times as large. Blind to colour, like y_l1.
    """
    sr, hr = prepared(sr, hr, "y_mse")
    result, target = (luma(pictures, matrix, "y_mse") for pictures in (sr, hr))
    return mean_per_picture(F.mse_loss(result, target, reduction="none"))
