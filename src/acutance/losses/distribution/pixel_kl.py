"""Pixel KL: how surprising the target's values are to who knows the values of the result."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.distribution.soft_histogram import soft_histogram
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Kullback, Leibler: On Information and Sufficiency (1951), of soft histograms",
    injective=False,
    blind_to=("permutation",),
    memory=3.5,
)


def pixel_kl(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    bins: int = 64,
    eps: float = 1e-6,
) -> Float[Tensor, " n"]:
    """Mean over the channels of sum q log(q / p) per picture, in nats: q of hr, p of sr.

    q and p are soft histograms of `bins` values, each share s taken as (s + eps) / (1 + bins eps)
    so that an empty bin costs something finite. Values of sr outside [0, 1] can make a share
    negative; there the logarithm goes on as a line. Neighbouring bins are as different as
    distant ones: for values that have to travel, histogram is smoother.
    """
    if bins < 2 or not eps > 0:
        raise InputError(f"pixel_kl needs bins >= 2 and eps > 0, not bins={bins} and eps={eps}.")
    sr, hr = prepared(sr, hr, "pixel_kl")
    p, q = ((soft_histogram(v, bins) + eps) / (1 + bins * eps) for v in (sr, hr))
    least = eps / (1 + bins * eps)
    return (q * (_log(q, least) - _log(p, least))).sum(dim=2).mean(dim=1)


def _log(shares: Tensor, least: float) -> Tensor:
    """The logarithm, below `least` the line that touches it there."""
    safe = shares.clamp(min=least)
    return safe.log() + (shares - safe) / least
