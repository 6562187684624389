"""DSSIM: half of one minus SSIM, the form that stays in [0, 1]."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.structure.ssim import smallest_side, ssim

CONTRACT = Contract(
    source="Loza, Mihaylova, Canagarajah, Bull: Structural Similarity-Based Tracking (Fusion 2006)",
    symmetric=True,
    min_size=11,
    min_size_for=smallest_side,
    memory=10.0,
)


def dssim(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, window: int = 11
) -> Float[Tensor, " n"]:
    """(1 - SSIM) / 2 per picture: half of the loss `ssim`, at most 1.

    What some libraries call their SSIM loss; its gradient is half of ours.
    """
    return ssim(sr, hr, window=window) / 2
