"""Colour spaces of sRGB pictures in [0, 1] that stay defined, with a slope, outside of it."""

import torch
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.inputs import prepared

Rows = tuple[tuple[float, float, float], ...]

# Rec. 709 primaries and D65 (IEC 61966-2-1), rows X, Y, Z divided by the white (0.95047, 1,
# 1.08883), so that white is (1, 1, 1).
WHITE = (0.95047, 1.0, 1.08883)
XYZ = tuple(
    tuple(weight / white for weight in row)
    for row, white in zip(
        (
            (0.412453, 0.357580, 0.180423),
            (0.212671, 0.715160, 0.072169),
            (0.019334, 0.119193, 0.950227),
        ),
        WHITE,
        strict=True,
    )
)


def prepared_colour(sr: Tensor, hr: Tensor, loss: str) -> tuple[Tensor, Tensor]:
    """`prepared`, and three channels; anything else is no colour picture."""
    sr, hr = prepared(sr, hr, loss)
    if sr.shape[1] != 3:
        raise InputError(
            f"{loss} compares colours and needs 3 channels, red, green and blue; these pictures "
            f"have {sr.shape[1]}."
        )
    return sr, hr


def mixed(pictures: Tensor, weights: tuple[float, ...]) -> Tensor:
    """The sum of the three channels with these weights, (n, 1, h, w)."""
    r, g, b = weights
    return pictures[:, 0:1] * r + pictures[:, 1:2] * g + pictures[:, 2:3] * b


def linear_light(srgb: Tensor) -> Tensor:
    """sRGB's curve to light: ((v + 0.055) / 1.055)^2.4, and v / 12.92 below 0.04045 and 0."""
    bright = srgb > 0.04045
    # where(.., 1) keeps the power's slope finite on the side that is not taken
    power = ((torch.where(bright, srgb, 1.0) + 0.055) / 1.055).pow(2.4)
    return torch.where(bright, power, srgb / 12.92)


def lightness_curve(light: Tensor) -> Tensor:
    """The f of CIE 1976: the cube root above 216/24389, below and below 0 the line it touches.

    L* = 116 f(Y) - 16. The line is (24389/27 t + 16) / 116, the standard's own.
    """
    bright = light > 216 / 24389
    root = torch.where(bright, light, 1.0).pow(1 / 3)
    return torch.where(bright, root, (24389 / 27 * light + 16) / 116)


def lightness(srgb: Tensor) -> Tensor:
    """CIE L* divided by 100, (n, 1, h, w): 0 for black, 1 for white."""
    return 1.16 * lightness_curve(mixed(linear_light(srgb), XYZ[1])) - 0.16


def cie_lab(srgb: Tensor) -> Tensor:
    """CIE L*a*b* (D65, 2 degrees), L* in 0..100 for pictures in [0, 1]."""
    light = linear_light(srgb)
    x, y, z = (lightness_curve(mixed(light, row)) for row in XYZ)
    return torch.cat([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


# Ottosson: A perceptual color space for image processing (2020): linear sRGB to cone responses,
# and their cube roots to L, a, b.
CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
OKLAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
DARKEST = 1e-4  # a third of the light of level 1 of 255


def cone_curve(light: Tensor) -> Tensor:
    """The cube root, mirrored for negative light, and a straight line through 0 below DARKEST.

    The root's slope at 0 is infinite. Mirrored, a result slightly below black stays near black.
    """
    bright = light.abs() > DARKEST
    root = torch.where(bright, light.abs(), 1.0).pow(1 / 3).copysign(light)
    return torch.where(bright, root, light * DARKEST ** (-2 / 3))


def oklab_of(srgb: Tensor) -> Tensor:
    """Oklab: L in 0..1, a and b about -0.4..0.4 for pictures in [0, 1]."""
    light = linear_light(srgb)
    cones = torch.cat([cone_curve(mixed(light, row)) for row in CONES], dim=1)
    return torch.cat([mixed(cones, row) for row in OKLAB], dim=1)
