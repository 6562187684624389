"""Where a target has edges, texture, flat or saturated parts: weights in [0, 1], held constant."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Map = Float[Tensor, "n 1 h w"]


def steepness(hr: Float[Tensor, "n c h w"]) -> Map:
    """Length of the slope of the channel mean: 1 beside a straight step from black to white.

    Sobel's kernels divided by 4; the border is continued by its own pixels.
    """
    grey = F.pad(hr.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    across = _smoothed(_difference(grey, 3), 2)
    down = _smoothed(_difference(grey, 2), 3)
    return (across.square() + down.square()).sqrt()


def edges(hr: Float[Tensor, "n c h w"]) -> Map:
    """From 0 at a steepness of 0.02 (5 of 255 levels over two pixels) to 1 at 0.1."""
    return _ramp(steepness(hr), 0.02, 0.1)


def texture(hr: Float[Tensor, "n c h w"]) -> Map:
    """From 0 where the spread of the 7 x 7 neighbours is 0.01 to 1 where it is 0.05.

    The spread is the standard deviation of the channel mean, over the neighbours that exist.
    """
    grey = hr.mean(dim=1, keepdim=True)
    centred = grey - grey.mean(dim=(2, 3), keepdim=True)  # keeps the digits of the squares
    variance = _box_mean(centred.square()) - _box_mean(centred).square()
    return _ramp(variance.clamp_min(0).sqrt(), 0.01, 0.05)


def flat(hr: Float[Tensor, "n c h w"]) -> Map:
    """What is no texture."""
    return 1 - texture(hr)


def saturated(hr: Float[Tensor, "n c h w"]) -> Map:
    """1 where a channel is black or white, down to 0 where all are 8 of 255 levels off both."""
    margin = torch.minimum(hr, 1 - hr).amin(dim=1, keepdim=True)
    return 1 - _ramp(margin, 0.0, 8 / 255)


MAPS: dict[str, Callable[[Tensor], Tensor]] = {
    "edges": edges,
    "flat": flat,
    "saturated": saturated,
    "texture": texture,
}


def _ramp(values: Tensor, low: float, high: float) -> Tensor:
    return ((values - low) / (high - low)).clamp(0, 1)


def _difference(padded: Tensor, axis: int) -> Tensor:
    """The next neighbour minus the one before."""
    side = padded.shape[axis] - 2
    return padded.narrow(axis, 2, side) - padded.narrow(axis, 0, side)


def _smoothed(padded: Tensor, axis: int) -> Tensor:
    """(1 2 1) / 4 along an axis."""
    side = padded.shape[axis] - 2
    outer = padded.narrow(axis, 0, side) + padded.narrow(axis, 2, side)
    return outer / 4 + padded.narrow(axis, 1, side) / 2


def _box_mean(planes: Tensor) -> Tensor:
    return F.avg_pool2d(planes, 7, stride=1, padding=3, count_include_pad=False)
