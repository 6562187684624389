"""Local means that autograd can follow: the fast sums of `windows`, with their transpose."""

from typing import Any

import torch
from torch import Tensor

from acutance.losses.structure.windows import local_mean, spread


def smoothed(planes: Tensor, taps: tuple[float, ...]) -> Tensor:
    """Weighted mean over the window at every place where it fits; `taps` are symmetric.

    A convolution would be turned into half precision under autocast, and shifted views under
    autograd would each be given a whole picture of zeros in the backward pass.
    """
    return _smoothed(planes.contiguous(), list(taps))


@torch.library.custom_op("acutance::smoothed", mutates_args=())
def _smoothed(planes: Tensor, taps: list[float]) -> Tensor:
    return local_mean(planes, tuple(taps))


@_smoothed.register_fake
def _(planes: Tensor, taps: list[float]) -> Tensor:
    *lead, h, w = planes.shape
    return planes.new_empty(*lead, h - len(taps) + 1, w - len(taps) + 1)


@torch.library.custom_op("acutance::smoothed_back", mutates_args=())
def _spread(maps: Tensor, taps: list[float]) -> Tensor:
    return spread(maps, tuple(taps))


@_spread.register_fake
def _(maps: Tensor, taps: list[float]) -> Tensor:
    *lead, h, w = maps.shape
    return maps.new_empty(*lead, h + len(taps) - 1, w + len(taps) - 1)


def _keep(ctx: Any, inputs: tuple[Tensor, list[float]], output: Tensor) -> None:  # noqa: ARG001
    ctx.taps = inputs[1]


def _back(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
    return _spread(gradient.contiguous(), ctx.taps), None


_smoothed.register_autograd(_back, setup_context=_keep)
