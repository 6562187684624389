"""A number that nothing can be learnt from: sr is cut off."""

from torch import Tensor

from acutance.losses.inputs import prepared


def detached(sr: Tensor, hr: Tensor) -> Tensor:
    sr, hr = prepared(sr, hr, "detached")
    return (sr.detach() - hr).abs().mean(dim=(1, 2, 3))
