"""MSE: the mean squared error, the one whose minimum is the highest PSNR."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Dong, Loy, He, Tang: Learning a Deep Convolutional Network (ECCV 2014), sec. 3.3",
    symmetric=True,
    degree=2,
    memory=1.5,
)


def mse(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Mean of (sr - hr)^2 per picture; PSNR in dB is -10 log10 of it."""
    sr, hr = prepared(sr, hr, "mse")
    return mean_per_picture(F.mse_loss(sr, hr, reduction="none"))
