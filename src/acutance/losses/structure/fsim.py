"""FSIM: how alike two pictures are where the phases of their waves agree, as at edges and lines."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.congruency import LEVEL, congruency
from acutance.losses.structure.maps import (
    SCHARR,
    YIQ,
    axis,
    brightness,
    check_channels,
    steepness,
)

CONTRACT = Contract(
    source="Zhang, Zhang, Mou, Zhang: FSIM (TIP 2011); phases by Kovesi (Videre 1999)",
    injective=False,
    symmetric=True,
    channels=(1, 3),
    min_size=16,
    blind_to=("one level",),
    memory=28,
)
PHASE, SLOPE, TINT = 0.85, 160.0, 200.0  # constants of the likenesses, for levels 0 to 255


def fsim(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, chromatic: bool = True
) -> Float[Tensor, " n"]:
    """One minus FSIM per picture, 0 for equal pictures, at most 1; with colour, FSIMc.

    FSIM = sum P S_p S_g / sum P: S_p the likeness of the phase congruencies (T = 0.85), S_g that
    of the Scharr slopes (T = 160), P the larger congruency of the two. `chromatic` multiplies by
    |S_I S_Q|^0.03, the likenesses of I and Q (T = 200). Phase congruency is 1 where the waves of
    all lengths (log-Gabor, 6 to 48 pixels, 4 directions) meet in step and 0 where what they have
    in common is below the noise, estimated from the median of the shortest waves: of each
    picture alone. Constants are the authors'; their shrinking of pictures above 384 pixels is
    left out, for it would make the value depend on the size of the patch.
    """
    sr, hr = prepared(sr, hr, "fsim", min_side=16)
    check_channels(sr, "fsim")
    if sr.shape[0] == 0:
        return mean_per_picture(sr)  # of no picture: there is no transform of nothing
    sr, hr = sr * 255, hr * 255
    x, y = brightness(sr), brightness(hr)
    px, py = congruency(x), congruency(y)
    gx, gy = steepness(x, SCHARR, LEVEL), steepness(y, SCHARR, LEVEL)
    alike = _likeness(px, py, PHASE) * _likeness(gx, gy, SLOPE)
    if chromatic and sr.shape[1] == 3:
        tints = [_likeness(axis(sr, row), axis(hr, row), TINT) for row in YIQ[1:]]
        # Below a millionth the power, of all but infinite slope, is held.
        alike = alike * (tints[0] * tints[1]).abs().clamp_min(1e-6).pow(0.03)
    weight = torch.maximum(px, py)
    lost = ((1 - alike) * weight).sum(dim=(1, 2, 3))
    return lost / weight.sum(dim=(1, 2, 3)).clamp_min(1e-6)  # nothing in step in either: no loss


def _likeness(a: Tensor, b: Tensor, constant: float) -> Tensor:
    return (2 * a * b + constant) / (a.square() + b.square() + constant)
