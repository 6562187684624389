"""Y channel: any loss, given the luma of the two pictures in place of their colours."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract, Loss
from acutance.losses.inputs import prepared
from acutance.losses.pixel.luma import luma

CONTRACT = Contract(
    source="Wang, Bovik, Sheikh, Simoncelli: SSIM (TIP 2004), sec. IV, computed on luma alone",
    at_identity=None,  # that of the loss inside
    injective=False,
    blind_to=("chroma",),
    symmetric=True,
    degree=1,
    channels=(3,),
    memory=3.5,
    proof={"loss": "l1"},
)


def y_channel(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    loss: Loss,
    matrix: Literal["bt601", "full"] = "bt601",
) -> Float[Tensor, " n"]:
    """The inner loss of Y(sr) and Y(hr), pictures of one channel: y_channel(ssim).

    Y = (65.481 R + 128.553 G + 24.966 B + 16) / 255 with `matrix` "bt601", which papers score on;
    0.299 R + 0.587 G + 0.114 B with "full", which fills 0 to 1. Blind to colour.
    """
    sr, hr = prepared(sr, hr, "y_channel")
    return loss(luma(sr, matrix, "y_channel"), luma(hr, matrix, "y_channel"))
