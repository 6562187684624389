"""NLPD: the distance of two pictures as the early visual system normalises them."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.closed_form import laid_out_like, wants_gradient, with_backward
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.maps import (
    brightness,
    check_channels,
    rounded_root,
    slope_of_rounded_root,
)
from acutance.losses.structure.pyramid import (
    enlarged,
    enlarged_back,
    shrunk,
    shrunk_back,
)


def smallest_side(*, levels: int = 6) -> int:
    """Where the last band but one still has two pixels, in pixels."""
    return 2 ** (levels - 2) + 1 if levels > 1 else 1


CONTRACT = Contract(
    source="Laparra, Balle, Berardino, Simoncelli: Normalized Laplacian Pyramid (HVEI 2016)",
    injective=False,
    symmetric=True,
    channels=(1, 3),
    min_size=17,
    min_size_for=smallest_side,
    blind_to=("chroma",),
    memory=4.5,
)
# Fitted by the authors to photographs, finest band first: what the amplitudes of the neighbours
# above, below, left and right count for, and the amplitude that is always there.
NEIGHBOURS = (
    (0.1015, 0.1011, 0.1460, 0.1493),
    (0.0837, 0.0757, 0.1846, 0.1986),
    (0.0467, 0.0477, 0.2243, 0.2138),
    (0.0, 0.0, 0.2616, 0.2503),
    (0.0, 0.0, 0.2552, 0.2598),
)
FLOORS = (0.0248, 0.0185, 0.0179, 0.0191, 0.0220)
LAST_NEIGHBOURS, LAST_FLOOR = (0.0, 0.0, 0.0717, 0.2215), 0.2782  # of what is left, the low pass


def nlpd(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    levels: int = 6,
    smooth: float = 1e-6,
) -> Float[Tensor, " n"]:
    """Mean over the bands of the root mean square difference of the normalised bands, 0 at best.

    The bands are those of a Laplacian pyramid of luma (5 taps: 1 5 8 5 1 twentieths) and its low
    pass; each value is divided by a constant plus the weighted amplitudes of its four neighbours,
    so that a fault in texture counts less than the same on flat ground. Six levels and the
    constants are the authors'. `smooth` is the value below which the roots, infinitely steep at
    0, are rounded off.
    """
    if not (2 <= levels <= 6 and smooth > 0):
        raise InputError(
            f"nlpd takes 2 to 6 levels and smooth above 0, not levels={levels}, smooth={smooth}."
        )
    sr, hr = prepared(sr, hr, "nlpd", min_side=smallest_side(levels=levels))
    check_channels(sr, "nlpd")
    return _nlpd(brightness(sr), brightness(hr), levels, smooth, wants_gradient(sr))[0]


@with_backward
@torch.library.custom_op("acutance::nlpd", mutates_args=())
def _nlpd(
    sr: Tensor, hr: Tensor, levels: int, smooth: float, gradient: bool
) -> tuple[Tensor, Tensor]:
    """The mean of the distances of lumas, and its gradient, from the low pass upwards."""
    bands, targets = _bands(sr, levels), _bands(hr, levels)
    value = sr.new_zeros(sr.shape[0])
    pulls = []
    for band, target, weights in zip(bands, targets, _weights(levels), strict=True):
        size, wanted = _around(band, *weights), _around(target, *weights)
        error = band / size - target / wanted
        square = mean_per_picture(error.square())
        value += rounded_root(square, smooth) / levels
        if gradient:
            steepness = slope_of_rounded_root(square, smooth)[:, None, None, None]
            pull = error.mul_(steepness * (2 / levels / band[0].numel())).div_(size)
            neighbours = _around(pull * band / size, 0.0, *_turned(weights[1:]))
            pulls.append(pull.addcmul_(band.sign(), neighbours, value=-1))
    if not gradient:
        return value, sr.new_empty(0)
    slope = pulls.pop()
    while pulls:
        pull = pulls.pop()
        height, width = pull.shape[2:]
        slope = shrunk_back(slope.sub_(enlarged_back(pull)), height, width).add_(pull)
    return value, laid_out_like(sr, slope)


def _weights(levels: int) -> list[tuple[float, ...]]:
    """Floor and neighbours of each band, the low pass last."""
    fine = zip(FLOORS[: levels - 1], NEIGHBOURS, strict=False)
    return [*((floor, *around) for floor, around in fine), (LAST_FLOOR, *LAST_NEIGHBOURS)]


def _turned(weights: tuple[float, ...]) -> tuple[float, ...]:
    """Of the transpose: what weighed the one above now comes from the one below."""
    above, below, left, right = weights
    return below, above, right, left


def _bands(luma: Tensor, levels: int) -> list[Tensor]:
    """Differences of each size from the next smaller one enlarged, and the smallest."""
    bands = []
    for _ in range(levels - 1):
        small = shrunk(luma)
        bands.append(luma - enlarged(small, luma.shape[2], luma.shape[3]))
        luma = small
    return [*bands, luma]


def _around(
    band: Tensor, floor: float, above: float, below: float, left: float, right: float
) -> Tensor:
    """floor and the weighted sizes of the four neighbours; none outside the picture."""
    size = F.pad(band.abs() if floor else band, (1, 1, 1, 1))
    total = (size[..., 1:-1, :-2] * left).add_(size[..., 1:-1, 2:], alpha=right)
    total.add_(size[..., :-2, 1:-1], alpha=above).add_(size[..., 2:, 1:-1], alpha=below)
    return total.add_(floor)
