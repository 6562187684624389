"""HaarPSI: how alike two pictures are in their Haar wavelets, as people weigh them."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared
from acutance.losses.structure.maps import YIQ, axis, check_channels, halved, unlikeness

CONTRACT = Contract(
    source="Reisenhofer, Bosse, Kutyniok, Wiegand: HaarPSI (SPIC 2018), eqs. 7 to 12",
    injective=False,
    symmetric=True,
    channels=(1, 3),
    min_size=16,
    blind_to=("chequerboard",),
    memory=8.5,
)
CONSTANT = 30.0  # for levels 0 to 255
ALPHA = 4.2


def haarpsi(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """One minus HaarPSI per picture, 0 for equal pictures, at most 1.

    HaarPSI = (logit(sum W l(4.2 S) / sum W) / 4.2)^2, l the logistic function. In both directions
    S is the mean likeness (C = 30) of the two finest Haar coefficients of luma, W the larger of
    the third; S of I and Q, with the mean of both W, joins them for colour. The constants are the
    authors', who fitted them to people's judgements; like them, it makes pictures half as large
    first and does not see what is finer.
    """
    sr, hr = prepared(sr, hr, "haarpsi", min_side=16)
    check_channels(sr, "haarpsi")
    x, y = halved(sr * 255), halved(hr * 255)
    grey = x.shape[1] == 1
    coarse_x, coarse_y = (_coefficients(v if grey else axis(v, YIQ[0])) for v in (x, y))
    faults, weights = [], []
    for fine_x, fine_y in zip(coarse_x, coarse_y, strict=True):
        faults.append(sum(unlikeness(fine_x[k], fine_y[k], CONSTANT) for k in (0, 1)) / 2)
        weights.append(torch.maximum(fine_x[2], fine_y[2]))
    if not grey:
        faults.append(sum(unlikeness(*_tints(x, y, k), CONSTANT) for k in (1, 2)) / 2)
        weights.append((weights[0] + weights[1]) / 2)
    return _pooled(torch.cat(faults, dim=1), torch.cat(weights, dim=1))


def _coefficients(luma: Tensor) -> list[list[Tensor]]:
    """Sizes of the Haar coefficients of 2, 4 and 8 pixels, for rows and for columns.

    Outside the picture is black; the window lies from k/2 - 1 pixels before to k/2 behind.
    """
    height, width = luma.shape[2:]
    square = F.pad(luma, (3, 4, 3, 4))  # for each pixel the 1, 2, 4 ... pixels from it on
    found: list[list[Tensor]] = [[], []]
    for half in (1, 2, 4):
        wide, high = square + _later(square, half, 3), square + _later(square, half, 2)
        first = 4 - half
        for direction, band, dim in ((0, wide, 2), (1, high, 3)):
            step = (band - _later(band, half, dim)) / (2 * half)
            found[direction].append(step[..., first : first + height, first : first + width].abs())
        square = wide + _later(wide, half, 2)
    return found


def _later(planes: Tensor, places: int, dim: int) -> Tensor:
    """The planes `places` further on, zeros entering."""
    ends = (0, places, 0, 0) if dim == 3 else (0, 0, 0, places)
    return F.pad(planes, ends).narrow(dim, places, planes.shape[dim])


def _tints(x: Tensor, y: Tensor, which: int) -> tuple[Tensor, Tensor]:
    """I or Q of both, averaged over 2 x 2 pixels from each on, without sign."""
    means = [F.avg_pool2d(F.pad(axis(v, YIQ[which]), (0, 1, 0, 1)), 2, stride=1) for v in (x, y)]
    return means[0].abs(), means[1].abs()


def _pooled(faults: Tensor, weights: Tensor) -> Tensor:
    """1 - (logit(r) / alpha)^2 with r = mean of l(alpha (1 - fault)), written from r's own top.

    l(alpha) - l(alpha (1 - f)) = exp(-alpha) l(alpha) l(alpha (1 - f)) (exp(alpha f) - 1), so that
    equal pictures give 0 and not the rounding of a logarithm near its pole.
    """
    top = 1 / (1 + math.exp(-ALPHA))
    drops = torch.expm1(ALPHA * faults) * torch.sigmoid(ALPHA * (1 - faults))
    weighed = (drops * weights).sum(dim=(1, 2, 3)) * (math.exp(-ALPHA) * top)
    drop = weighed / weights.sum(dim=(1, 2, 3)).clamp_min(1e-6)  # levels; two black pictures
    fallen = (torch.log1p(drop / (1 - top)) - torch.log1p(-drop / top)) / ALPHA
    return fallen * (2 - fallen)
