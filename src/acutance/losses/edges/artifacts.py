"""Where a result has artifacts: the map of locally discriminative learning."""

import torch
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.edges.derivatives import mirrored, smoothed


def smallest_side(*, window: int = 7) -> int:
    """One more than what is mirrored at each border, in pixels; two for a variance."""
    return max(2, window // 2 + 1)


def check_window(window: int, loss: str) -> None:
    if window < 3 or window % 2 == 0:
        raise InputError(f"{loss} takes an odd window of 3 pixels or more, not {window}.")


def residual(sr: Tensor, hr: Tensor) -> Tensor:
    """r: the absolute error summed over the channels, (n, 1, h, w), a constant."""
    return (sr.detach() - hr).abs().sum(dim=1, keepdim=True)


def artifact_map(r: Tensor, window: int) -> Tensor:
    """var(r)^(1/5) times the variance of r in the window round each pixel; sample variances.

    Variances are taken round the mean of the picture, where small numbers keep their digits.
    """
    around = r - r.mean(dim=(1, 2, 3), keepdim=True)
    overall = around.square().sum(dim=(1, 2, 3), keepdim=True) / (r.shape[2:].numel() - 1)
    centred = mirrored(around, window // 2)
    taps = (1 / window,) * window
    spread = smoothed(centred.square(), taps) - smoothed(centred, taps).square()
    sample = window**2 / (window**2 - 1)
    return overall.pow(1 / 5) * torch.clamp_min(spread, 0) * sample
