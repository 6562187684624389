"""DCT: absolute error of each block's cosine waves, as JPEG sees it."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.closed_form import (
    plane_groups,
    room_for_gradient,
    wants_gradient,
    with_backward,
)
from acutance.losses.contract import Contract
from acutance.losses.frequency.blocks import fold_rim, whole_blocks
from acutance.losses.inputs import prepared


def smallest_side(*, block: int = 8) -> int:
    """One block, in pixels."""
    return block


CONTRACT = Contract(
    source="Ahmed, Natarajan, Rao: Discrete Cosine Transform (IEEE Trans. Computers 1974); as a "
    "loss with weights Czolbe, Krause, Cox, Igel (NeurIPS 2020), sec. 3",
    symmetric=True,
    degree=1,
    min_size=8,
    min_size_for=smallest_side,
    memory=3.5,
)
GROUP = 1 << 18  # values transformed at a time: a MiB of float32, about a core's own cache
# Steps for brightness, ITU-T T.81 (JPEG), annex K, table K.1; rows are frequencies down.
JPEG_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def dct(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    block: int = 8,
    weights: Literal["flat", "jpeg"] = "flat",
) -> Float[Tensor, " n"]:
    """Mean of w |D| per picture, D the orthonormal 2-D DCT-II of sr - hr in each block.

    The blocks are `block` x `block` pixels from the top left; sides that are no multiple are
    continued by their mirror image. The energy of D is that of the error. `weights` "jpeg" are 1
    over JPEG's step for brightness at that frequency, with mean 1: fine waves, which an eye sees
    less, count less.
    """
    if block < 1 or weights not in ("flat", "jpeg") or (weights == "jpeg" and block != 8):
        raise InputError(
            f"dct takes block of 1 or more and weights 'flat', or 'jpeg' with block=8, not "
            f"block={block} and weights={weights!r}."
        )
    sr, hr = prepared(sr, hr, "dct", min_side=smallest_side(block=block))
    shares = [1.0] * block**2
    if weights == "jpeg":
        inverse = [1 / step for row in JPEG_STEPS for step in row]
        shares = [64 * value / math.fsum(inverse) for value in inverse]
    total, _ = _dct(sr, hr, block, shares, wants_gradient(sr))
    _, c, h, w = sr.shape
    return total / (c * (h + -h % block) * (w + -w % block))


@with_backward
@torch.library.custom_op("acutance::dct", mutates_args=())
def _dct(
    sr: Tensor, hr: Tensor, block: int, shares: Sequence[float], gradient: bool
) -> tuple[Tensor, Tensor]:
    """Sum of w |D| per picture, and its gradient: the weighted sign through the inverse.

    Autocast is off, or these small products of matrices would be rounded to half precision.
    """
    slope = room_for_gradient(sr, gradient)
    sums = sr.new_empty(sr.shape[:2])
    cosines = sr.new_tensor(_cosines(block))
    weights = sr.new_tensor(shares).view(block, 1, block)
    with torch.autocast(sr.device.type, enabled=False):
        for group in plane_groups(sr, GROUP):
            error = whole_blocks(sr[group] - hr[group], block)
            waves = blockwise(error, cosines)
            sums[group] = (waves.abs() * weights).sum(dim=(2, 3, 4, 5))
            if gradient:
                back = blockwise(waves.sign_().mul_(weights).flatten(4).flatten(2, 3), cosines.mT)
                slope[group] = fold_rim(back.flatten(4).flatten(2, 3), *sr.shape[2:])
    return sums.sum(dim=1), slope


def blockwise(pictures: Tensor, waves: Tensor) -> Tensor:
    """M B M' for the blocks B, (n, c, rows of blocks, block, columns of blocks, block)."""
    size = len(waves)
    across = pictures.unflatten(3, (-1, size)).unflatten(2, (-1, size)) @ waves.mT
    return (across.transpose(3, 5) @ waves.mT).transpose(3, 5)


def _cosines(size: int) -> list[list[float]]:
    """Rows k: sqrt(2 / size) cos(pi k (x + 1/2) / size), the first over sqrt 2."""
    return [
        [
            math.sqrt((1 if k == 0 else 2) / size) * math.cos(math.pi * k * (x + 0.5) / size)
            for x in range(size)
        ]
        for k in range(size)
    ]
