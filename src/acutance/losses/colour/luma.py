"""Luma: the error of brightness alone, colour left out; what papers report PSNR of."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.imaging.colour import LUMA_WEIGHTS
from acutance.losses.colour.spaces import lightness, mixed, prepared_colour
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture

CONTRACT = Contract(
    source="practice: Y of ITU-R BT.601 as in Lim et al.: EDSR (CVPRW 2017); CIE 15 for L*",
    injective=False,
    symmetric=True,
    degree=1,
    channels=(3,),
    blind_to=("chroma",),
    memory=3.0,
)


def luma(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    space: Literal["y", "lstar"] = "y",
) -> Float[Tensor, " n"]:
    """Mean of |Y - Y'| per picture, or with space="lstar" of |L* - L*'| / 100.

    Y = (65.481 R + 128.553 G + 24.966 B + 16) / 255, the studio range of the papers' PSNR: a grey
    offset d costs 0.859 d. L* is CIE's lightness of sRGB pictures, even steps for the eye: errors
    in shadows count about four times those in highlights. Below black its line goes on.
    """
    if space not in {"y", "lstar"}:
        raise InputError(f"luma's space is one of y, lstar, not {space!r}.")
    sr, hr = prepared_colour(sr, hr, "luma")
    if space == "lstar":
        return mean_per_picture((lightness(sr) - lightness(hr)).abs())
    return mean_per_picture(mixed(sr - hr, tuple(w / 255 for w in LUMA_WEIGHTS)).abs())
