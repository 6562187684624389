"""A sum, whose weight grows with the crop."""

from torch import Tensor

from acutance.losses.inputs import prepared


def sums_up(sr: Tensor, hr: Tensor) -> Tensor:
    sr, hr = prepared(sr, hr, "sums_up")
    return (sr - hr).abs().sum(dim=(1, 2, 3))
