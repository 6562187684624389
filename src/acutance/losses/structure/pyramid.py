"""Half the size and back with five taps, as operators with their transposes.

Opaque to torch.compile, which would otherwise carry the rounded half of the half of an unknown
size through every index and take minutes for six levels.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from acutance.losses.structure.windows import local_mean, spread

TAPS = (0.05, 0.25, 0.4, 0.25, 0.05)


def shrunk(planes: Tensor) -> Tensor:
    """Weighted means at every second pixel, from the first on; the edges mirrored: ba|abcd|dc."""
    return _shrunk(planes.contiguous())


def enlarged(planes: Tensor, height: int, width: int) -> Tensor:
    """Zeros put between the pixels, then the same taps, times 4 for the zeros; the edges held."""
    return _enlarged(planes.contiguous(), height, width)


@torch.library.custom_op("acutance::shrunk", mutates_args=())
def _shrunk(planes: Tensor) -> Tensor:
    rows = torch.cat([planes[..., :2].flip(-1), planes, planes[..., -2:].flip(-1)], dim=-1)
    both = torch.cat([rows[..., :2, :].flip(-2), rows, rows[..., -2:, :].flip(-2)], dim=-2)
    return local_mean(both, TAPS)[..., ::2, ::2].contiguous()


@_shrunk.register_fake
def _(planes: Tensor) -> Tensor:
    *lead, h, w = planes.shape
    return planes.new_empty(*lead, (h + 1) // 2, (w + 1) // 2)


@torch.library.custom_op("acutance::shrunk_back", mutates_args=())
def _shrunk_back(gradient: Tensor, height: int, width: int) -> Tensor:
    total = spread(_spaced(gradient, height, width), TAPS)
    for dim in (-2, -1):
        inner = total.narrow(dim, 2, total.shape[dim] - 4)
        inner.narrow(dim, 0, 2).add_(total.narrow(dim, 0, 2).flip(dim))
        last = total.shape[dim] - 2
        inner.narrow(dim, inner.shape[dim] - 2, 2).add_(total.narrow(dim, last, 2).flip(dim))
        total = inner
    return total.contiguous()


@_shrunk_back.register_fake
def _(gradient: Tensor, height: int, width: int) -> Tensor:
    return gradient.new_empty(*gradient.shape[:-2], height, width)


@torch.library.custom_op("acutance::enlarged", mutates_args=())
def _enlarged(planes: Tensor, height: int, width: int) -> Tensor:
    held = 4 * F.pad(planes, (1, 1, 1, 1), mode="replicate")
    spaced = _spaced(held, 2 * held.shape[-2], 2 * held.shape[-1])
    return local_mean(spaced, TAPS)[..., :height, :width].contiguous()


@_enlarged.register_fake
def _(planes: Tensor, height: int, width: int) -> Tensor:
    return planes.new_empty(*planes.shape[:-2], height, width)


@torch.library.custom_op("acutance::enlarged_back", mutates_args=())
def _enlarged_back(gradient: Tensor) -> Tensor:
    *_, h, w = gradient.shape
    total = 4 * spread(F.pad(gradient, (0, w % 2, 0, h % 2)), TAPS)[..., ::2, ::2]
    for dim in (-2, -1):
        inner = total.narrow(dim, 1, total.shape[dim] - 2)
        inner.narrow(dim, 0, 1).add_(total.narrow(dim, 0, 1))
        last = total.shape[dim] - 1
        inner.narrow(dim, inner.shape[dim] - 1, 1).add_(total.narrow(dim, last, 1))
        total = inner
    return total.contiguous()


@_enlarged_back.register_fake
def _(gradient: Tensor) -> Tensor:
    *lead, h, w = gradient.shape
    return gradient.new_empty(*lead, (h + 1) // 2, (w + 1) // 2)


def _spaced(planes: Tensor, height: int, width: int) -> Tensor:
    """Each value at every second place from the first on, zeros between."""
    spaced = planes.new_zeros(*planes.shape[:-2], height, width)
    spaced[..., ::2, ::2] = planes
    return spaced


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001 torch names it
    ctx.shape = inputs[0].shape


def _shrunk_gradient(ctx: Any, gradient: Tensor) -> Tensor:
    return _shrunk_back(gradient.contiguous(), ctx.shape[-2], ctx.shape[-1])


def _enlarged_gradient(_ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
    return _enlarged_back(gradient.contiguous()), None, None


_shrunk.register_autograd(_shrunk_gradient, setup_context=_keep)
_enlarged.register_autograd(_enlarged_gradient)
