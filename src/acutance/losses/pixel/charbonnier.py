"""Charbonnier: the absolute error with its corner at zero rounded off."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.closed_form import (
    in_memory_order,
    pieces,
    room_for_gradient,
    wants_gradient,
    with_backward,
)
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Lai, Huang, Ahuja, Yang: LapSRN (CVPR 2017), sec. 3.2; Charbonnier et al. (ICIP 1994)",
    at_identity=1e-3,  # eps, for sqrt(0 + eps^2)
    symmetric=True,
    memory=2.5,
)


def charbonnier(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    eps: float = 1e-3,
    centred: bool = False,
) -> Float[Tensor, " n"]:
    """Mean of sqrt((sr - hr)^2 + eps^2) per picture; `centred` takes eps off, so that 0 is least.

    eps is in the unit of the pictures: errors well below it count as squared errors, errors well
    above it as absolute ones. It keeps the gradient finite at sr == hr, where sqrt alone would
    give 0/0. Other code puts 1e-12 itself under the root, a thousand times sharper a corner.
    """
    if not eps > 0:
        raise InputError(f"charbonnier's eps must be above 0, not {eps}; eps = 0 is l1.")
    sr, hr = prepared(sr, hr, "charbonnier")
    total, _ = _charbonnier(sr, hr, eps, wants_gradient(sr))
    value = total / sr.shape[1:].numel()
    return value - eps if centred else value


@with_backward
@torch.library.custom_op("acutance::charbonnier", mutates_args=())
def _charbonnier(sr: Tensor, hr: Tensor, eps: float, gradient: bool) -> tuple[Tensor, Tensor]:
    """Sum per picture, and its gradient e / sqrt(e^2 + eps^2)."""
    slope = room_for_gradient(sr, gradient)
    x, y, s = in_memory_order(sr), in_memory_order(hr, like=sr), in_memory_order(slope)
    cuts = pieces(x)
    sums = sr.new_empty(sr.shape[0], cuts.across)
    room = sr.new_empty(3, cuts.largest)
    squared_eps = sr.new_full((), eps**2)
    for place, rows, columns in cuts:
        piece = x[rows, columns]
        error, square, inverse_root = room[:, : piece.numel()].view(3, *piece.shape)
        torch.sub(piece, y[rows, columns], out=error)
        torch.addcmul(squared_eps, error, error, out=square)
        torch.rsqrt(square, out=inverse_root)
        torch.sum(square.mul_(inverse_root), dim=1, out=sums[rows, place])
        if gradient:
            torch.mul(error, inverse_root, out=s[rows, columns])
    return sums.sum(dim=1), slope
