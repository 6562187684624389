"""The bicubic resampling of the data as one step that torch differentiates and compiles."""

from typing import Any

import torch
from torch import Tensor

from acutance.imaging.operators import resize, resize_adjoint


def resampled(pictures: Tensor, height: int, width: int) -> Tensor:
    """MATLAB's bicubic resize of (n, c, h, w) to `height` x `width`, antialiased when reducing.

    Linear: its gradient is its transpose, whose gradient is the resize again.
    """
    return _resampled(pictures, height, width)


@torch.library.custom_op("acutance::resampled", mutates_args=())
def _resampled(pictures: Tensor, height: int, width: int) -> Tensor:
    return resize(pictures, size=(height, width))


@torch.library.custom_op("acutance::resampled_back", mutates_args=())
def _resampled_back(pictures: Tensor, height: int, width: int) -> Tensor:
    """The transpose, to pictures of `height` x `width`."""
    return resize_adjoint(pictures, size=(height, width))


def _of_size(pictures: Tensor, height: int, width: int) -> Tensor:
    return pictures.new_empty(*pictures.shape[:2], height, width)


def _keep_size(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001 torch names it
    ctx.size = inputs[0].shape[2:]


def _transposed(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
    return _resampled_back(upstream, *ctx.size), None, None


def _forth_again(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
    return _resampled(upstream, *ctx.size), None, None


_resampled.register_fake(_of_size)
_resampled_back.register_fake(_of_size)
_resampled.register_autograd(_transposed, setup_context=_keep_size)
_resampled_back.register_autograd(_forth_again, setup_context=_keep_size)
