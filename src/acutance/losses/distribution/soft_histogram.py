"""Soft histograms: each value is shared between the two bins next to it, so that it has a slope."""

from typing import Any

import torch
from torch import Tensor

from acutance.losses.closed_form import PIECE


def soft_histogram(pictures: Tensor, bins: int) -> Tensor:
    """Shares of the values that fall to each of `bins` centres k / (bins - 1), (n, c, bins).

    A value between two centres counts for each by its distance from the other: the shares add up
    to 1 and their mean is that of the values. Outside [0, 1] the outermost two centres go on
    counting on the same lines, the nearer more than 1 and the other less than 0, so that a value
    out of range keeps its slope and its part in the mean.
    """
    return _soft_histogram(pictures, bins)


@torch.library.custom_op("acutance::soft_histogram", mutates_args=())
def _soft_histogram(pictures: Tensor, bins: int) -> Tensor:
    """Piece by piece, all bins of a piece at once: no scattering, whose order is free on a GPU."""
    n, c, h, w = pictures.shape
    planes = pictures.reshape(n * c, h * w)
    step = max(1, PIECE // bins)
    cuts = range(0, h * w, step)
    sums = pictures.new_empty(n * c, len(cuts), bins)
    for plane in range(n * c):
        for place, left in enumerate(cuts):
            torch.sum(
                _weights(planes[plane, left : left + step], bins), dim=1, out=sums[plane, place]
            )
    return (sums.sum(dim=1) / (h * w)).view(n, c, bins)


def _weights(values: Tensor, bins: int) -> Tensor:
    """Of each value for each bin, (bins, values)."""
    u = values * (bins - 1)
    centres = torch.arange(bins, dtype=u.dtype, device=u.device)[:, None]
    weights = (u - centres).abs_().neg_().add_(1)
    weights[0] = 1 - u
    weights[-1] = u - (bins - 2)
    weights.clamp_(min=0)
    weights[1] += u.clamp(max=0)
    weights[-2] += (bins - 1 - u).clamp_(max=0)
    return weights


@torch.library.custom_op("acutance::soft_histogram_pull", mutates_args=())
def _pull(pictures: Tensor, upstream: Tensor) -> Tensor:
    """A value moves share from the centre on its left to the one on its right."""
    n, c, h, w = pictures.shape
    bins = upstream.shape[2]
    left = (pictures.reshape(n * c, h * w) * (bins - 1)).floor_().clamp_(0, bins - 2).long()
    by_bin = (upstream[..., 1:] - upstream[..., :-1]) * ((bins - 1) / (h * w))
    return by_bin.view(n * c, bins - 1).gather(1, left).view(n, c, h, w)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001 torch names it
    ctx.save_for_backward(inputs[0])


def _pulled(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
    (pictures,) = ctx.saved_tensors
    return _pull(pictures, upstream), None


def _shape(pictures: Tensor, bins: int) -> Tensor:
    return pictures.new_empty(*pictures.shape[:2], bins)


def _picture(pictures: Tensor, _upstream: Tensor) -> Tensor:
    return torch.empty_like(pictures, memory_format=torch.contiguous_format)


_soft_histogram.register_fake(_shape)
_soft_histogram.register_autograd(_pulled, setup_context=_keep)
_pull.register_fake(_picture)
