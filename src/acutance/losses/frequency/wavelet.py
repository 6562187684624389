"""Wavelet: absolute error of Haar details from fine to coarse, and of the small picture left."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.closed_form import (
    plane_groups,
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
    memory=2.5,
)
GROUP = 1 << 18  # values worked on at a time: a MiB of float32, about a core's own cache


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
    """Value per picture, and its gradient: the transform is linear, so only the error is taken.

    With 2^levels = m, pixels are laid out by their place in the blocks of m x m, (m, m, n, c,
    rows of blocks, columns of blocks): then sums of neighbours are sums of long runs of memory.
    """
    n, c, h, w = sr.shape
    m = 2 ** (len(shares) - 1)
    slope = room_for_gradient(sr, gradient)
    strips = list(row_strips(h, GROUP // w, multiple=m))
    values = sr.new_empty(n, c, len(strips))
    scales = _scales(shares, c * (-(-h // m) * m) * (-(-w // m) * m))
    for group in plane_groups(sr, GROUP):
        for place, (top, bottom) in enumerate(strips):
            part = (*group, slice(top, bottom))
            x, y = (_by_place(whole_blocks(pictures[part], m), m) for pictures in (sr, hr))
            bands = torch.empty(x.shape, dtype=sr.dtype, device=sr.device)
            torch.sub(x, y, out=bands)
            room = torch.empty_like(bands)
            values[(*group, place)] = _taken_apart(bands, room, scales)
            if gradient:
                _put_together(bands, room, scales)
                _lay_down(bands, slope[part], m)
    return values.sum(dim=(1, 2)), slope


def _scales(shares: Sequence[float], count: int) -> list[float]:
    """What a sum or difference of 4^j pixels counts, of `count` pixels of a picture.

    It is 2^j times the coefficient, of which there are count / 4^j in a band, and three bands.
    """
    *details, rest = (share * 2 ** (j + 1) / count for j, share in enumerate(shares))
    return [scale / 3 for scale in details] + [rest / 2]  # A is on the level of the last details


def _by_place(pictures: Tensor, m: int) -> Tensor:
    """A view of pictures in blocks of m x m, by the place in the block first."""
    blocks = pictures.unflatten(3, (-1, m)).unflatten(2, (-1, m))
    return blocks.permute(3, 5, 0, 1, 2, 4)


def _taken_apart(bands: Tensor, room: Tensor, scales: Sequence[float]) -> Tensor:
    """Sums and differences of neighbours, level by level in place; the value per plane.

    Each level has its sums in the first quarter, the next level's pixels.
    """
    side = len(bands)
    total = bands.new_zeros(bands.shape[2:4])
    for scale in scales[:-1]:
        half = side // 2
        here, there = bands[:side, :side], room[:side, :side]
        torch.add(here[0::2], here[1::2], out=there[:half])
        torch.sub(here[0::2], here[1::2], out=there[half:])
        torch.add(there[:, 0::2], there[:, 1::2], out=here[:, :half])
        torch.sub(there[:, 0::2], there[:, 1::2], out=here[:, half:])
        for details in ((slice(half, None),), (slice(0, half), slice(half, None))):
            sizes = torch.abs(here[details], out=there[details])
            total.add_(sizes.sum(dim=(0, 1, 4, 5)), alpha=scale)
        side = half
    return total.add_(bands[0, 0].abs().sum(dim=(2, 3)), alpha=scales[-1])


def _put_together(bands: Tensor, room: Tensor, scales: Sequence[float]) -> None:
    """The gradient in place of the bands: their signs through the transposed steps, backwards."""
    bands[0, 0].sign_().mul_(scales[-1])
    half = 1
    for scale in reversed(scales[:-1]):
        here, there = bands[: 2 * half, : 2 * half], room[: 2 * half, : 2 * half]
        small, across = here[:half, :half], here[:half, half:].sign_()
        torch.add(small, across, alpha=scale, out=there[:half, 0::2])
        torch.sub(small, across, alpha=scale, out=there[:half, 1::2])
        down, both = here[half:, :half].sign_(), here[half:, half:].sign_()
        torch.add(down, both, out=there[half:, 0::2])
        torch.sub(down, both, out=there[half:, 1::2])
        torch.add(there[:half], there[half:], alpha=scale, out=here[0::2])
        torch.sub(there[:half], there[half:], alpha=scale, out=here[1::2])
        half *= 2


def _lay_down(gradient: Tensor, slope: Tensor, m: int) -> None:
    """Write the gradient by place into the pictures, mirrored pixels into those they came from."""
    h, w = slope.shape[2:]
    if h % m == 0 and w % m == 0:
        _by_place(slope, m).copy_(gradient)
        return
    blocks = slope.new_empty(*slope.shape[:2], gradient.shape[4] * m, gradient.shape[5] * m)
    _by_place(blocks, m).copy_(gradient)
    slope.copy_(fold_rim(blocks, h, w))
