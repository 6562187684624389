"""Raw network output leaves [0, 1] from the first step on."""

from torch import Tensor

from acutance.losses.inputs import prepared


def asserts_range(sr: Tensor, hr: Tensor) -> Tensor:
    sr, hr = prepared(sr, hr, "asserts_range")
    assert sr.min() >= 0, "expected values above 0"
    assert sr.max() <= 1, "expected values below 1"
    return (sr - hr).abs().mean(dim=(1, 2, 3))
