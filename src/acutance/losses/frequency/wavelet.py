"""Wavelet: absolute error of Haar details from fine to coarse, and of the small picture left."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.closed_form import (
    exact_products,
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
GROUP = 1 << 20  # values worked on at a time: fewer cost calls, more leave the cache
LANES = 16  # values of a row turned by one small product, about


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
    pull = slope if whole else room_for_gradient(x, gradient)
    (own, step), (other, _), (made, _) = (in_rows(p, like=x) for p in (x, y, pull))
    turn = _turn(step, sr.dtype, sr.device)
    counts = _counts(shares, x.shape[1:].numel(), turn)
    strips = list(row_strips(own.shape[1], GROUP // own.shape[2], multiple=m))
    values = sr.new_empty(len(own), len(strips))
    together = max(1, GROUP // own[0].numel()) if n else 1
    # neither may round to bfloat16
    with torch.autocast(sr.device.type, enabled=False), exact_products():
        for first in range(0, len(own), together):
            for place, (top, bottom) in enumerate(strips):
                part = slice(first, first + together), slice(top, bottom)
                error = (own[part] - other[part]).contiguous()
                levels, values[part[0], place] = _taken_apart(error, turn, counts)
                if gradient:
                    _put_together(levels, turn, counts, made[part])
    if gradient and not whole:
        slope.copy_(fold_rim(pull, h, w))
    return values.view(n, len(own) // max(1, n) * len(strips)).sum(dim=1), slope


def _counts(shares: Sequence[float], count: int, turn: Tensor) -> list[Tensor]:
    """What the lanes of each level count, of `count` pixels of a picture: (2, 1, 1, lanes).

    A sum or difference of 4^j pixels is 2^j times its coefficient, of which there are count / 4^j
    in a band; D is the mean of three bands. Sums of added rows are the next level's until the last.
    """
    *details, rest = (share * 2 ** (j + 1) / count for j, share in enumerate(shares))
    counts = [turn.new_full((2, 1, 1, len(turn)), scale / 3) for scale in details]
    for j, level in enumerate(counts):
        level[0, ..., : len(turn) // 2] = rest / 2 if j == len(details) - 1 else 0.0
    return counts


@lru_cache(maxsize=8)
def _turn(step: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(lanes, lanes): what makes of lanes in a row their pairs' sums, then their differences.

    Neighbours lie `step` apart. A product with so small a matrix is several times faster than to
    pick every other value of a row.
    """
    pairs = max(1, LANES // (2 * step))
    one = torch.eye(step, dtype=dtype, device=device)
    halves = [torch.block_diag(*[torch.cat([one, s * one], dim=1)] * pairs) for s in (1, -1)]
    return torch.cat(halves).t().contiguous()


@dataclass(frozen=True)
class _Level:
    """Rows in pairs added and subtracted, (2, planes, rows / 2, values), and room for as much."""

    bands: Tensor
    room: Tensor  # (planes, rows / 2, 2, values)

    def sums(self, lanes: int) -> Tensor:
        """A view of what goes on to the next level: neighbours added in added rows."""
        return self.bands[0].unflatten(-1, (-1, 2, lanes // 2))[..., 0, :]


def _taken_apart(
    error: Tensor, turn: Tensor, counts: Sequence[Tensor]
) -> tuple[list[_Level], Tensor]:
    """The levels of (planes, rows, values), and the value per plane.

    Rows are filled up with zeros to whole groups of lanes; they count for nothing.
    """
    lanes, total, levels = len(turn), error.new_zeros(len(error)), []
    for counted in counts:
        p, rows, width = error.shape
        if width % lanes:
            error = F.pad(error, (0, -width % lanes))
        room = torch.mm(error.view(-1, lanes), turn).view(p, rows // 2, 2, -1)
        bands = error.view(2, p, rows // 2, -1)  # in the error's place, which is not needed again
        torch.add(room[:, :, 0], room[:, :, 1], out=bands[0])
        torch.sub(room[:, :, 0], room[:, :, 1], out=bands[1])
        columns = torch.abs(bands, out=room.view_as(bands)).sum(dim=2)
        total = total + (columns.unflatten(2, (-1, lanes)) * counted).sum(dim=(0, 2, 3))
        levels.append(_Level(bands, room))
        if counted is not counts[-1]:
            error = levels[-1].sums(lanes).flatten(2)
    return levels, total


def _put_together(
    levels: Sequence[_Level], turn: Tensor, counts: Sequence[Tensor], pull: Tensor
) -> None:
    """Write the gradient into `pull`: the signs of all through the transposed steps, backwards."""
    lanes, small = len(turn), None
    for level, counted in zip(reversed(levels), reversed(counts), strict=True):
        bands, room = level.bands, level.room
        bands.sign_().unflatten(3, (-1, lanes)).mul_(counted.unsqueeze(3))
        if small is not None:
            sums = level.sums(lanes)
            sums.copy_(small[..., : sums.shape[2:].numel()].view_as(sums))
        torch.add(bands[0], bands[1], out=room[:, :, 0])
        torch.sub(bands[0], bands[1], out=room[:, :, 1])
        fits = level is levels[0] and room.shape[3] == pull.shape[2]
        small = pull if fits else bands.view(len(pull), -1, room.shape[3])
        torch.mm(room.view(-1, lanes), turn.t(), out=small.view(-1, lanes))
    if small is not None and small is not pull:
        pull.copy_(small[..., : pull.shape[2]])
