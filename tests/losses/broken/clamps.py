"""Out of [0, 1] nothing is pulled back."""

from torch import Tensor

from acutance.losses.inputs import prepared


def clamps(sr: Tensor, hr: Tensor) -> Tensor:
    sr, hr = prepared(sr, hr, "clamps")
    return (sr.clamp(0, 1) - hr).square().mean(dim=(1, 2, 3))
