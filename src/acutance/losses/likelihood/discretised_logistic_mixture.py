"""Logistic mixture: the probability of the right 8-bit level under a few bells that may overlap."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.likelihood.levels import nearest_level

CONTRACT = Contract(
    source="Salimans, Karpathy, Chen, Kingma: PixelCNN++ (ICLR 2017), sec. 2.1 and 2.2",
    at_identity=None,
    needs=("mixture",),
    memory=46,
)
LEVELS = 256


def discretised_logistic_mixture(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    mixture: Float[Tensor, "n k p h w"],
    coupled: bool = True,
    min_scale: float = 0.00048828125,
) -> Float[Tensor, " n"]:
    """Mean over the values of -log p(level of hr) per picture, in nats; sr is only checked.

    p(pixel) = sum_k pi_k prod_c (F((y + 1/510 - m) / s) - F((y - 1/510 - m) / s)), y = hr rounded
    to l / 255, F(t) = 1 / (1 + exp(-t)), from -infinity at level 0 and to infinity at 255. The
    parameters of bell k lie along the third axis of `mixture`: the logit of pi, c means, c
    log-scales (s = exp + min_scale), and with `coupled` c (c - 1) / 2 slopes a through tanh, by
    which the mean of channel j is m_j + sum_{i<j} a_ji (y_i - 1/2), the target's own channels
    before it, row by row: p = 10 for colour, or 7 with coupled=False. Units are those of the
    pictures; PixelCNN++ has the same on [-1, 1], min_scale about its smallest scale.
    """
    sr, hr = prepared(sr, hr, "discretised_logistic_mixture")
    n, c, h, w = sr.shape
    count = 1 + 2 * c + (c * (c - 1) // 2 if coupled else 0)
    if mixture.ndim != 5 or mixture.shape != (n, mixture.shape[1], count, h, w):
        raise InputError(
            f"discretised_logistic_mixture takes {count} parameters a bell for {c} channels with "
            f"coupled={coupled}: a mixture ({n}, k, {count}, {h}, {w}), not "
            f"{tuple(mixture.shape)}."
        )
    if not min_scale > 0:
        raise InputError(
            f"discretised_logistic_mixture's min_scale must be above 0, not {min_scale}."
        )
    logit, mean, log_scale, slope = mixture.to(sr.dtype).split([1, c, c, count - 1 - 2 * c], dim=2)
    level = nearest_level(hr, LEVELS)
    mean = _coupled(mean, slope, level / (LEVELS - 1))
    floor = sr.new_full((), math.log(min_scale))
    each = _log_probability(level[:, None], mean, torch.logaddexp(log_scale, floor))
    share = torch.log_softmax(logit.squeeze(2), dim=1)
    joint = torch.logsumexp(share + each.sum(dim=2), dim=1, keepdim=True)
    return mean_per_picture(-joint) / c


def _coupled(mean: Tensor, slope: Tensor, target: Tensor) -> Tensor:
    """The means (n, k, c, h, w), each moved by the target's channels before its own."""
    if slope.shape[2] == 0:
        return mean
    moved = list(mean.unbind(2))
    pairs = [(channel, before) for channel in range(len(moved)) for before in range(channel)]
    for place, (channel, before) in enumerate(pairs):
        moved[channel] = moved[channel] + slope[:, :, place].tanh() * (
            target[:, None, before] - 0.5
        )
    return torch.stack(moved, dim=2)


def _log_probability(level: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """log(F(u) - F(v)) for the two edges of a level, exact however far out in a tail.

    F(u) - F(v) = F(u) F(-v) (1 - exp(v - u)), whose factors all have finite logarithms; an open
    end leaves one of the first two.
    """
    inverse = (-log_scale).exp()
    last = LEVELS - 1
    upper = ((level + 0.5) / last - mean) * inverse
    lower = ((level - 0.5) / last - mean) * inverse
    below, above = level == 0, level == last
    between = (-torch.expm1(-inverse / last)).log()
    return (
        torch.where(above, 0, F.logsigmoid(upper))
        + torch.where(below, 0, F.logsigmoid(-lower))
        + torch.where(below | above, 0, between)
    )
