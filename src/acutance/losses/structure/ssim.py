"""SSIM: how alike two pictures are in local brightness, contrast and structure."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.closed_form import laid_out_like, wants_gradient, with_backward
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared
from acutance.losses.structure.sweep import ssim_map, sweep
from acutance.losses.structure.windows import gaussian_taps


def smallest_side(*, window: int = 11) -> int:
    """Where the window fits once, in pixels."""
    return window


CONTRACT = Contract(
    source="Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment (TIP 2004), sec. III-B",
    symmetric=True,
    min_size=11,
    min_size_for=smallest_side,
    memory=10.0,
)


def ssim(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    window: int = 11,
    sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Float[Tensor, " n"]:
    """One minus SSIM per picture, 0 for equal pictures, at most 2.

    SSIM is the mean, over the places where the Gaussian window fits and over the channels, of
    (2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2)) with local means m,
    biased local (co)variances s, C1 = k1^2 and C2 = k2^2 for pictures in [0, 1]. Constants are
    the authors'. Nearly blind to a constant offset: use it beside a pixel loss.
    """
    if window < 1 or window % 2 == 0 or not (sigma > 0 and k1 > 0 and k2 > 0):
        raise InputError(
            f"ssim takes an odd window and sigma, k1, k2 above 0, not window={window}, "
            f"sigma={sigma}, k1={k1}, k2={k2}."
        )
    sr, hr = prepared(sr, hr, "ssim", min_side=smallest_side(window=window))
    half, _ = _ssim(sr, hr, window, sigma, [k1**2, k2**2], wants_gradient(sr))
    _, c, h, w = sr.shape
    return 1 - half / (c * (h - window + 1) * (w - window + 1) / 2)


@with_backward
@torch.library.custom_op("acutance::ssim", mutates_args=())
def _ssim(
    sr: Tensor, hr: Tensor, window: int, sigma: float, constants: Sequence[float], gradient: bool
) -> tuple[Tensor, Tensor]:
    """Half the sum of the map per picture, and its gradient."""
    similarity = partial(ssim_map, constants=(constants[0], constants[1]))
    taps = gaussian_taps(window, sigma)
    x, y = sr.contiguous(), hr.contiguous()
    sums, slope = sweep(x, y, taps, similarity, gradient=gradient)
    return sums.sum(dim=1) / 2, laid_out_like(sr, slope)
