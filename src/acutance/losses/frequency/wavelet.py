"""Wavelet: absolute error of Haar details from fine to coarse, and of the small picture left."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.closed_form import (
    in_rows,
    room_for_gradient,
    row_strips,
    wants_gradient,
    with_backward,
)
from acutance.losses.contract import Contract
from acutance.losses.frequency.blocks import fold_rim, whole_blocks
from acutance.losses.inputs import prepared


def smallest_side(*, levels: int = 3) -> int:
    """One value of the small picture that is left, in pixels."""
    return 2**levels


CONTRACT = Contract(
    source="Guo, Mousavi, Vu, Monga: Deep Wavelet Prediction (DWSR, CVPRW 2017), sec. 3.2; "
    "Huang, He, Sun, Tan: Wavelet-SRNet (ICCV 2017), sec. 3.3; Haar (Math. Ann. 1910)",
    symmetric=True,
    degree=1,
    min_size=8,
    min_size_for=smallest_side,
    memory=6.5,
)
GROUP = 1 << 19  # values worked on at a time: fewer cost calls, more leave the cache


def wavelet(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    levels: int = 3,
    weights: tuple[float, ...] = (),
) -> Float[Tensor, " n"]:
    """Weighted mean of <|D_1|>, ..., <|D_levels|>, <|A|> per picture, bands of sr - hr.

    Orthonormal Haar: of each 2 x 2 pixels p q / r s the details (p - q + r - s) / 2,
    (p + q - r - s) / 2 and (p - q - r + s) / 2, whose mean over the three is <|D|>, and the
    approximation A = (p + q + r + s) / 2, which the next level takes apart. `weights` are for
    D_1 (finest) to D_levels and A, equal if none are given. The energy of all bands is that of
    the error. A constant error d is in A alone, as 2^levels d. Sides that are not multiples of
    2^levels are continued by their mirror image to the next one.
    """
    shares = weights or (1.0,) * (levels + 1)
    if levels < 1 or len(shares) != levels + 1 or min(shares) < 0 or not sum(shares) > 0:
        raise InputError(
            f"wavelet takes levels of 1 or more and one weight for each level and one for the "
            f"picture left, none below 0 and not all 0; these are levels={levels} and "
            f"weights={weights}."
        )
    sr, hr = prepared(sr, hr, "wavelet", min_side=smallest_side(levels=levels))
    value, _ = _wavelet(sr, hr, [share / sum(shares) for share in shares], wants_gradient(sr))
    return value


@with_backward
@torch.library.custom_op("acutance::wavelet", mutates_args=())
def _wavelet(
    sr: Tensor, hr: Tensor, shares: Sequence[float], gradient: bool
) -> tuple[Tensor, Tensor]:
    """Value per picture, and its gradient: the transform is linear, so only the error is taken."""
    n, _, h, w = sr.shape
    slope = room_for_gradient(sr, gradient)
    m = 2 ** (len(shares) - 1)
    whole = h % m == 0 and w % m == 0
    x, y = (sr, hr) if whole else (whole_blocks(pictures, m) for pictures in (sr, hr))
    scales = _scales(shares, x.shape[1:].numel())
    pull = slope if whole else room_for_gradient(x, gradient)
    (own, step), (other, _), (made, _) = (in_rows(p, like=x) for p in (x, y, pull))
    strips = list(row_strips(own.shape[1], GROUP // own.shape[2], multiple=m))
    values = sr.new_empty(len(own), len(strips))
    together = max(1, 2 * GROUP // own[0].numel()) if n else 1  # whole planes make fewer calls
    for first in range(0, len(own), together):
        for place, (top, bottom) in enumerate(strips):
            part = slice(first, first + together), slice(top, bottom)
            bands, values[part[0], place] = _taken_apart(own[part] - other[part], step, scales)
            if gradient:
                _put_together(bands, step, scales, made[part])
    if gradient and not whole:
        slope.copy_(fold_rim(pull, h, w))
    return values.view(n, len(own) // max(1, n) * len(strips)).sum(dim=1), slope


def _scales(shares: Sequence[float], count: int) -> list[float]:
    """What a sum or difference of 4^j pixels counts, of `count` pixels of a picture.

    It is 2^j times the coefficient, of which there are count / 4^j in a band, and three bands.
    """
    *details, rest = (share * 2 ** (j + 1) / count for j, share in enumerate(shares))
    return [scale / 3 for scale in details] + [rest / 2]  # A is on the level of the last details


@dataclass(frozen=True)
class _Level:
    """Three bands of sums and differences, at each value with the one a step to its right.

    Every other one straddles two blocks and counts for nothing (`counts` 0): to compute it and
    leave it out is faster than to pick values apart.
    """

    bands: Tensor  # across, down and both: (3, planes, rows, values in a row less a step)
    counts: Tensor  # (values in a row less a step)


def _taken_apart(
    error: Tensor, step: int, scales: Sequence[float]
) -> tuple[tuple[list[_Level], Tensor], Tensor]:
    """The bands of (p, rows, values) and the sums that are left; and the value per plane."""
    total = error.new_zeros(len(error))
    levels = []
    for scale in scales[:-1]:
        sums = torch.add(error[:, 0::2], error[:, 1::2])
        differences = torch.sub(error[:, 0::2], error[:, 1::2])
        p, rows, width = sums.shape
        level = _Level(error.new_empty(3, p, rows, width - step), _firsts(error, step))
        torch.sub(sums[..., :-step], sums[..., step:], out=level.bands[0])
        torch.add(differences[..., :-step], differences[..., step:], out=level.bands[1])
        torch.sub(differences[..., :-step], differences[..., step:], out=level.bands[2])
        columns = level.bands.abs().sum(dim=2)
        total.add_(columns.mul_(level.counts).sum(dim=(0, 2)), alpha=scale)
        levels.append(level)
        pairs = sums.unflatten(2, (-1, 2, step))
        error = torch.add(pairs[:, :, :, 0], pairs[:, :, :, 1]).flatten(2)
    total.add_(error.abs().sum(dim=(1, 2)), alpha=scales[-1])
    return (levels, error), total


def _put_together(
    bands: tuple[list[_Level], Tensor], step: int, scales: Sequence[float], pull: Tensor
) -> None:
    """Write the gradient into `pull`: the bands' signs through the transposed steps, backwards."""
    levels, rest = bands
    small = rest.sign_().mul_(scales[-1])
    for level, scale in zip(reversed(levels), reversed(scales[:-1]), strict=True):
        across, down, both = level.bands.sign_().mul_(level.counts * scale)
        p, rows, width = across.shape
        sums = small.unflatten(2, (-1, 1, step)).expand(-1, -1, -1, 2, -1).contiguous().flatten(2)
        sums[..., :-step] += across
        sums[..., step:] -= across
        differences = torch.empty_like(sums)
        torch.add(down, both, out=differences[..., :-step])
        differences[..., -step:] = 0
        differences[..., step:] += down.sub_(both)
        small = pull if level is levels[0] else small.new_empty(p, 2 * rows, width + step)
        torch.add(sums, differences, out=small[:, 0::2])
        torch.sub(sums, differences, out=small[:, 1::2])


def _firsts(error: Tensor, step: int) -> Tensor:
    """1 for values whose pixel is the first of its block, 0 for the others."""
    places = torch.arange(error.shape[2] - step, device=error.device) // step
    return (1 - places % 2).to(error.dtype)
