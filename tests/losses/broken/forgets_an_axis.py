"""A mean over rows and columns alone: one value per channel."""

from torch import Tensor

from acutance.losses.inputs import prepared


def forgets_an_axis(sr: Tensor, hr: Tensor) -> Tensor:
    sr, hr = prepared(sr, hr, "forgets_an_axis")
    return (sr - hr).abs().mean(dim=(2, 3))
