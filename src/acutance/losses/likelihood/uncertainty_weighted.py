"""Uncertainty-weighted: absolute errors, weighted up where the network is unsure, as at edges."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.likelihood.spread import floored

CONTRACT = Contract(
    source="Ning, Dong, Li, Wu, Shi: Uncertainty-Driven Loss (NeurIPS 2021), sec. 3.3",
    needs=("log_scale",),
    degree=1,
    memory=6.5,
)


def uncertainty_weighted(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    log_scale: Float[Tensor, "n c h w"],
    lift: float = 1.0,
    normalised: bool = True,
    min_scale: float = 0.0009765625,
) -> Float[Tensor, " n"]:
    """Mean of w |sr - hr| per picture, w = log b - min(log b) + lift, the least of each channel.

    b^2 = exp(log_scale)^2 + min_scale^2; w is a constant here: this trains the mean only, after
    another loss has trained the spread: `laplace_nll(stop=0.5) + uncertainty_weighted(start=0.5)`.
    `normalised` divides w by its mean over the picture, so that the loss stays of the size of
    l1. lift 1, without normalisation, is the authors' code.
    """
    if not lift > 0:
        raise InputError(f"uncertainty_weighted's lift must be above 0, not {lift}.")
    sr, hr = prepared(sr, hr, "uncertainty_weighted")
    log_b = floored(log_scale.detach(), sr, "uncertainty_weighted", least=min_scale)
    weight = log_b - log_b.amin(dim=(2, 3), keepdim=True) + lift
    value = mean_per_picture(weight * (sr - hr).abs())
    return value / mean_per_picture(weight) if normalised else value
