"""MS-GMSD: GMSD of the picture in four sizes, and on request its colours."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared
from acutance.losses.structure.gmsd import variance
from acutance.losses.structure.maps import (
    PREWITT,
    YIQ,
    axis,
    brightness,
    check_channels,
    halved,
    rounded_root,
    steepness,
    unlikeness,
)

CONTRACT = Contract(
    source="Zhang, Sander, Bermak: GMSD on Multiple Scales (ICASSP 2017)",
    injective=False,
    symmetric=True,
    channels=(1, 3),
    min_size=17,
    blind_to=("chroma",),
    memory=8,
)
WEIGHTS = (0.096, 0.596, 0.289, 0.019)  # of the sizes, the full one first
CONSTANT = 170 / 255**2
MASKING = 0.5  # how much two strong edges hide a difference
COLOUR = 0.01  # weight of colour, whose error is in levels 0 to 255
STEEP, DEEP = 15.0, 0.32  # how fast, and how far, colour gives way to edges


def ms_gmsd(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    chromatic: bool = False,
    smooth: float = 1e-5,
) -> Float[Tensor, " n"]:
    """Root of the weighted mean square of GMSD at full, half, quarter and eighth size.

    The likeness of edges is (1.5 a b + T) / (a^2 + b^2 - a b / 2 + T), a and b the Prewitt slopes
    of luma, T = 170 / 255^2; unlike in `gmsd` the first size is the full one. `chromatic` gives
    g v + (1 - g) 0.01 r, v the value above, g = 2 / (1 + 0.32 exp(-15 v)) - 1, and r the root mean
    square error of I and Q in levels, taken in the smallest size: as in piq, whose numbers are
    the only public ones. `smooth` is the length below which the roots are rounded off.
    """
    if not smooth > 0:
        raise InputError(f"ms_gmsd's smooth must be above 0, not {smooth}.")
    sr, hr = prepared(sr, hr, "ms_gmsd", min_side=17)
    check_channels(sr, "ms_gmsd")
    total = sr.new_zeros(sr.shape[0])
    x, y = brightness(sr), brightness(hr)
    for place, weight in enumerate(WEIGHTS):
        if place:
            x, y = halved(x), halved(y)
        a, b = (steepness(v, PREWITT, smooth) for v in (x, y))
        total = total + weight * variance(unlikeness(a, b, CONSTANT, masking=MASKING))
    value = rounded_root(total, smooth)
    if not chromatic:
        return value
    share = 2 / (1 + DEEP * torch.exp(-STEEP * value)) - 1
    return share * value + (1 - share) * COLOUR * _colour_error(sr, hr, smooth)


def _colour_error(sr: Tensor, hr: Tensor, smooth: float) -> Tensor:
    """Root mean square of the error of I and Q together, in levels, at an eighth of the size."""
    if sr.shape[1] == 1:
        return sr.new_zeros(sr.shape[0])
    error = (sr - hr) * 255
    for _ in WEIGHTS[1:]:
        error = halved(error)
    i, q = (axis(error, weights).square().mean(dim=(1, 2, 3)) for weights in YIQ[1:])
    return rounded_root(i + q, 255 * smooth)
