"""Scattering: sizes of waves of every scale and direction, and of their patterns; no training."""

from functools import lru_cache
from math import pi

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.closed_form import (
    laid_out_like,
    room_for_gradient,
    wants_gradient,
    with_backward,
)
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared


def smallest_side(*, scales: int = 3) -> int:
    """Where the mirrored margin of the widest wave finds pixels to mirror, in pixels."""
    return 2 ** (scales + 1)


CONTRACT = Contract(
    source="Bruna, Mallat: Invariant Scattering Convolution Networks (TPAMI 2013), sec. 2",
    symmetric=True,
    min_size=16,
    min_size_for=smallest_side,
    memory=55,
    proof={"angles": 2},
)
SIGMA = 0.8  # width of the narrowest envelope in pixels, and
XI = 3 * pi / 4  # its frequency in radians a pixel, of the authors' code
EPS = 1e-4  # rounds off the corner of |z| at 0


def scattering(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    scales: int = 3,
    angles: int = 6,
    order: int = 2,
) -> Float[Tensor, " n"]:
    """Mean of |S(sr) - S(hr)| per picture over channels, places and all coefficients S.

    Order 0: the local mean x * phi. Order 1: |x * psi| * phi, psi a Morlet wave of one of
    `scales` widths 0.8 2^j pixels and `angles` directions, and |z| = sqrt(z z' + 1e-8). Order 2:
    ||x * psi| * psi'| * phi for wider psi'. phi is a Gaussian of 0.8 2^(scales - 1) pixels, and
    coefficients are taken every 2^scales pixels, waves of scale j every 2^j, in pictures mirrored
    at the edge. Sees texture by its strength and not its phase; the fallback where weights of a
    feature network may not be had.
    """
    if not (1 <= scales <= 6 and 1 <= angles <= 32 and order in (0, 1, 2)):
        raise InputError(
            f"scattering has 1 to 6 scales, 1 to 32 angles and order 0, 1 or 2, not "
            f"scales={scales}, angles={angles} and order={order}."
        )
    sr, hr = prepared(sr, hr, "scattering", min_side=smallest_side(scales=scales))
    total, _ = _scattering(*_mirrored(sr, hr, 2**scales), scales, angles, order, wants_gradient(sr))
    h, w = (-(-side // 2**scales) for side in sr.shape[2:])
    paths = [1, scales * angles, scales * (scales - 1) // 2 * angles**2]
    return total / (sr.shape[1] * h * w * sum(paths[: order + 1]))


def _mirrored(sr: Tensor, hr: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Wider by `step` on each side, and then to a multiple of it."""
    bottom, right = (step + -side % step for side in sr.shape[2:])
    margin = (step, right, step, bottom)
    return F.pad(sr, margin, mode="reflect"), F.pad(hr, margin, mode="reflect")


@with_backward
@torch.library.custom_op("acutance::scattering", mutates_args=())
def _scattering(
    sr: Tensor, hr: Tensor, scales: int, angles: int, order: int, gradient: bool
) -> tuple[Tensor, Tensor]:
    """Sum over all coefficients per picture, and its gradient; one picture at a time."""
    slope = room_for_gradient(sr, gradient)
    sums = sr.new_empty(sr.shape[0])
    for picture in range(sr.shape[0]):
        bank = (scales, angles, gradient)
        sums[picture], pull = _below(sr[picture], hr[picture], 0, 0, order, bank)
        if gradient:
            slope[picture] = pull
    return sums, laid_out_like(sr, slope)


def _below(
    x: Tensor, y: Tensor, level: int, first: int, order: int, bank: tuple[int, int, bool]
) -> tuple[Tensor, Tensor]:
    """Coefficients of the maps x and y (maps, h, w), taken every 2^level pixels, and deeper ones.

    Deeper ones begin with the scale `first` and go `order` waves down; gives sum and gradient.

    With F the transform, a filter f and every s-th sample the map is z = F^-1 P(f F x), P the
    mean over the s x s frequencies that fall together; its transpose is Re F^-1 (f T F), T the
    repetition. An envelope at 2^level is the one of the scale less `level`.
    """
    scales, angles, gradient = bank
    size = x.shape[1], x.shape[2]
    seen_x, seen_y = torch.fft.fft2(x), torch.fft.fft2(y)
    step = 2 ** (scales - level)
    low = _filters(*size, scales - 1 - level, 0).to(x)
    means = torch.fft.ifft2(_folded(low * (seen_x - seen_y), step)).real
    inner = means[:, 1:-1, 1:-1]
    total = inner.abs().sum()
    pull = x.new_empty(0)
    if gradient:
        signs = F.pad(inner.sign(), (1, 1, 1, 1))
        pull = torch.fft.ifft2(low * torch.fft.fft2(signs).tile(1, step, step)).real
    for scale in range(first, scales) if order else ():
        step = 2 ** (scale - level)
        waves = _filters(*size, scale - level, angles).to(x)
        zx, zy = (
            torch.fft.ifft2(_folded(waves * seen[:, None], step)) for seen in (seen_x, seen_y)
        )
        sizes = [(z.real.square() + z.imag.square() + EPS**2).sqrt() for z in (zx, zy)]
        mine, theirs = (s.flatten(0, 1) for s in sizes)
        inside, back = _below(mine, theirs, scale, scale + 1, order - 1, bank)
        total = total + inside
        if gradient:
            upstream = zx * (back.view_as(sizes[0]) / sizes[0])
            spread = torch.fft.fft2(upstream).tile(1, 1, step, step)
            pull = pull + torch.fft.ifft2((waves * spread).sum(dim=1)).real
    return total, pull


def _folded(spectrum: Tensor, step: int) -> Tensor:
    """The spectrum of every `step`-th sample."""
    h, w = spectrum.shape[-2] // step, spectrum.shape[-1] // step
    return spectrum.unflatten(-1, (step, w)).unflatten(-3, (step, h)).mean(dim=(-4, -2))


@lru_cache(maxsize=64)
def _filters(h: int, w: int, scale: int, angles: int) -> Tensor:
    """Spectra, which are real, on the grid of h x w: waves (angles, h, w), or with 0 angles phi.

    An envelope exp(-sigma^2 / 2 (a^2 + b^2 / slant^2)) around the frequency xi, a along and b
    across the direction, slant = 4 / angles; less one around 0, so that a wave has no mean.
    """
    sigma, xi = SIGMA * 2**scale, XI / 2**scale
    y, x = (2 * pi * np.fft.fftfreq(side) for side in (h, w))
    if angles == 0:
        return _kept(_envelope(y, x, (sigma, 1.0, 0.0, 0.0)))
    waves = []
    for k in range(angles):
        wave, flat = (
            _envelope(y, x, (sigma, 4 / angles, pi * k / angles, centre)) for centre in (xi, 0.0)
        )
        waves.append(wave - wave[0, 0] / flat[0, 0] * flat)
    return _kept(np.stack(waves))


def _envelope(y: np.ndarray, x: np.ndarray, form: tuple[float, float, float, float]) -> np.ndarray:
    """Summed over the periods of sampled space, of which two on each side count."""
    sigma, slant, angle, centre = form
    total = np.zeros((len(y), len(x)))
    for down in range(-2, 3):
        for across in range(-2, 3):
            v, u = (y + 2 * pi * down)[:, None], (x + 2 * pi * across)[None]
            along = u * np.cos(angle) + v * np.sin(angle) - centre
            beside = v * np.cos(angle) - u * np.sin(angle)
            total += np.exp(-(sigma**2) / 2 * (along**2 + (beside / slant) ** 2))
    return total


def _kept(spectrum: np.ndarray) -> Tensor:
    with torch.inference_mode(False):  # made within it, it could not serve training later
        return torch.from_numpy(spectrum)
