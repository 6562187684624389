"""First derivatives by 3 x 3 kernels whose answer to a ramp is its slope, and brightness."""

from typing import Literal

import torch
from torch import Tensor

from acutance.errors import InputError

LUMA = (0.299, 0.587, 0.114)  # BT.601 on full range: white is 1
# Weights of the pixel itself and of each neighbour, across the direction of the derivative.
SMOOTHING = {"sobel": (1 / 2, 1 / 4), "scharr": (5 / 8, 3 / 16), "prewitt": (1 / 3, 1 / 3)}
Kernel = Literal["sobel", "scharr", "prewitt"]


def smoothing(kernel: str, loss: str) -> tuple[float, float]:
    """SMOOTHING[kernel], or a refusal in the name of `loss`."""
    if kernel not in SMOOTHING:
        raise InputError(f"{loss}'s kernel is one of {', '.join(SMOOTHING)}, not {kernel!r}.")
    return SMOOTHING[kernel]


def derivatives(pictures: Tensor, weights: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """d/dx and d/dy in intensity per pixel, of the size of the pictures.

    Central differences over two pixels, smoothed across by `weights`. The border is mirrored
    without repeating the edge, where the derivative across it is 0.
    """
    middle, side = weights
    padded = mirrored(pictures, 1)
    across = (padded[..., 2:] - padded[..., :-2]) / 2
    down = (padded[..., 2:, :] - padded[..., :-2, :]) / 2
    dx = middle * across[..., 1:-1, :] + side * (across[..., :-2, :] + across[..., 2:, :])
    dy = middle * down[..., 1:-1] + side * (down[..., :-2] + down[..., 2:])
    return dx, dy


def mirrored(pictures: Tensor, margin: int) -> Tensor:
    """`margin` rows and columns more on each side, ... 2 1 | 0 1 2 ...; needs margin + 1 pixels.

    By slices: torch's own padding has no deterministic gradient on every device.
    """
    for axis in (-2, -1):
        size = pictures.shape[axis]
        before = pictures.narrow(axis, 1, margin).flip(axis)
        after = pictures.narrow(axis, size - 1 - margin, margin).flip(axis)
        pictures = torch.cat([before, pictures, after], dim=axis)
    return pictures


def brightness(pictures: Tensor, weights: tuple[float, ...], loss: str) -> Tensor:
    """The weighted sum of R, G and B as one channel; a grey picture as it is."""
    channels = pictures.shape[1]
    if channels == 1:
        return pictures
    if channels != len(weights):
        raise InputError(
            f"{loss} takes the brightness of RGB or grey pictures, not {channels} channels."
        )
    planes = [pictures[:, i : i + 1] * weight for i, weight in enumerate(weights)]
    return planes[0] + planes[1] + planes[2]


def smoothed(pictures: Tensor, taps: tuple[float, ...]) -> Tensor:
    """Weighted sums over windows of len(taps) squared pixels, where they fit; differentiable."""
    for axis in (-2, -1):
        size = pictures.shape[axis] - len(taps) + 1
        total = pictures.narrow(axis, 0, size) * taps[0]
        for place, weight in enumerate(taps[1:], start=1):
            total = total + pictures.narrow(axis, place, size) * weight
        pictures = total
    return pictures
