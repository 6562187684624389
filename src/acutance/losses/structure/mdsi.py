"""MDSI: how unevenly edges and colours differ from the target's over the picture."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.maps import (
    PREWITT,
    axis,
    check_channels,
    rounded_root,
    steepness,
    unlikeness,
)

CONTRACT = Contract(
    source="Nafchi, Shahkolaei, Hedjam, Cheriet: Mean Deviation Similarity Index (Access 2016)",
    channels=(3,),
    min_size=3,
    memory=20,
)
# Brightness and two colour axes of Geusebroek et al., from R, G, B (sec. II-B).
LHM = ((0.2989, 0.587, 0.114), (0.3, 0.04, -0.35), (0.34, -0.6, 0.17))
C1, C2, C3 = 140.0, 55.0, 550.0  # for levels 0 to 255
EDGES = 0.6  # share of edges beside colours
LEVEL = 1e-3  # slopes below a thousandth of a level are rounded off
CORNER = 10**-1.5  # fourth roots below this, of likenesses below 1e-6


def mdsi(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, smooth: float = 1e-3
) -> Float[Tensor, " n"]:
    """Fourth root of the mean deviation of the fourth root of the likeness, 0 to about 0.7.

    The likeness is 0.6 of that of edges and 0.4 of that of colours. That of edges compares the
    Prewitt slopes of sr and hr (C1 = 140) and adds what each has in common with the slopes of
    their mean (C2 = 55), sr's less hr's: not symmetric. The deviation is that from the mean over
    the picture, so the same fault everywhere costs nothing. Negative likenesses have complex
    roots, and the deviation is a modulus. Constants are the authors'; their shrinking of pictures
    above 384 pixels is left out, for it would make the value depend on the size of the patch.
    `smooth` is the value below which the last root, infinitely steep at 0, is rounded off.
    """
    if not smooth > 0:
        raise InputError(f"mdsi's smooth must be above 0, not {smooth}.")
    sr, hr = prepared(sr, hr, "mdsi", min_side=3)
    check_channels(sr, "mdsi", (3,))
    x, y = ([axis(v * 255, weights) for weights in LHM] for v in (sr, hr))
    fault = EDGES * _of_edges(x[0], y[0]) + (1 - EDGES) * _of_colours(x[1:], y[1:])
    real, imaginary = _fourth_root(fault)
    deviation = _from_mean(real).square() + _from_mean(imaginary).square()
    return rounded_root(mean_per_picture(rounded_root(deviation, smooth**4)), smooth, fourth=True)


def _of_edges(x: Tensor, y: Tensor) -> Tensor:
    a, b, both = (steepness(v, PREWITT, LEVEL) for v in (x, y, (x + y) / 2))
    return unlikeness(a, b, C1) + unlikeness(a, both, C2) - unlikeness(b, both, C2)


def _of_colours(x: list[Tensor], y: list[Tensor]) -> Tensor:
    """Both axes in one fraction."""
    apart = (x[0] - y[0]).square() + (x[1] - y[1]).square()
    return apart / (x[0].square() + y[0].square() + x[1].square() + y[1].square() + C3)


def _fourth_root(fault: Tensor) -> tuple[Tensor, Tensor]:
    """(1 - fault)^(1/4), complex where the fault is above 1, less the 1 of equal pictures.

    Near 1 by logarithms, which keeps the digits of small faults.
    """
    like = 1 - fault
    root = rounded_root(like.abs(), CORNER, fourth=True)
    near = torch.expm1(torch.log1p(-fault.clamp_max(0.5)) / 4)
    real = torch.where(like >= 0, root, root * math.cos(math.pi / 4)) - 1
    imaginary = torch.where(like >= 0, 0.0, root * math.sin(math.pi / 4))
    return torch.where(fault < 0.5, near, real), imaginary


def _from_mean(maps: Tensor) -> Tensor:
    return maps - mean_per_picture(maps)[:, None, None, None]
