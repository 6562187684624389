"""GMSD: how unevenly the steepness of edges differs from the target's over the picture."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.maps import (
    PREWITT,
    brightness,
    check_channels,
    halved,
    rounded_root,
    steepness,
    unlikeness,
)

CONTRACT = Contract(
    source="Xue, Zhang, Mou, Bovik: Gradient Magnitude Similarity Deviation (TIP 2014), sec. II",
    injective=False,
    symmetric=True,
    channels=(1, 3),
    min_size=4,
    blind_to=("chroma", "chequerboard"),
    memory=3.5,
)
CONSTANT = 170 / 255**2  # the authors' 170 for levels 0 to 255


def gmsd(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, smooth: float = 1e-5
) -> Float[Tensor, " n"]:
    """Standard deviation over the picture of the likeness of edges, 0 to about 0.4.

    The likeness is (2 a b + T) / (a^2 + b^2 + T), a and b the lengths of the Prewitt slopes of
    the lumas made half as large, T = 170 / 255^2, all as the authors have it. A deviation, not a
    mean: the same small fault everywhere costs nothing, and neither colour nor what is finer than
    two pixels is seen, so use it beside a pixel loss. `smooth` is the length below which the
    roots are rounded off (slopes in the range of the pictures): their slope at 0 is infinite.
    """
    if not smooth > 0:
        raise InputError(f"gmsd's smooth must be above 0, not {smooth}.")
    sr, hr = prepared(sr, hr, "gmsd", min_side=4)
    check_channels(sr, "gmsd")
    a, b = (steepness(halved(brightness(v)), PREWITT, smooth) for v in (sr, hr))
    return rounded_root(variance(unlikeness(a, b, CONSTANT)), smooth)


def variance(maps: Tensor) -> Tensor:
    """Mean of the squared distance from the mean, per picture."""
    return mean_per_picture((maps - mean_per_picture(maps)[:, None, None, None]).square())
