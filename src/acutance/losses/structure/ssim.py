"""SSIM: how alike two pictures are in local brightness, contrast and structure."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.closed_form import (
    laid_out_like,
    plane_groups,
    room_for_gradient,
    wants_gradient,
    with_backward,
)
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared
from acutance.losses.structure.windows import gaussian_taps, local_mean, spread


def smallest_side(*, window: int = 11) -> int:
    """Where the window fits once, in pixels."""
    return window


CONTRACT = Contract(
    source="Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment (TIP 2004), sec. III-B",
    symmetric=True,
    min_size=11,
    min_size_for=smallest_side,
    memory=7.5,
)
GROUP = 3 << 17  # values of one map worked on at a time: 1.5 MiB of float32, which two cores keep


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
    total, _ = _ssim(sr, hr, window, sigma, [k1**2, k2**2], wants_gradient(sr))
    _, c, h, w = sr.shape
    return 1 - total / (c * (h - window + 1) * (w - window + 1))


@with_backward
@torch.library.custom_op("acutance::ssim", mutates_args=())
def _ssim(
    sr: Tensor, hr: Tensor, window: int, sigma: float, constants: Sequence[float], gradient: bool
) -> tuple[Tensor, Tensor]:
    """Sum of the map per picture, and its gradient, in groups that stay in the cache."""
    taps = gaussian_taps(window, sigma)
    halo = window - 1
    x, y = sr.contiguous(), hr.contiguous()
    slope = room_for_gradient(x, gradient)
    strips = list(_strips(x.shape[2] - halo, x.shape[3]))
    sums = x.new_empty(*x.shape[:2], len(strips))
    if gradient and len(strips) > 1:
        slope.zero_()  # neighbouring strips both add to the rows between them
    for group in plane_groups(x, GROUP):
        for place, (top, bottom) in enumerate(strips):
            part = (*group, slice(top, bottom + halo))
            similarity, pulls = _twice_the_map(x[part], y[part], taps, constants, gradient=gradient)
            torch.sum(similarity, dim=(2, 3), out=sums[(*group, place)])
            if pulls is not None:
                pull = _pulled_back(x[part], y[part], pulls, taps)
                slope[part] = pull if len(strips) == 1 else pull.add_(slope[part])
    return sums.sum(dim=(1, 2)) / 2, laid_out_like(sr, slope)


def _strips(rows: int, width: int) -> Iterator[tuple[int, int]]:
    """Cut the rows of the map so that a strip of one plane is a group."""
    height = max(16, GROUP // width)
    for top in range(0, rows, height):
        yield top, min(rows, top + height)


Pulls = tuple[Tensor, Tensor, Tensor]


def _twice_the_map(
    x: Tensor, y: Tensor, taps: tuple[float, ...], constants: Sequence[float], *, gradient: bool
) -> tuple[Tensor, Pulls | None]:
    """2 S, and how S depends on the local means of x, of x^2 + y^2 (times -4) and of x y.

    The variances appear only as a sum, so four local means are enough. Doubled, since the
    derivatives are: S = A D / (B E) with A, B the brightness and D, E the structure.
    """
    c1, c2 = (x.new_full((), constant) for constant in constants)
    mx, my = local_mean(x, taps), local_mean(y, taps)
    squares = local_mean((x * x).addcmul_(y, y), taps)
    products = local_mean(x * y, taps)
    mm = mx * my
    b = (mx * mx).addcmul_(my, my)
    e = squares.sub_(b).add_(c2)
    d = torch.add(c2, products.sub_(mm), alpha=2)
    a = torch.add(c1, mm, alpha=2)
    r = (b.add_(c1) * e).mul_(0.5).reciprocal_()
    by_product = a * r
    similarity = by_product * d
    if not gradient:
        return similarity, None
    by_mean = d.sub_(a).mul_(my).addcmul_(mx.mul_(similarity), b - e, value=0.5).mul_(r)
    by_squares = b.mul_(r).mul_(similarity)
    return similarity, (by_mean, by_squares, by_product)


def _pulled_back(x: Tensor, y: Tensor, pulls: Pulls, taps: tuple[float, ...]) -> Tensor:
    """The gradient at x from the gradients at the three local means that hold x."""
    by_mean, by_squares, by_product = pulls
    pull = spread(by_mean, taps)
    pull.addcmul_(x, spread(by_squares, taps), value=-0.5)
    return pull.addcmul_(y, spread(by_product, taps))
