"""Laplacian pyramid: absolute error at each scale, by itself, from fine detail to large areas."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Burt, Adelson: The Laplacian Pyramid as a Compact Image Code (IEEE Trans. Comm. 1983); "
    "as a loss Bojanowski, Joulin, Lopez-Paz, Szlam: GLO (ICML 2018), sec. 3.2",
    symmetric=True,
    degree=1,
    memory=5.5,
)
TAPS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
GROWTH = {"flat": 1, "2^j": 2, "4^j": 4}


def laplacian_pyramid(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    levels: int = 4,
    weight: Literal["flat", "2^j", "4^j"] = "2^j",
) -> Float[Tensor, " n"]:
    """Sum of w_j <|L_j e|> per picture over the levels j = 0 (finest) to `levels`, e = sr - hr.

    L_j for j < levels is what is lost when level j is blurred by (1 4 6 4 1) / 16, halved and
    enlarged again; the last is the small picture that is left, without which a constant error
    would cost nothing: a constant d costs w_levels d. w_j is 2^j, the paper's 4^j, which makes
    up for the fewer values in a sum, or 1. Odd sides are halved upwards, edges repeated.
    """
    if levels < 1 or weight not in GROWTH:
        raise InputError(
            f"laplacian_pyramid takes levels of 1 or more and weight "
            f"{', '.join(GROWTH)}, not levels={levels} and weight={weight!r}."
        )
    sr, hr = prepared(sr, hr, "laplacian_pyramid")
    bands = pyramid(sr - hr, levels)
    sizes = [GROWTH[weight] ** j * mean_per_picture(band.abs()) for j, band in enumerate(bands)]
    return torch.stack(sizes).sum(dim=0)


def pyramid(pictures: Tensor, levels: int) -> list[Tensor]:
    """What each level loses, finest first, and the small picture left."""
    bands = []
    for _ in range(levels):
        small = halved(pictures)
        bands.append(pictures - enlarged(small, pictures.shape))
        pictures = small
    return [*bands, pictures]


def halved(pictures: Tensor) -> Tensor:
    """Blurred, and every second pixel kept, the first among them."""
    for axis in (-2, -1):
        size = pictures.shape[axis]
        wide = _edges_repeated(pictures, axis, 2)
        total = wide.narrow(axis, 2, size) * TAPS[2]
        for place in (0, 1, 3, 4):
            total = total + wide.narrow(axis, place, size) * TAPS[place]
        pictures = total[..., ::2] if axis == -1 else total[..., ::2, :]
    return pictures


def enlarged(small: Tensor, shape: torch.Size) -> Tensor:
    """To `shape`: zeros between the pixels, blurred by twice the same kernel along each axis."""
    for axis in (-2, -1):
        size = small.shape[axis]
        wide = _edges_repeated(small, axis, 1)
        before, here, after = (wide.narrow(axis, place, size) for place in range(3))
        even, odd = (before + 6 * here + after) / 8, (here + after) / 2
        both = torch.stack([even, odd], dim=axis).flatten(axis - 1, axis)
        small = both.narrow(axis, 0, shape[axis])
    return small


def _edges_repeated(pictures: Tensor, axis: int, margin: int) -> Tensor:
    first = pictures.narrow(axis, 0, 1)
    last = pictures.narrow(axis, pictures.shape[axis] - 1, 1)
    return torch.cat([*[first] * margin, pictures, *[last] * margin], dim=axis)
