"""Phase congruency: where the waves of a picture meet in step, as at edges and lines.

Four directions of four complex filters are 32 pictures. They are made again in the backward pass,
direction by direction, for autograd would keep a hundred of them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from acutance.losses.structure.maps import rounded_root, slope_of_rounded_root

WAVELENGTHS = (6, 12, 24, 48)  # in pixels
DIRECTIONS = 4
BANDWIDTH = 0.55  # of the radial bell: sigma over centre
SPREAD = math.pi / (DIRECTIONS * 1.2)  # sigma of the angular bell
NOISE = (math.sqrt(math.pi / 2) + 2 * math.sqrt(2 - math.pi / 2)) / 1.7  # mean + 2 sigma of it
GROUP = 1 << 19  # values of the waves worked on at a time: two MiB of float32
Filters = tuple[tuple[Tensor, Tensor], ...]  # bells and share of noise of each direction
LEVEL = 1e-3  # roots below a thousandth of a level are rounded off


def congruency(luma: Tensor) -> Tensor:
    """Kovesi's measure with the constants of FSIM, 0 to 1, of luma (n, 1, h, w) in 0 to 255.

    Energy in step, less the noise that is to be expected, over the sum of the amplitudes. The
    noise is estimated from the median of the shortest waves, in each direction and of each
    picture alone.
    """
    return _congruency(luma.contiguous())[0]


@torch.library.custom_op("acutance::congruency", mutates_args=())
def _congruency(luma: Tensor) -> tuple[Tensor, Tensor]:
    """The congruency, and the sum of the amplitudes that the backward pass needs."""
    filters = tuple(_filters(luma))
    found = [_found(part, filters) for part in luma.split(_together(luma))]
    in_step, amplitudes = (torch.cat(parts) for parts in zip(*found, strict=True))
    return in_step / amplitudes, amplitudes


def _together(luma: Tensor) -> int:
    """Pictures at a time: the waves of one direction, and what is made of them, fit the cache."""
    return max(1, GROUP // (len(WAVELENGTHS) * luma.shape[2] * luma.shape[3]))


def _found(luma: Tensor, filters: Filters) -> tuple[Tensor, Tensor]:
    """What is in step, and the amplitudes."""
    in_step, amplitudes = torch.zeros_like(luma), torch.zeros_like(luma)
    for bells, share in filters:
        waves = _waves(luma, bells)
        in_step += (waves.energy - waves.threshold(share)[0]).clamp_min_(0)
        amplitudes += rounded_root(waves.squares, LEVEL).sum(dim=1, keepdim=True)
    return in_step, amplitudes.clamp_min_(LEVEL)


@_congruency.register_fake
def _(luma: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(luma), torch.empty_like(luma)


@torch.library.custom_op("acutance::congruency_back", mutates_args=())
def _congruency_back(pull: Tensor, luma: Tensor, found: Tensor, amplitudes: Tensor) -> Tensor:
    """The gradient at luma from that at the congruency."""
    filters, count = tuple(_filters(luma)), _together(luma)
    parts = zip(*(x.split(count) for x in (pull, luma, found, amplitudes)), strict=True)
    return torch.cat([_pulled(g, x, f, a, filters) for g, x, f, a in parts])


def _pulled(
    pull: Tensor, luma: Tensor, found: Tensor, amplitudes: Tensor, filters: Filters
) -> Tensor:
    by_energy = pull / amplitudes
    by_amplitude = -by_energy * found
    total = torch.zeros_like(luma)
    for bells, share in filters:
        even, odd = _waves(luma, bells).pulled(by_energy, by_amplitude, share)
        # A filter of real spectrum is its own adjoint.
        spectrum = torch.fft.fft2(torch.complex(even, odd)) * bells
        total += torch.fft.ifft2(spectrum.sum(dim=1, keepdim=True)).real
    return total


@_congruency_back.register_fake
def _(pull: Tensor, luma: Tensor, found: Tensor, amplitudes: Tensor) -> Tensor:  # noqa: ARG001
    return torch.empty_like(luma)


def _keep(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs, *output)
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)


def _back(ctx: Any, pull: Tensor | None, _amplitudes: Tensor | None) -> Tensor | None:
    return None if pull is None else _congruency_back(pull.contiguous(), *ctx.saved_tensors)


_congruency.register_autograd(_back, setup_context=_keep)


@dataclass(frozen=True)
class _Waves:
    """One direction: even and odd part of each wavelength (n, s, h, w), and what they add up to."""

    even: Tensor
    odd: Tensor
    squares: Tensor
    sum_even: Tensor
    sum_odd: Tensor
    length: Tensor  # of the sum of the waves
    astray: Tensor  # of each wave, times the length: how far it is out of step, with its sign

    @property
    def energy(self) -> Tensor:
        """How much is in step, less how much is not."""
        out = self.astray.abs().sum(dim=1, keepdim=True)
        return self.length - out.div_(self.length.clamp_min(LEVEL))

    def threshold(self, share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The noise to be expected (n, 1, 1, 1), its slope by the median, and who the median is."""
        shortest = self.squares[:, :1]
        median = _lower_medians(shortest.flatten(1))[:, None, None, None]
        slope = share * slope_of_rounded_root(median, LEVEL)
        return share * rounded_root(median, LEVEL), slope, shortest == median

    def pulled(
        self, by_energy: Tensor, by_amplitude: Tensor, share: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients at the even and the odd parts; equal medians share theirs."""
        length = self.length.clamp_min(LEVEL)
        threshold, by_median, there = self.threshold(share)
        energy = self.energy
        by_energy = by_energy * (energy > threshold)
        fallen = (self.length - energy) / length * (self.length > LEVEL)
        by_sum = 2 * by_energy * (1 + fallen)
        by_sum *= slope_of_rounded_root(self.sum_even**2 + self.sum_odd**2, LEVEL)
        by_astray = self.astray.sign().mul_(-by_energy / length)
        by_squares = by_amplitude * slope_of_rounded_root(self.squares, LEVEL)
        by_median = by_median * by_energy.sum(dim=(2, 3), keepdim=True)
        by_squares[:, :1] -= there * (by_median / there.sum(dim=(2, 3), keepdim=True))
        even = by_astray * self.sum_odd + 2 * by_squares * self.even
        even += self.sum_even * by_sum - (by_astray * self.odd).sum(dim=1, keepdim=True)
        odd = 2 * by_squares * self.odd - by_astray * self.sum_even
        odd += self.sum_odd * by_sum + (by_astray * self.even).sum(dim=1, keepdim=True)
        return even, odd


def _lower_medians(rows: Tensor) -> Tensor:
    """The median of each row, (n,); of two in the middle the lower one."""
    if rows.device.type == "cpu":
        return rows.median(dim=1).values
    # elsewhere it names places too, for which there is no deterministic algorithm
    return rows.sort(dim=1).values[:, (rows.shape[1] - 1) // 2]


def _waves(luma: Tensor, bells: Tensor) -> _Waves:
    waves = torch.fft.ifft2(torch.fft.fft2(luma) * bells)
    even, odd = waves.real, waves.imag
    sum_even, sum_odd = even.sum(dim=1, keepdim=True), odd.sum(dim=1, keepdim=True)
    length = rounded_root(sum_even**2 + sum_odd**2, LEVEL)
    astray = even * sum_odd - odd * sum_even
    return _Waves(even, odd, even**2 + odd**2, sum_even, sum_odd, length, astray)


def _filters(like: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """For each direction the log-Gabor bells of all wavelengths (s, h, w), and a share of noise.

    The share turns the median amplitude of the shortest waves into the noise that is to be
    expected of the sum of all: with F_s the bells and E(F) = (F(k) + F(-k)) / 2, the spectrum of
    the real part, sqrt(sum E(sum_s F_s)^2 / (log 2 sum F_0^2)), times mean and spread of noise.
    """
    down, right = _frequencies(like.shape[2], like)[:, None], _frequencies(like.shape[3], like)
    radius = (down.square() + right.square()).sqrt()
    radius[0, 0] = 1.0  # its own bell is 0; only the logarithm must be kept finite
    low = 1 / (1 + (radius / 0.45) ** 30)
    low[0, 0] = 0.0
    angle = torch.atan2(-right, down.expand_as(radius))
    octaves = torch.stack([torch.log(radius * length).square() for length in WAVELENGTHS])
    radial = torch.exp(octaves / (-2 * math.log(BANDWIDTH) ** 2)) * low
    for place in range(DIRECTIONS):
        turned = angle - place * math.pi / DIRECTIONS
        away = torch.atan2(turned.sin(), turned.cos())
        bells = radial * torch.exp(-away.square() / (2 * SPREAD**2))
        total = bells.sum(dim=0)
        even = (total + total.flip(0, 1).roll((1, 1), dims=(0, 1))) / 2
        share = even.square().sum() / (math.log(2) * bells[0].square().sum())
        yield bells, share.sqrt() * NOISE


def _frequencies(side: int, like: Tensor) -> Tensor:
    """In cycles per pixel, 0 first; of an odd side over side - 1, as Kovesi has it."""
    places = torch.arange(side, device=like.device, dtype=like.dtype)
    return ((places + side // 2) % side - side // 2) / (side - side % 2)
