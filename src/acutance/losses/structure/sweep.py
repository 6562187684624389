"""Sums of a local similarity over a picture and their gradient, in pieces that fit the cache."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from acutance.losses.closed_form import plane_groups, room_for_gradient
from acutance.losses.structure.windows import as_lanes, from_lanes, has_lanes, local_mean, spread

LANES = 16  # of float32 in the widest vector
LANE = 1 << 18  # values of a plane; sixteen larger ones would take much memory
OWN = 3  # rows of a band that are its own, at least, for each that it shares
GROUP = 3 << 18  # values of one map worked on at a time: 3 MiB of float32; fewer cost more calls

# How half a similarity depends on the local means of x, of x^2 + y^2 (times -2) and of x y.
Pulls = tuple[Tensor, Tensor, Tensor]
# x, y, taps, whether the pulls are wanted -> the similarity, and the pulls.
Similarity = Callable[..., tuple[Tensor, Pulls | None]]


def sweep(
    x: Tensor, y: Tensor, taps: tuple[float, ...], similarity: Similarity, *, gradient: bool
) -> tuple[Tensor, Tensor]:
    """The sum of the map for each plane, (n, c), and half its gradient at contiguous x."""
    if way := _way_of_lanes(x, len(taps) - 1):
        sums, slope = way(x, y, taps, similarity, gradient=gradient)
        if bool(sums.isfinite().all()):  # else it may have spread from one plane to others
            return sums, slope
    return _sweep_strips(x, y, taps, similarity, gradient=gradient)


def _way_of_lanes(x: Tensor, halo: int) -> Callable[..., tuple[Tensor, Tensor]] | None:
    """The way that takes these planes as lanes, where there are kernels for it."""
    if not (x.dtype == torch.float32 and x.device.type == "cpu" and has_lanes()):
        return None
    n, c, h, w = x.shape
    if n * c >= LANES and h * w <= LANE:
        return _sweep_lanes
    return _sweep_bands if h >= (OWN * LANES + 1) * halo else None


def _sweep_strips(
    x: Tensor, y: Tensor, taps: tuple[float, ...], similarity: Similarity, *, gradient: bool
) -> tuple[Tensor, Tensor]:
    """The same over strips of rows, for planes as they lie."""
    halo = len(taps) - 1
    slope = room_for_gradient(x, gradient)
    strips = list(_strips(x.shape[2] - halo, x.shape[3]))
    sums = x.new_empty(*x.shape[:2], len(strips))
    if gradient and len(strips) > 1:
        slope.zero_()  # neighbouring strips both add to the rows between them
    for group in plane_groups(x, GROUP):
        for place, (top, bottom) in enumerate(strips):
            part = (*group, slice(top, bottom + halo))
            found, pulls = similarity(x[part], y[part], taps, gradient=gradient)
            torch.sum(found, dim=(2, 3), out=sums[(*group, place)])
            if pulls is not None:
                pull = _pulled_back(x[part], y[part], pulls, taps)
                slope[part] = pull if len(strips) == 1 else pull.add_(slope[part])
    return sums.sum(dim=2), slope


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
        found, pulls = similarity(own, other, taps, gradient=gradient)
        sums.append(found.sum(dim=(2, 3)))
        if pulls is not None:
            pull = _pulled_back(own, other, pulls, taps)
            from_lanes(pull, slope.view(n * c, h, w)[part])
    return torch.cat(sums, dim=1).view(n, c), slope


def _sweep_bands(
    x: Tensor, y: Tensor, taps: tuple[float, ...], similarity: Similarity, *, gradient: bool
) -> tuple[Tensor, Tensor]:
    """The same for few large planes: bands of rows of one plane are the lanes.

    Bands share the rows between them, which all need, and so do blocks of their columns. The rows
    of the map that are left over are fewer than there are lanes.
    """
    halo = len(taps) - 1
    n, c, h, w = x.shape
    rows = (h - halo) // LANES
    slope = room_for_gradient(x, gradient)
    if gradient:
        slope.zero_()
    sums = x.new_zeros(n * c)
    for plane in range(n * c):
        xp, yp, sp = (v.view(n * c, h, w)[plane] if v.numel() else v for v in (x, y, slope))
        for left, right in _blocks(w - halo, LANES * (rows + halo)):
            part = slice(left, right + halo)
            own, other = (as_lanes(_banded(v[:, part], rows, halo)) for v in (xp, yp))
            found, pulls = similarity(own, other, taps, gradient=gradient)
            sums[plane] += found.sum()
            if pulls is not None:
                pull = own.new_empty(LANES, rows + halo, right + halo - left)
                from_lanes(_pulled_back(own, other, pulls, taps), pull)
                _bands(sp[:, part], 0, rows, rows).add_(pull[:, :rows])
                _bands(sp[:, part], rows, rows, halo).add_(pull[:, rows:])
    sums = sums.view(n, c)
    if rest := (h - halo) % LANES:
        last = (slice(None), slice(None), slice(h - halo - rest, None))
        more, pull = _sweep_strips(x[last], y[last], taps, similarity, gradient=gradient)
        sums += more
        if gradient:
            slope[last] += pull
    return sums, slope


def _bands(plane: Tensor, top: int, step: int, height: int) -> Tensor:
    """Views of `height` rows from every `step`th on, (LANES, height, w)."""
    down, across = plane.stride()
    shape, strides = (LANES, height, plane.shape[1]), (step * down, down, across)
    return plane.as_strided(shape, strides, plane.storage_offset() + top * down)


def _banded(plane: Tensor, rows: int, halo: int) -> Tensor:
    return _bands(plane, 0, rows, rows + halo).contiguous()


def _blocks(columns: int, height: int) -> Iterator[tuple[int, int]]:
    """Cut the columns of the map evenly, so that a block of all bands is a group."""
    count = -(-columns * height // GROUP)
    edges = [columns * place // count for place in range(count + 1)]
    yield from pairwise(edges)


def ssim_map(
    x: Tensor,
    y: Tensor,
    taps: tuple[float, ...],
    *,
    constants: tuple[float, float],
    gradient: bool,
) -> tuple[Tensor, Pulls | None]:
    """S = A D / (B E), with A, B the brightness and D, E the structure.

    What is not needed any more is written over: a pass costs half as much in memory that is near.
    """
    c1, c2 = (x.new_full((), constant) for constant in constants)
    mx, my, a, apart, d, e = _moments(x, y, taps, c1, c2)
    b = torch.addcmul(a, apart, apart, out=apart)
    alike, shaped = a.div_(b), d.div_(e)
    if not gradient:
        return alike.mul_(shaped), None
    by_product = torch.div(alike, e, out=e)
    unlike = torch.addcmul(my, shaped, mx, value=-1).mul_(by_product)
    by_mean = my.addcmul_(alike, mx, value=-1).mul_(torch.div(shaped, b, out=b)).sub_(unlike)
    similarity = torch.mul(alike, shaped, out=mx)
    return similarity, (by_mean, shaped.mul_(by_product), by_product)


def structure_map(
    x: Tensor, y: Tensor, taps: tuple[float, ...], *, c2: float, gradient: bool
) -> tuple[Tensor, Pulls | None]:
    """D / E, the contrast and structure of SSIM without its brightness."""
    mx, my, _, _, d, e = _moments(x, y, taps, x.new_zeros(()), x.new_full((), c2))
    by_product = e.reciprocal_()
    similarity = d.mul_(by_product)
    if not gradient:
        return similarity, None
    by_squares = by_product * similarity
    by_mean = mx.mul_(by_squares).addcmul_(my, by_product, value=-1)
    return similarity, (by_mean, by_squares, by_product)


def _moments(
    x: Tensor, y: Tensor, taps: tuple[float, ...], c1: Tensor, c2: Tensor
) -> tuple[Tensor, ...]:
    """Local means mx, my; A = 2 mx my + C1; mx - my; D = 2 sxy + C2; E = sx^2 + sy^2 + C2.

    E is D and the variance of x - y: four local means are enough, where x is y D and E are the
    same bits, and constants ride along in products.
    """
    mx, my = local_mean(x, taps), local_mean(y, taps)
    error = x - y
    e = local_mean(error.mul_(error), taps)
    d = local_mean(torch.addcmul(c1 + c2, x, y, value=2, out=error), taps)
    a, apart = torch.addcmul(c1, mx, my, value=2), mx - my
    d.sub_(a)
    e.addcmul_(apart, apart, value=-1).add_(d)
    return mx, my, a, apart, d, e


def _strips(rows: int, width: int) -> Iterator[tuple[int, int]]:
    """Cut the rows of the map so that a strip of one plane is a group."""
    height = max(16, GROUP // width)
    for top in range(0, rows, height):
        yield top, min(rows, top + height)


def _pulled_back(x: Tensor, y: Tensor, pulls: Pulls, taps: tuple[float, ...]) -> Tensor:
    """Half the gradient at x from how the half depends on the three local means that hold x."""
    by_mean, by_squares, by_product = pulls
    pull = spread(by_mean, taps)
    pull.addcmul_(x, spread(by_squares, taps), value=-1)
    return pull.addcmul_(y, spread(by_product, taps))
