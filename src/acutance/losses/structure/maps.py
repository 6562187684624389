"""What the likeness indices share: colour axes, slope maps, how unlike two maps are, safe roots.

The published indices take the mean of likenesses near 1 and subtract from 1. Here the unlikeness
is computed itself: the same number, exactly 0 for equal pictures, and no digits lost beside the 1.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError

GREY = (0.299, 0.587, 0.114)  # luma of BT.601 in full range, R G B
# YIQ with the digits of the indices' own code.
YIQ = (GREY, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))
PREWITT = (1 / 3, 1 / 3, 1 / 3)
SCHARR = (3 / 16, 10 / 16, 3 / 16)


def check_channels(pictures: Tensor, loss: str, known: tuple[int, ...] = (1, 3)) -> None:
    """Raise InputError that names `loss` if the pictures are neither grey nor RGB."""
    if pictures.shape[1] not in known:
        raise InputError(
            f"{loss} takes pictures of {' or '.join(str(c) for c in known)} channels (grey, RGB); "
            f"these have {pictures.shape[1]}."
        )


def brightness(pictures: Tensor) -> Tensor:
    """Luma (n, 1, h, w) in the range of the pictures; a grey picture is its own."""
    return axis(pictures, GREY) if pictures.shape[1] == 3 else pictures


def axis(rgb: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """One colour axis (n, 1, h, w). Sums, for a matrix product would turn half under autocast."""
    r, g, b = weights
    return rgb[:, 0:1] * r + rgb[:, 1:2] * g + rgb[:, 2:3] * b


def halved(planes: Tensor) -> Tensor:
    """Means of 2 x 2 pixels; an odd last row or column is left out, not darkened by zeros."""
    return F.avg_pool2d(planes, 2)


def steepness(planes: Tensor, across: tuple[float, float, float], smooth: float) -> Tensor:
    """Length of the slope: central differences, averaged over three lines with weights `across`.

    Outside the picture is black, as in the authors' code. Lengths below `smooth` are rounded.
    """
    side, middle, _ = across
    padded = F.pad(planes, (1, 1, 1, 1))
    down = (padded[..., :-2, :] + padded[..., 2:, :]) * side + padded[..., 1:-1, :] * middle
    right = (padded[..., :-2] + padded[..., 2:]) * side + padded[..., 1:-1] * middle
    dx = down[..., 2:] - down[..., :-2]
    dy = right[..., 2:, :] - right[..., :-2, :]
    return rounded_root(dx.square() + dy.square(), smooth)


def unlikeness(a: Tensor, b: Tensor, constant: float, *, masking: float = 0.0) -> Tensor:
    """(a - b)^2 / (a^2 + b^2 - masking a b + constant): one minus the usual likeness of maps."""
    total = a.square() + b.square() + constant
    if masking:
        total = total - masking * a * b
    return (a - b).square() / total


def rounded_root(values: Tensor, smooth: float, *, fourth: bool = False) -> Tensor:
    """The square root, or the fourth, of values >= 0, its infinite slope at 0 rounded off.

    Exact where the root is at least `smooth`. Below, a parabola through 0 that meets the root in
    value and slope: with p the power and u = v / smooth^(1/p), smooth u (2 - p - (1 - p) u).
    """
    power = 0.25 if fourth else 0.5
    share = values / smooth ** (4 if fourth else 2)
    near, far = share.clamp_max(1.0), share.clamp_min(1.0).sqrt()
    root = far.sqrt() if fourth else far
    return smooth * torch.where(share > 1, root, near * (2 - power - (1 - power) * near))


def slope_of_rounded_root(values: Tensor, smooth: float) -> Tensor:
    """The derivative of the rounded square root, for gradients in closed form."""
    share = values / smooth**2
    far = share.clamp_min(1.0).rsqrt() / 2
    return torch.where(share > 1, far, 1.5 - share) / smooth
