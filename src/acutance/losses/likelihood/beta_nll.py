"""Beta likelihood: the Gaussian one, with areas of large predicted spread given their say back."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.likelihood.spread import floored

CONTRACT = Contract(
    source="Seitzer, Tavakoli, Antic, Martius: On the Pitfalls of Heteroscedastic Uncertainty "
    "Estimation (ICLR 2022), eq. 5",
    at_identity=None,
    can_be_negative=True,
    needs=("log_scale",),
    memory=7.5,
)


def beta_nll(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    log_scale: Float[Tensor, "n c h w"],
    beta: float = 0.5,
    min_sigma: float = 0.0009765625,
) -> Float[Tensor, " n"]:
    """Mean of [s^(2 beta)] ((sr - hr)^2 / (2 s^2) + log s) per picture, [] held constant.

    s^2 = exp(log_scale)^2 + min_sigma^2. The gradient at sr is (sr - hr) / s^(2 - 2 beta): that
    of gaussian_nll at beta 0, half that of mse at beta 1, where the spread no longer steers the
    mean. The weight has no gradient of its own: with one the best s would be another. The value
    is therefore no likelihood; judge with gaussian_nll. 0.5 is the authors' choice; where the
    mean matters most take 1.
    """
    if not 0 <= beta <= 1:
        raise InputError(f"beta_nll's beta lies between 0 (Gaussian) and 1 (mse), not {beta}.")
    sr, hr = prepared(sr, hr, "beta_nll")
    log_sigma = floored(log_scale, sr, "beta_nll", least=min_sigma)
    ratio = (sr - hr) * (-log_sigma).exp()
    weight = (2 * beta * log_sigma.detach()).clamp(max=60).exp()  # e^30 times the picture's range
    return mean_per_picture(weight * (ratio.square() / 2 + log_sigma))
