"""Low-resolution consistency: the result, made small again, has to be the picture it came from."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.colour.resampling import resampled
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared
from acutance.losses.pixel.charbonnier import charbonnier
from acutance.losses.pixel.l1 import l1

CONTRACT = Contract(
    source="Lugmayr, Danelljan, Timofte: NTIRE 2020 Challenge on Real-World SR (CVPRW 2020)",
    injective=False,
    symmetric=True,
    degree=1,
    needs=("lr",),
    min_size=2,
    multiple=2,
    blind_to=("null space",),
    memory=2.0,
)
BASES = {"l1": l1, "charbonnier": charbonnier}


def lr_consistency(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    lr: Float[Tensor, "n c sh sw"],
    dead_zone: float = 0.0,
    base: Literal["l1", "charbonnier"] = "l1",
) -> Float[Tensor, " n"]:
    """Mean of |down(sr) - lr| per picture; the target is not looked at.

    down is MATLAB's antialiased bicubic reduction, the one that makes the data, by the scale that
    the two sizes have: another kernel would teach a shift of several levels. `dead_zone` is the
    difference in [0, 1] units that does not count; lr has 8 bits, so 0.002 = 0.5/255 is its
    rounding. `base` "charbonnier" (eps 1e-3, its value at equality) rounds the corner off. At
    scale s only c/s^2 of the values are bound: what down does not pass (its null space) is free,
    so use it beside a loss of the full-size picture.
    """
    if base not in BASES or not dead_zone >= 0:
        raise InputError(
            f"lr_consistency's base is one of {', '.join(BASES)} and its dead_zone 0 or more, not "
            f"base={base!r} and dead_zone={dead_zone}."
        )
    sr, _ = prepared(sr, hr, "lr_consistency", min_side=2)
    error = F.softshrink(reduction_error(sr, lr, "lr_consistency"), dead_zone)
    return BASES[base](error, torch.zeros_like(error))


def reduction_error(sr: Tensor, lr: Tensor, loss: str) -> Tensor:
    """down(sr) - lr, of lr's size; raises InputError that names `loss` where they do not fit."""
    h, w = sr.shape[2:]
    if lr.ndim != 4 or lr.shape[:2] != sr.shape[:2] or min(lr.shape[2:]) < 1:
        raise InputError(
            f"{loss} needs one low-resolution picture for each of sr, with the same channels: sr "
            f"is {tuple(sr.shape)} and lr {tuple(lr.shape)}."
        )
    height, width = lr.shape[2:]
    if h % height or w % width or h // height != w // width:
        raise InputError(
            f"{loss} needs sr to be lr times one whole scale in both directions; sr is {w}x{h} "
            f"and lr {width}x{height}. Use patches whose sides the scale divides."
        )
    return resampled(sr, height, width) - lr.detach().to(sr.dtype)
