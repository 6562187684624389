"""FSIM: how alike two pictures are where the phases of their waves agree, as at edges and lines."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.maps import (
    SCHARR,
    YIQ,
    axis,
    brightness,
    check_channels,
    rounded_root,
    steepness,
)

CONTRACT = Contract(
    source="Zhang, Zhang, Mou, Zhang: FSIM (TIP 2011); phases by Kovesi (Videre 1999)",
    injective=False,
    symmetric=True,
    channels=(1, 3),
    min_size=16,
    blind_to=("one level",),
    memory=80,
)
SCALES = (6, 12, 24, 48)  # wavelengths in pixels
DIRECTIONS = 4
BANDWIDTH = 0.55  # of the radial bell: sigma over centre
SPREAD = math.pi / (DIRECTIONS * 1.2)  # sigma of the angular bell
NOISE = (math.sqrt(math.pi / 2) + 2 * math.sqrt(2 - math.pi / 2)) / 1.7  # mean + 2 sigma of it
PHASE, SLOPE, TINT = 0.85, 160.0, 200.0  # constants of the likenesses, for levels 0 to 255
LEVEL = 1e-3  # roots below a thousandth of a level are rounded off


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
    bells = list(_bells(x))
    px, py = _congruency(x, bells), _congruency(y, bells)
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


def _bells(like: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """For each direction the log-Gabor bells of all scales (s, h, w), and its share of noise.

    The share turns the median amplitude of the shortest waves into the noise that is to be
    expected of the sum of all: with F_s the bells and E(F) = (F(k) + F(-k)) / 2, the spectrum of
    the real part, sqrt(sum E(sum_s F_s)^2 / (log 2 sum F_0^2)).
    """
    h, w = like.shape[2:]
    down, right = _frequencies(h, like)[:, None], _frequencies(w, like)
    radius = (down.square() + right.square()).sqrt()
    radius[0, 0] = 1.0  # its own bell is 0; only the logarithm must be kept finite
    low = 1 / (1 + (radius / 0.45) ** 30)
    low[0, 0] = 0.0
    angle = torch.atan2(-right, down.expand_as(radius))
    radial = torch.stack(
        [
            torch.exp(-torch.log(radius * s).square() / (2 * math.log(BANDWIDTH) ** 2))
            for s in SCALES
        ]
    )
    for place in range(DIRECTIONS):
        turned = angle - place * math.pi / DIRECTIONS
        away = torch.atan2(turned.sin(), turned.cos())
        bell = radial * (low * torch.exp(-away.square() / (2 * SPREAD**2)))
        total = bell.sum(dim=0)
        even = (total + total.flip(0, 1).roll((1, 1), dims=(0, 1))) / 2
        share = even.square().sum() / (math.log(2) * bell[0].square().sum())
        yield bell, share.sqrt() * NOISE


def _frequencies(side: int, like: Tensor) -> Tensor:
    """In cycles per pixel, 0 first; of an odd side over side - 1, as Kovesi has it."""
    places = torch.arange(side, device=like.device, dtype=like.dtype)
    return ((places + side // 2) % side - side // 2) / (side - side % 2)


def _congruency(luma: Tensor, bells: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Phase congruency (n, 1, h, w): energy in step, less noise, over the sum of amplitudes."""
    # Parts, not complex numbers: torch.compile writes no code for products of these.
    spectrum = torch.view_as_real(torch.fft.fft2(luma))
    in_step, amplitudes = torch.zeros_like(luma), torch.zeros_like(luma)
    for bell, noise in bells:
        waves = torch.fft.ifft2(torch.view_as_complex(spectrum * bell[..., None]))
        even, odd = torch.view_as_real(waves).unbind(-1)
        squares = even.square() + odd.square()
        sum_even, sum_odd = even.sum(dim=1, keepdim=True), odd.sum(dim=1, keepdim=True)
        length = rounded_root(sum_even.square() + sum_odd.square(), LEVEL)
        out_of_step = (even * sum_odd - odd * sum_even).abs().sum(dim=1, keepdim=True)
        energy = length - out_of_step / length.clamp_min(LEVEL)
        threshold = noise * rounded_root(_median(squares[:, :1]), LEVEL)
        in_step = in_step + (energy - threshold).clamp_min(0)
        amplitudes = amplitudes + rounded_root(squares, LEVEL).sum(dim=1, keepdim=True)
    return in_step / amplitudes.clamp_min(LEVEL)


def _median(maps: Tensor) -> Tensor:
    """The lower median per picture, (n, 1, 1, 1); equal values share its gradient.

    Found without gradient and picked by comparison: no scatter in the backward pass.
    """
    values = maps.detach().flatten(1).sort(dim=1).values
    middle = values[:, (values.shape[1] - 1) // 2, None, None, None]
    there = (maps == middle).to(maps.dtype)
    return (maps * there).sum(dim=(1, 2, 3), keepdim=True) / there.sum(dim=(1, 2, 3), keepdim=True)
