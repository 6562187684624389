"""PSNR loss: minus the PSNR in decibels, so that each picture counts by its relative error."""

import math

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Chen, Lu, Zhang, Chu, Chen: HINet (CVPR Workshops 2021); NAFNet (ECCV 2022)",
    at_identity=-80.0,  # 10 log10(eps)
    symmetric=True,
    can_be_negative=True,
    memory=1.5,
)


def psnr_loss(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, eps: float = 1e-8
) -> Float[Tensor, " n"]:
    """10 log10(mean of (sr - hr)^2 + eps) per picture: minus the PSNR in dB, at least -80.

    The gradient is that of mse divided by mse: easy pictures pull as hard as difficult ones, and
    the pull grows without end as the error vanishes, so clip the gradient. The mean over a batch
    is one of decibels, as papers report it, not the PSNR of the mean error. On luma:
    y_channel(psnr_loss).
    """
    if not eps > 0:
        raise InputError(f"psnr_loss's eps must be above 0, not {eps}: log 0 has no value.")
    sr, hr = prepared(sr, hr, "psnr_loss")
    square = mean_per_picture(F.mse_loss(sr, hr, reduction="none"))
    return (square + eps).log() * (10 / math.log(10))
