"""RMSE: the root of the mean squared error, in the unit of the pictures."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="classical; Gauss: Theoria combinationis observationum (1823), the mean error",
    symmetric=True,
    degree=1,
    memory=1.5,
)


def rmse(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Root of the mean of (sr - hr)^2 per picture; not of the batch, whose worst would lead.

    Its gradient has the same length however small the error; at equality, where the root has no
    slope, it is 0.
    """
    sr, hr = prepared(sr, hr, "rmse")
    square = mean_per_picture(F.mse_loss(sr, hr, reduction="none"))
    wrong = square > 0
    return torch.where(wrong, torch.where(wrong, square, 1.0).sqrt(), 0.0)
