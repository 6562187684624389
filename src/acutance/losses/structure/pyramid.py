"""Half the size and back with five taps, and the transposes of both."""

import torch
from torch import Tensor
from torch.nn import functional as F

from acutance.losses.structure.windows import local_mean, spread

TAPS = (0.05, 0.25, 0.4, 0.25, 0.05)


def shrunk(planes: Tensor) -> Tensor:
    """Weighted means at every second pixel, from the first on; the edges mirrored: ba|abcd|dc."""
    rows = torch.cat([planes[..., :2].flip(-1), planes, planes[..., -2:].flip(-1)], dim=-1)
    both = torch.cat([rows[..., :2, :].flip(-2), rows, rows[..., -2:, :].flip(-2)], dim=-2)
    return local_mean(both, TAPS)[..., ::2, ::2]


def shrunk_back(gradient: Tensor, height: int, width: int) -> Tensor:
    """The transpose of `shrunk` for planes of that size: what was mirrored is added back."""
    total = spread(_spaced(gradient, height, width), TAPS)
    for dim in (-2, -1):
        total = _folded(total, dim, 2)
    return total


def enlarged(planes: Tensor, height: int, width: int) -> Tensor:
    """Zeros put between the pixels, then the same taps, times 4 for the zeros; the edges held."""
    held = 4 * F.pad(planes, (1, 1, 1, 1), mode="replicate")
    spaced = _spaced(held, 2 * held.shape[-2], 2 * held.shape[-1])
    return local_mean(spaced, TAPS)[..., :height, :width]


def enlarged_back(gradient: Tensor) -> Tensor:
    """The transpose of `enlarged`."""
    *_, h, w = gradient.shape
    total = 4 * spread(F.pad(gradient, (0, w % 2, 0, h % 2)), TAPS)[..., ::2, ::2]
    for dim in (-2, -1):
        total = _folded(total, dim, 1)
    return total


def _folded(planes: Tensor, dim: int, margin: int) -> Tensor:
    """The planes without the margin at both ends, which is mirrored onto what stays."""
    side = planes.shape[dim] - 2 * margin
    inner = planes.narrow(dim, margin, side)
    inner.narrow(dim, 0, margin).add_(planes.narrow(dim, 0, margin).flip(dim))
    end = planes.narrow(dim, side + margin, margin).flip(dim)
    inner.narrow(dim, side - margin, margin).add_(end)
    return inner


def _spaced(planes: Tensor, height: int, width: int) -> Tensor:
    """Each value at every second place from the first on, zeros between."""
    spaced = planes.new_zeros(*planes.shape[:-2], height, width)
    spaced[..., ::2, ::2] = planes
    return spaced
