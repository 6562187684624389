"""Oklab: the error in a space where equal distances look equally different."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.colour.spaces import oklab_of, prepared_colour
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture

CONTRACT = Contract(
    source="Ottosson: A perceptual color space for image processing (2020)",
    symmetric=True,
    channels=(3,),
    memory=11.5,
)


def oklab(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    lightness: float = 1.0,
    colour: float = 1.0,
) -> Float[Tensor, " n"]:
    """Mean of |dL|, |da| and |db| per picture; L weighted by `lightness`, a and b by `colour`.

    Black to white is 1 in L alone, so it costs 1/3. The cube root is a straight line below 1e-4
    of white's light, which 8-bit greys reach only at 0, and mirrored for negative light.
    """
    if not (lightness >= 0 and colour >= 0 and lightness + colour > 0):
        raise InputError(
            f"oklab's weights are 0 or more and not both 0, not lightness={lightness} and "
            f"colour={colour}."
        )
    sr, hr = prepared_colour(sr, hr, "oklab")
    distance = (oklab_of(sr) - oklab_of(hr)).abs()
    by_lightness = mean_per_picture(distance[:, :1])
    by_colour = mean_per_picture(distance[:, 1:])
    return (lightness * by_lightness + 2 * colour * by_colour) / 3
