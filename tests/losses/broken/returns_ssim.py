"""SSIM itself, which is 1 for equal pictures; training would make it small."""

from torch import Tensor

from acutance.losses.structure.ssim import ssim


def returns_ssim(sr: Tensor, hr: Tensor) -> Tensor:
    return 1 - ssim(sr, hr)  # ours is 1 - SSIM
