"""Sliced Wasserstein: which small patches occur, wherever they are, at several sizes."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.closed_form import (
    laid_out_like,
    room_for_gradient,
    wants_gradient,
    with_backward,
)
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared


def smallest_side(*, patch: int = 7, levels: int = 3) -> int:
    """Where a patch fits into the smallest level, in pixels."""
    return patch * 2 ** (levels - 1)


CONTRACT = Contract(
    source="Rabin, Peyre, Delon, Bernot: Wasserstein Barycenter and Its Application to Texture "
    "Mixing (SSVM 2011); Karras et al. (ICLR 2018), sec. 5; He et al.: MS-SWD (ECCV 2024)",
    injective=False,
    symmetric=True,
    min_size=28,
    min_size_for=smallest_side,
    memory=4.5,
    proof={"projections": 8},
    exceptions={
        "blind_spots": "it sees which patches there are and not where, but no change that the check"
        " knows leaves the patches of every picture the same"
    },
)
GROUP = 1 << 18  # values of projected patches sorted at a time


def sliced_wasserstein(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    patch: int = 7,
    projections: int = 64,
    levels: int = 3,
    seed: int = 0,
) -> Float[Tensor, " n"]:
    """Mean of |sort(sr patches . d) - sort(hr patches . d)| per picture over directions d.

    All patches of `patch` pixels a side and all channels are projected on `projections` random
    directions of length 1, the same for every call with the same `seed`; of each the values are
    sorted, which is the exact distance in one dimension. The mean is over places, directions and
    `levels`, each next one the means of 2 x 2 pixels (an odd last row or column left out). The
    same texture a few pixels aside costs little. Karras et al. measure with patches of 7,
    normalised, drawn by chance from a Laplacian pyramid; here they are all taken, as they are.
    """
    if min(patch, projections, levels) < 1:
        raise InputError(
            f"sliced_wasserstein's patch, projections and levels are 1 or more, not patch={patch}, "
            f"projections={projections} and levels={levels}."
        )
    least = smallest_side(patch=patch, levels=levels)
    sr, hr = prepared(sr, hr, "sliced_wasserstein", min_side=least)
    gradient = wants_gradient(sr)
    total, _ = _one_level(sr, hr, patch, projections, seed, gradient)
    for _ in range(levels - 1):
        sr, hr = F.avg_pool2d(sr, 2), F.avg_pool2d(hr, 2)
        total = total + _one_level(sr, hr, patch, projections, seed, gradient)[0]
    return total / levels


@with_backward
@torch.library.custom_op("acutance::sliced_wasserstein", mutates_args=())
def _one_level(
    sr: Tensor, hr: Tensor, patch: int, projections: int, seed: int, gradient: bool
) -> tuple[Tensor, Tensor]:
    """Mean over places and directions per picture, and its gradient, some directions at a time."""
    x, y = sr.contiguous(), hr.contiguous()
    n, c, h, w = x.shape
    kernels = _directions(c, patch, projections, seed).to(x)
    places = (h - patch + 1) * (w - patch + 1)
    sums = x.new_zeros(n)
    slope = room_for_gradient(x, gradient).zero_()
    with torch.autocast(x.device.type, enabled=False):  # it would convolve in bfloat16
        for picture in range(n):
            one = slice(picture, picture + 1)
            for some in kernels.split(max(1, GROUP // places)):
                flat = (len(some), places)
                values, order = F.conv2d(x[one], some).view(flat).sort(dim=1, stable=True)
                wanted = F.conv2d(y[one], some).view(flat).sort(dim=1).values
                moved = values.sub_(wanted)
                sums[picture] += moved.abs().sum()
                if gradient:
                    pull = torch.empty_like(moved).scatter_(1, order, moved.sign_())
                    pull = pull.view(1, -1, h - patch + 1, w - patch + 1)
                    # the transpose of the convolution, several times slower under its own name
                    mirrored = some.flip(2, 3).transpose(0, 1)
                    slope[one] += F.conv2d(pull, mirrored, padding=patch - 1)
    count = projections * places
    return sums / count, laid_out_like(sr, slope.div_(count))


def _directions(channels: int, patch: int, projections: int, seed: int) -> Tensor:
    """Unit vectors, evenly over the sphere: normal numbers divided by their length; float64."""
    generator = torch.Generator().manual_seed(seed)
    shape = (projections, channels, patch, patch)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
    return drawn / drawn.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
