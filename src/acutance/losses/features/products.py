"""Matrix products that stay in the precision they are given, also in the backward pass.

Autocast casts the operands of every product, those that autograd makes in a backward pass under
autocast included: sums over thousands of places would be left with three digits.
"""

from typing import Any

import torch
from torch import Tensor


@torch.library.custom_op("acutance::product", mutates_args=())
def product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b of (n, p, q) and (n, q, r)."""
    with torch.autocast(a.device.type, enabled=False):
        return a @ b


@product.register_fake
def _shape(a: Tensor, b: Tensor) -> Tensor:
    return a.new_empty(a.shape[0], a.shape[1], b.shape[2])


def _keep(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:  # noqa: ARG001 torch names it
    ctx.save_for_backward(*inputs)


def _back(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, Tensor | None]:
    a, b = ctx.saved_tensors
    mine, theirs = ctx.needs_input_grad[:2]
    return (
        product(upstream, b.mT) if mine else None,
        product(a.mT, upstream) if theirs else None,
    )


product.register_autograd(_back, setup_context=_keep)
