"""Laplace likelihood: absolute errors by a predicted spread; calmer about outliers than Gauss."""

import math

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.likelihood.spread import floored

CONTRACT = Contract(
    source="Kendall, Gal: What Uncertainties Do We Need (NIPS 2017), sec. 3",
    at_identity=None,
    can_be_negative=True,
    needs=("log_scale",),
    memory=6.5,
)


def laplace_nll(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    log_scale: Float[Tensor, "n c h w"],
    min_scale: float = 0.0009765625,
) -> Float[Tensor, " n"]:
    """Mean of |sr - hr| / b + log(2 b) per picture, b^2 = exp(log_scale)^2 + min_scale^2.

    At its best b is the expected absolute error; the standard deviation is sqrt(2) b. What l1 is
    to mse, this is to gaussian_nll, pitfalls included: see there.
    """
    sr, hr = prepared(sr, hr, "laplace_nll")
    log_b = floored(log_scale, sr, "laplace_nll", least=min_scale)
    return mean_per_picture((sr - hr).abs() * (-log_b).exp() + log_b) + math.log(2)
