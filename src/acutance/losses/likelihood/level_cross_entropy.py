"""Level cross-entropy: each pixel a choice among 256 grey levels; how likely was the right one."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.likelihood.levels import nearest_level

CONTRACT = Contract(
    source="van den Oord, Kalchbrenner, Kavukcuoglu: Pixel Recurrent Neural Networks (ICML 2016), "
    "sec. 3; Dahl, Norouzi, Shlens (ICCV 2017)",
    at_identity=None,
    needs=("logits",),
    memory=400,  # with the 64 levels of its stand-in
)


def level_cross_entropy(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    logits: Float[Tensor, "n levels c h w"],
    width: float = 0.0,
    subtract_entropy: bool = True,
) -> Float[Tensor, " n"]:
    """Mean over the values of -sum_l q_l log softmax(logits)_l per picture, in nats.

    `logits` are (n, levels, c, h, w), unnormalised log-probabilities of evenly spaced levels from
    black to white, 256 for 8 bits; sr is only checked. q is all on the level nearest hr, or with
    `width` above 0 proportional to exp(-d^2 / (2 width^2)), d the distance from hr in levels;
    then `subtract_entropy` takes the mean of -sum q log q off, so that 0 is the least. Equal
    logits cost log(levels): 5.545. Memory: 256 numbers for each value are 27 MiB for a colour
    patch of 96 pixels.
    """
    sr, hr = prepared(sr, hr, "level_cross_entropy")
    n, c, h, w = sr.shape
    levels = logits.shape[1] if logits.ndim == 5 else 0
    if levels < 2 or logits.shape != (n, levels, c, h, w):
        raise InputError(
            f"level_cross_entropy takes logits ({n}, 256, {c}, {h}, {w}), one for each level of "
            f"each value of sr, not {tuple(logits.shape)}."
        )
    if not width >= 0:
        raise InputError(f"level_cross_entropy's width must be 0 levels or more, not {width}.")
    logits = logits.to(sr.dtype)
    total = torch.logsumexp(logits, dim=1)
    if width == 0:
        level = nearest_level(hr, levels).long()
        return mean_per_picture(total - logits.gather(1, level[:, None]).squeeze(1))
    log_q = _soft_labels(hr, levels, width)
    q = log_q.exp()
    value = mean_per_picture(total - (q * logits).sum(dim=1))
    if subtract_entropy:
        value = value + mean_per_picture(torch.special.xlogy(q, q).sum(dim=1))
    return value


def _soft_labels(hr: Tensor, levels: int, width: float) -> Tensor:
    """log q, (n, levels, c, h, w)."""
    place = torch.arange(levels, dtype=hr.dtype, device=hr.device).view(levels, 1, 1, 1)
    centre = hr.clamp(0, 1)[:, None] * (levels - 1)
    return torch.log_softmax(-((place - centre) / width).square() / 2, dim=1)
