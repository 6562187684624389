"""Losses whose gradient is computed beside the value, in closed form and cache-sized pieces.

Autograd would keep every intermediate picture and walk through main memory once for each step of
the formula. Such a loss is an operator of its own, `(sr, hr, ..., gradient) -> (value, d value / d
sr)`, opaque to torch.compile; its backward only scales the gradient picture it has at hand.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

PIECE = 1 << 18  # entries: a MiB of float32, about what a core keeps close by


def with_backward(operator: Any) -> Any:
    """Tell torch the shapes and the derivative of a closed-form `operator`.

    The last argument of the operator says whether the gradient is wanted; where it is not, the
    second result is empty. The target is a constant. The gradient has no derivative of its own.
    """
    operator.register_fake(_shapes)
    operator.register_autograd(_scaled, setup_context=_keep)
    return operator


@contextmanager
def exact_products() -> Iterator[None]:
    """Matrix products in full float32, whatever torch.set_float32_matmul_precision allows.

    Here they move values or add pairs of them: in bfloat16 a picture would lose half its bits.
    """
    allowed = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(allowed)


def wants_gradient(sr: Tensor) -> bool:
    """Whether a backward pass may come for `sr`."""
    return sr.requires_grad and torch.is_grad_enabled()


def room_for_gradient(sr: Tensor, gradient: bool) -> Tensor:
    """An uninitialised picture laid out like sr (channels last or not), or nothing."""
    return torch.empty_like(sr, memory_format=_layout(sr)) if gradient else sr.new_empty(0)


def laid_out_like(sr: Tensor, gradient: Tensor) -> Tensor:
    """The gradient as `room_for_gradient` would have laid it out for sr."""
    return gradient.contiguous(memory_format=_layout(sr)) if gradient.ndim == 4 else gradient


def in_memory_order(pictures: Tensor, *, like: Tensor | None = None) -> Tensor:
    """The pictures as (n, values) in the order in which they (or those of `like`) lie in memory.

    A view of what `room_for_gradient` makes, so that writing into it writes the pictures.
    """
    if pictures.ndim != 4:
        return pictures
    if _layout(pictures if like is None else like) == torch.channels_last:
        pictures = pictures.permute(0, 2, 3, 1)
    return pictures.flatten(1)


def in_rows(pictures: Tensor, *, like: Tensor) -> tuple[Tensor, int]:
    """The pictures as (planes, rows, values) in the order in which `like` lies in memory.

    With the step between neighbours in a row: 1 for planes of one channel, the number of channels
    where all lie in one plane side by side. A view of what `room_for_gradient` makes for `like`.
    """
    if pictures.ndim != 4:
        return pictures, 1
    if _layout(like) == torch.channels_last:
        return pictures.permute(0, 2, 3, 1).flatten(2), pictures.shape[1]
    return pictures.flatten(0, 1), 1


def _layout(pictures: Tensor) -> torch.memory_format:
    last = pictures.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last and not pictures.is_contiguous() else torch.contiguous_format


@dataclass(frozen=True)
class Pieces:
    """Rectangles that cover (n, length) values: several short rows, or a part of a long one."""

    n: int
    length: int

    @property
    def rows(self) -> int:
        """Rows that go into one piece."""
        return min(self.n, max(1, PIECE // self.length))

    @property
    def across(self) -> int:
        """Pieces side by side in one row."""
        return -(-self.length // PIECE)

    @property
    def largest(self) -> int:
        """Values in the largest piece."""
        return self.rows * min(self.length, PIECE)

    def __iter__(self) -> Iterator[tuple[int, slice, slice]]:
        """Each piece: its place from the left, its rows, its columns."""
        for top in range(0, self.n, max(1, self.rows)):
            for place in range(self.across):
                left = place * PIECE
                yield place, slice(top, top + self.rows), slice(left, left + PIECE)


def pieces(values: Tensor) -> Pieces:
    """Cut (n, values) into what fits the cache."""
    return Pieces(*values.shape)


def plane_groups(pictures: Tensor, size: int) -> Iterator[tuple[slice, slice]]:
    """Cut (n, c, h, w) into groups of whole planes of about `size` values: pictures, channels."""
    n, c, h, w = pictures.shape
    together = max(1, size // (c * h * w))
    channels = c if c * h * w <= size else max(1, size // (h * w))
    for first in range(0, n, together):
        for channel in range(0, c, channels):
            yield slice(first, first + together), slice(channel, channel + channels)


def row_strips(rows: int, height: int, *, multiple: int = 1) -> Iterator[tuple[int, int]]:
    """Cut the rows of a plane that is no group by itself, every `height` of them, 16 at least.

    Cuts lie on multiples of `multiple`; rows beyond the last one go with the strip before.
    """
    step = -(-max(16, height) // multiple) * multiple
    last = max(1, rows - rows % multiple)
    for top in range(0, last, step):
        yield top, top + step if top + step < last else rows


def _shapes(sr: Tensor, _hr: Tensor, *constants: Any) -> tuple[Tensor, Tensor]:
    return sr.new_empty(sr.shape[0]), room_for_gradient(sr, constants[-1])


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(output[1])
    ctx.arguments = len(inputs)
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)  # or a picture of zeros is made for the second output


def _scaled(ctx: Any, upstream: Tensor | None, _unused: None) -> tuple[Tensor | None, ...]:
    (gradient,) = ctx.saved_tensors
    scaled = None if upstream is None else gradient * upstream.view(-1, 1, 1, 1)
    return scaled, *[None] * (ctx.arguments - 1)
