"""Student-t likelihood: by a predicted spread, with tails so wide that outliers hardly pull."""

import math

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.likelihood.spread import floored

CONTRACT = Contract(
    source="Lange, Little, Taylor: Robust Statistical Modeling Using the t (JASA 1989)",
    at_identity=None,
    can_be_negative=True,
    needs=("log_scale",),
    memory=7.5,
)


def student_t_nll(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    log_scale: Float[Tensor, "n c h w"],
    nu: float = 4.0,
    min_scale: float = 0.0009765625,
) -> Float[Tensor, " n"]:
    """Mean of -log t((sr - hr) / s; nu) + log s per picture, t Student's density.

    That is (nu + 1)/2 log(1 + e^2 / (nu s^2)) + log s + log B(1/2, nu/2) + log(nu)/2, with
    s^2 = exp(log_scale)^2 + min_scale^2. The gradient rises up to e = s sqrt(nu) and falls as
    1/e beyond. nu 1 is Cauchy, a large nu gaussian_nll.
    """
    if not nu > 0:
        raise InputError(f"student_t_nll's nu must be above 0, not {nu}.")
    sr, hr = prepared(sr, hr, "student_t_nll")
    log_s = floored(log_scale, sr, "student_t_nll", least=min_scale)
    ratio = (sr - hr) * (-log_s).exp()
    log_beta = math.lgamma(nu / 2) + math.lgamma(0.5) - math.lgamma((nu + 1) / 2)
    tails = (nu + 1) / 2 * (ratio.square() / nu).log1p()
    return mean_per_picture(tails + log_s) + log_beta + math.log(nu) / 2
