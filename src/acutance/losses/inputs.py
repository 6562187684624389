"""What every loss does first: check the pair, widen half precision, hold the target constant."""

import torch
from torch import Tensor

from acutance.errors import InputError


def prepared(sr: Tensor, hr: Tensor, loss: str, *, min_side: int = 1) -> tuple[Tensor, Tensor]:
    """The pair in float32 (float64 stays), the target without gradient, nothing clamped.

    Raises InputError that names `loss` for unequal or wrong shapes, for sides below `min_side`
    pixels and for integers. Half precision is widened because sums of squares over a picture
    lose their digits in it.
    """
    if sr.ndim != 4 or sr.shape != hr.shape:
        raise InputError(
            f"{loss} compares two batches of pictures (n, c, h, w) of one size; sr is "
            f"{_size(sr)} and hr is {_size(hr)}."
        )
    if min(sr.shape[1:]) < 1 or min(sr.shape[2:]) < min_side:
        raise InputError(
            f"{loss} needs pictures of at least {min_side}x{min_side} pixels; these are "
            f"{sr.shape[3]}x{sr.shape[2]}. Use larger patches, or another loss."
        )
    if not (sr.is_floating_point() and hr.is_floating_point()):
        raise InputError(
            f"{loss} takes floating-point pictures in [0, 1]; sr is {sr.dtype} and hr {hr.dtype}."
        )
    wide = torch.promote_types(torch.promote_types(sr.dtype, hr.dtype), torch.float32)
    return sr.to(wide), hr.detach().to(wide)


def mean_per_picture(values: Tensor) -> Tensor:
    """Mean over all but the first axis, as a sum and a division of (n,) numbers.

    torch's mean would write its constant gradient into a whole picture first, in one layout.
    """
    return values.sum(dim=(1, 2, 3)) / values.shape[1:].numel()


def _size(pictures: Tensor) -> str:
    return "x".join(str(side) for side in pictures.shape) or "a single number"
