"""MS-SSIM: SSIM at several sizes of the picture, multiplied."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.closed_form import laid_out_like, wants_gradient, with_backward
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared
from acutance.losses.structure.sweep import ssim_map, structure_map, sweep
from acutance.losses.structure.windows import gaussian_taps


def smallest_side(*, window: int = 11, levels: int = 5) -> int:
    """Where the window fits into the smallest level, in pixels."""
    return window * 2 ** (levels - 1)


CONTRACT = Contract(
    source="Wang, Simoncelli, Bovik: Multi-Scale Structural Similarity (Asilomar 2003), sec. 3",
    symmetric=True,
    min_size=176,
    min_size_for=smallest_side,
    memory=9.0,
)

# Of the levels from fine to coarse, found by the authors in a viewing experiment.
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
C1, C2 = 0.01**2, 0.03**2


def ms_ssim(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    levels: int = 5,
    window: int = 11,
    sigma: float = 1.5,
    floor: float = 1e-4,
) -> Float[Tensor, " n"]:
    """One minus MS-SSIM per picture, 0 for equal pictures, at most 1.

    MS-SSIM is the mean over the channels of prod_j max(<cs_j>, floor)^w_j, with <cs_j> the mean
    contrast and structure (2 sxy + C2) / (sx^2 + sy^2 + C2) of level j, multiplied at the last
    level by the brightness. A level is the one before reduced by means of 2 x 2 pixels; an odd
    last row or column is left out. With fewer `levels` the first weights count, scaled to the
    sum of all (1.0001, as published).
    The floor stands for anticorrelated pictures, where a negative number has no real power:
    there the gradient of that level is 0.
    """
    if not 1 <= levels <= len(WEIGHTS) or window < 1 or window % 2 == 0 or not sigma > 0:
        raise InputError(
            f"ms_ssim takes 1 to {len(WEIGHTS)} levels, an odd window and a sigma above 0, "
            f"not levels={levels}, window={window}, sigma={sigma}."
        )
    if not 0 < floor < 1:
        raise InputError(f"ms_ssim's floor lies between 0 and 1, not {floor}.")
    least = smallest_side(window=window, levels=levels)
    sr, hr = prepared(sr, hr, "ms_ssim", min_side=least)
    scaled = sum(WEIGHTS) / sum(WEIGHTS[:levels])
    exponents = [weight * scaled for weight in WEIGHTS[:levels]]
    taps = list(gaussian_taps(window, sigma))
    return _ms_ssim(sr, hr, taps, exponents, floor, wants_gradient(sr))[0]


@with_backward
@torch.library.custom_op("acutance::ms_ssim", mutates_args=())
def _ms_ssim(
    sr: Tensor,
    hr: Tensor,
    taps: Sequence[float],
    exponents: Sequence[float],
    floor: float,
    gradient: bool,
) -> tuple[Tensor, Tensor]:
    """The value per picture, and its gradient.

    What a level weighs in the gradient depends on the means of all of them, so each level keeps
    the gradient of its own mean until the last is known.
    """
    x, y = sr.contiguous(), hr.contiguous()
    window, last = tuple(taps), len(exponents) - 1
    means, slopes = [], []
    for level in range(len(exponents)):
        similarity = (
            partial(ssim_map, constants=(C1, C2))
            if level == last
            else partial(structure_map, c2=C2)
        )
        sums, slope = sweep(x, y, window, similarity, gradient=gradient)
        places = (x.shape[2] - len(taps) + 1) * (x.shape[3] - len(taps) + 1)
        means.append(sums / places)
        slopes.append(slope.div_(places / 2))
        if level != last:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    mean = torch.stack(means)  # (levels, n, c)
    powers = mean.new_tensor(exponents)[:, None, None]
    product = (mean.clamp_min(floor) ** powers).prod(dim=0)
    value = 1 - product.sum(dim=1) / max(1, sr.shape[1])
    if not gradient:
        return value, slopes[0]
    pulls = torch.where(mean > floor, -powers * product / mean.clamp_min(floor), 0.0) / sr.shape[1]
    return value, laid_out_like(sr, _joined(slopes, pulls))


def _joined(slopes: list[Tensor], pulls: Tensor) -> Tensor:
    """Each level's gradient with its weight (n, c), carried up to the finest; in place."""
    for level in reversed(range(len(slopes))):
        slope = slopes[level].mul_(pulls[level][:, :, None, None])
        if level + 1 < len(slopes):
            below = slopes[level + 1]
            h, w = below.shape[2:]
            blocks = slope[:, :, : 2 * h, : 2 * w].unflatten(2, (h, 2)).unflatten(4, (w, 2))
            blocks.add_(below[:, :, :, None, :, None], alpha=0.25)
    return slopes[0]
