"""Sums of a local similarity over a picture and their gradient, in pieces that fit the cache."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from acutance.losses.closed_form import plane_groups, room_for_gradient
from acutance.losses.structure.windows import as_lanes, from_lanes, has_lanes, local_mean, spread

LANES = 16  # of float32 in the widest vector
LANE = 1 << 18  # values of a plane; sixteen larger ones would take much memory
GROUP = 3 << 18  # values of one map worked on at a time: 3 MiB of float32; fewer cost more calls

# How a similarity depends on the local means of x, of x^2 + y^2 (times -4) and of x y.
Pulls = tuple[Tensor, Tensor, Tensor]
# x, y, taps, whether the pulls are wanted -> twice the similarity, and the pulls.
Similarity = Callable[..., tuple[Tensor, Pulls | None]]


def sweep(
    x: Tensor, y: Tensor, taps: tuple[float, ...], similarity: Similarity, *, gradient: bool
) -> tuple[Tensor, Tensor]:
    """Twice the sum of the map for each plane, (n, c), and its gradient at contiguous x."""
    if _are_many(x):
        return _sweep_lanes(x, y, taps, similarity, gradient=gradient)
    halo = len(taps) - 1
    slope = room_for_gradient(x, gradient)
    strips = list(_strips(x.shape[2] - halo, x.shape[3]))
    sums = x.new_empty(*x.shape[:2], len(strips))
    if gradient and len(strips) > 1:
        slope.zero_()  # neighbouring strips both add to the rows between them
    for group in plane_groups(x, GROUP):
        for place, (top, bottom) in enumerate(strips):
            part = (*group, slice(top, bottom + halo))
            twice, pulls = similarity(x[part], y[part], taps, gradient=gradient)
            torch.sum(twice, dim=(2, 3), out=sums[(*group, place)])
            if pulls is not None:
                pull = _pulled_back(x[part], y[part], pulls, taps)
                slope[part] = pull if len(strips) == 1 else pull.add_(slope[part])
    return sums.sum(dim=2), slope


def _are_many(x: Tensor) -> bool:
    """Whether the planes are as many and as small as those of a training batch."""
    n, c, h, w = x.shape
    known = x.dtype == torch.float32 and x.device.type == "cpu" and has_lanes()
    return known and n * c >= LANES and h * w <= LANE


def _sweep_lanes(
    x: Tensor, y: Tensor, taps: tuple[float, ...], similarity: Similarity, *, gradient: bool
) -> tuple[Tensor, Tensor]:
    """The same over lanes: some planes at a time, each whole."""
    n, c, h, w = x.shape
    slope = room_for_gradient(x, gradient)
    sums = []
    together = max(1, GROUP // (LANES * h * w)) * LANES
    for first in range(0, n * c, together):
        part = slice(first, first + together)
        own, other = (as_lanes(planes.view(n * c, h, w)[part]) for planes in (x, y))
        twice, pulls = similarity(own, other, taps, gradient=gradient)
        sums.append(twice.sum(dim=(2, 3)))
        if pulls is not None:
            pull = _pulled_back(own, other, pulls, taps)
            from_lanes(pull, slope.view(n * c, h, w)[part])
    return torch.cat(sums, dim=1).view(n, c), slope


def twice_ssim(
    x: Tensor,
    y: Tensor,
    taps: tuple[float, ...],
    *,
    constants: tuple[float, float],
    gradient: bool,
) -> tuple[Tensor, Pulls | None]:
    """2 S for S = A D / (B E), with A, B the brightness and D, E the structure.

    The variances appear only as a sum, so four local means are enough. Doubled, since the
    derivatives are.
    """
    c1, c2 = (x.new_full((), constant) for constant in constants)
    mx, my, mm, b, d, e = _moments(x, y, taps, c2)
    a = torch.add(c1, mm, alpha=2)
    r = ((b + c1) * e).mul_(0.5).reciprocal_()
    by_product = a * r
    similarity = by_product * d
    if not gradient:
        return similarity, None
    b.add_(c1)
    by_mean = d.sub_(a).mul_(my).addcmul_(mx.mul_(similarity), b - e, value=0.5).mul_(r)
    by_squares = b.mul_(r).mul_(similarity)
    return similarity, (by_mean, by_squares, by_product)


def twice_structure(
    x: Tensor, y: Tensor, taps: tuple[float, ...], *, c2: float, gradient: bool
) -> tuple[Tensor, Pulls | None]:
    """2 D / E, the contrast and structure of SSIM without its brightness."""
    mx, my, _, _, d, e = _moments(x, y, taps, x.new_full((), c2))
    by_product = e.mul_(0.5).reciprocal_()
    similarity = d.mul_(by_product)
    if not gradient:
        return similarity, None
    by_squares = by_product * similarity
    by_mean = mx.mul_(by_squares).mul_(0.5).addcmul_(my, by_product, value=-1)
    return similarity, (by_mean, by_squares, by_product)


def _moments(x: Tensor, y: Tensor, taps: tuple[float, ...], c2: Tensor) -> tuple[Tensor, ...]:
    """Local means mx, my, mx my, mx^2 + my^2; D = 2 sxy + C2; E = sx^2 + sy^2 + C2."""
    mx, my = local_mean(x, taps), local_mean(y, taps)
    squares = local_mean((x * x).addcmul_(y, y), taps)
    products = local_mean(x * y, taps)
    mm = mx * my
    b = (mx * mx).addcmul_(my, my)
    e = squares.sub_(b).add_(c2)
    d = torch.add(c2, products.sub_(mm), alpha=2)
    return mx, my, mm, b, d, e


def _strips(rows: int, width: int) -> Iterator[tuple[int, int]]:
    """Cut the rows of the map so that a strip of one plane is a group."""
    height = max(16, GROUP // width)
    for top in range(0, rows, height):
        yield top, min(rows, top + height)


def _pulled_back(x: Tensor, y: Tensor, pulls: Pulls, taps: tuple[float, ...]) -> Tensor:
    """The gradient at x from the gradients at the three local means that hold x."""
    by_mean, by_squares, by_product = pulls
    pull = spread(by_mean, taps)
    pull.addcmul_(x, spread(by_squares, taps), value=-0.5)
    return pull.addcmul_(y, spread(by_product, taps))
