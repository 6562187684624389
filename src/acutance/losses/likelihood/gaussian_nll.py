"""Gaussian likelihood: squared errors by the spread that the network predicts beside them."""

import math

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.likelihood.spread import floored

CONTRACT = Contract(
    source="Nix, Weigend: Estimating the Mean and Variance (ICNN 1994); Kendall, Gal (NIPS 2017)",
    at_identity=None,
    can_be_negative=True,
    needs=("log_scale",),
    memory=6.5,
)


def gaussian_nll(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    log_scale: Float[Tensor, "n c h w"],
    full: bool = True,
    min_sigma: float = 0.0009765625,
) -> Float[Tensor, " n"]:
    """Mean of (sr - hr)^2 / (2 s^2) + log s per picture, `full` adds log(2 pi) / 2.

    s^2 = exp(log_scale)^2 + min_sigma^2, with log_scale an output of the network. At its best
    s^2 is the expected squared error, so exp(log_scale) is an error bar of one sigma. The
    gradient at sr is (sr - hr) / s^2: what is fitted well already pulls most, and areas given a
    large s are left alone; beta_nll cures that. Let the mean come first, the spread after:
    `l1(stop=0.1) + gaussian_nll(start=0.1)`. The value has no lower end but that of min_sigma,
    1/1024 unless said, a quarter of a grey level.
    """
    sr, hr = prepared(sr, hr, "gaussian_nll")
    log_sigma = floored(log_scale, sr, "gaussian_nll", least=min_sigma)
    ratio = (sr - hr) * (-log_sigma).exp()
    value = mean_per_picture(ratio.square() / 2 + log_sigma)
    return value + math.log(2 * math.pi) / 2 if full else value
