"""Generalised Gaussian likelihood: by a predicted spread, with tails from narrow to wide."""

import math

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.likelihood.spread import floored

CONTRACT = Contract(
    source="Upadhyay, Karthik, Chen, Mancini, Akata: BayesCap (ECCV 2022), sec. 3.2",
    at_identity=None,
    can_be_negative=True,
    needs=("log_scale",),
    memory=7.5,
)


def generalised_gaussian_nll(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    log_scale: Float[Tensor, "n c h w"],
    power: float = 1.5,
    eps: float = 0.001,
    min_scale: float = 0.0009765625,
) -> Float[Tensor, " n"]:
    """Mean of (|sr - hr| / a)^power + log(2 a) - log power + log Gamma(1 / power) per picture.

    a^2 = exp(log_scale)^2 + min_scale^2. power 1 is laplace_nll, power 2 gaussian_nll with
    a = s sqrt(2). Below 1 the slope at 0 would be infinite: there |sr - hr| / a becomes
    sqrt(((sr - hr) / a)^2 + eps^2). The paper predicts the power for each pixel, too; here it
    is one number.
    """
    if not (power > 0 and eps > 0):
        raise InputError(
            f"generalised_gaussian_nll takes power and eps above 0, not power={power}, eps={eps}."
        )
    sr, hr = prepared(sr, hr, "generalised_gaussian_nll")
    log_a = floored(log_scale, sr, "generalised_gaussian_nll", least=min_scale)
    ratio = (sr - hr) * (-log_a).exp()
    size = (ratio.square() + eps**2).sqrt() if power < 1 else ratio.abs()
    constant = math.log(2) - math.log(power) + math.lgamma(1 / power)
    return mean_per_picture(size**power + log_a) + constant
