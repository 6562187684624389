"""Separable windows: local means of planes, and the transpose that spreads gradients back."""

import math
from functools import cache, lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from acutance.losses.closed_form import exact_products


def gaussian_taps(window: int, sigma: float) -> tuple[float, ...]:
    """The Gaussian exp(-k^2 / (2 sigma^2)) at `window` whole places round 0, with sum 1.

    sigma is in pixels. The 2-D window is the product of two of these.
    """
    raw = [math.exp(-((k - window // 2) ** 2) / (2 * sigma**2)) for k in range(window)]
    return tuple(value / math.fsum(raw) for value in raw)


def local_mean(planes: Tensor, taps: tuple[float, ...]) -> Tensor:
    """Weighted mean over the window at every place where it fits, (..., h, w) -> (..., vh, vw).

    Each axis is a sum of shifted views, each added in place with its weight: one vectorised pass
    through the cache and no temporary, several times faster than a grouped convolution on a CPU,
    unless the planes are lanes.
    """
    if are_lanes(planes):
        return _convolved(planes, taps, margin=0)
    rows = _down(planes, taps, planes.new_empty(_cut(planes, -2, taps)))
    return _across(rows, taps)


def local_mean_graph(planes: Tensor, taps: tuple[float, ...]) -> Tensor:
    """`local_mean` of (n, c, h, w) for autograd, as two grouped convolutions."""
    c = planes.shape[1]
    kernel = planes.new_tensor(taps)
    with torch.autocast(planes.device.type, enabled=False):  # it would round to bfloat16
        rows = F.conv2d(planes, kernel.view(1, 1, -1, 1).expand(c, 1, -1, 1), groups=c)
        return F.conv2d(rows, kernel.view(1, 1, 1, -1).expand(c, 1, 1, -1), groups=c)


def spread(maps: Tensor, taps: tuple[float, ...]) -> Tensor:
    """The transpose of `local_mean` for symmetric taps, (..., vh, vw) -> (..., h, w)."""
    margin = len(taps) - 1
    if are_lanes(maps):
        return _convolved(maps, taps, margin=margin)
    *lead, height, width = maps.shape
    rows = maps.new_zeros(*lead, height + 2 * margin, width)
    rows[..., margin : margin + height, :] = maps
    columns = maps.new_zeros(*lead, height + margin, width + 2 * margin)
    _down(rows, taps, columns[..., margin : margin + width])
    return _across(columns, taps)


def as_lanes(planes: Tensor) -> Tensor:
    """Contiguous planes (p, h, w) side by side, as channels that lie last in memory (1, p, h, w).

    There oneDNN's depthwise kernels keep one plane in each lane of a vector, and each value in a
    register for all taps. The product with one is more than twice as fast as a copy, but by it
    what is not finite spreads to all planes at its place.
    """
    p, h, w = planes.shape
    with exact_products():
        rows = torch.mm(planes.view(p, h * w).t(), _one(p))
    return rows.view(1, h, w, p).permute(0, 3, 1, 2)


def from_lanes(lanes: Tensor, planes: Tensor) -> None:
    """Write lanes (1, p, h, w) back into contiguous `planes` (p, h, w), each its own values."""
    p, h, w = planes.shape
    rows = lanes.permute(0, 2, 3, 1).reshape(h * w, p)
    if bool(rows.sum().isfinite()):
        with exact_products():
            torch.mm(_one(p), rows.t(), out=planes.view(p, h * w))
    else:
        planes.view(p, h * w).copy_(rows.t())


@lru_cache(maxsize=8)
def _one(size: int) -> Tensor:
    return torch.eye(size)


def are_lanes(planes: Tensor) -> bool:
    """Whether the planes are such as `as_lanes` makes."""
    last = planes.ndim == 4 and planes.is_contiguous(memory_format=torch.channels_last)
    return last and not planes.is_contiguous()


@cache
def has_lanes() -> bool:
    """Whether this build of torch has those kernels, and the machine has the vectors."""
    vectors = torch.backends.cpu.get_cpu_capability()
    return torch.backends.mkldnn.is_available() and vectors in {"AVX2", "AVX512"}


def _convolved(lanes: Tensor, taps: tuple[float, ...], *, margin: int) -> Tensor:
    """Both axes of lanes, with `margin` zeros round each plane."""
    p = lanes.shape[1]
    down, across = _kernels(taps, p)
    with torch.autocast(lanes.device.type, enabled=False):  # it would round to bfloat16
        rows = F.conv2d(lanes, down, groups=p, padding=(margin, 0))
        return F.conv2d(rows, across, groups=p, padding=(0, margin))


@lru_cache(maxsize=64)
def _kernels(taps: tuple[float, ...], p: int) -> tuple[Tensor, Tensor]:
    """The window for each of `p` lanes, along the columns and along the rows."""
    down = torch.tensor(taps, dtype=torch.float32).view(1, 1, -1, 1).repeat(p, 1, 1, 1)
    return down, down.transpose(2, 3).contiguous()


def _cut(planes: Tensor, axis: int, taps: tuple[float, ...]) -> list[int]:
    shape = list(planes.shape)
    shape[axis] -= len(taps) - 1
    return shape


def _down(planes: Tensor, taps: tuple[float, ...], total: Tensor) -> Tensor:
    """Sum along the columns over the middle tap, which the first two then need no product for."""
    height, middle = total.shape[-2], len(taps) // 2
    if middle == 0:
        return total.copy_(planes)
    scaled = [weight / taps[middle] for weight in taps]
    torch.add(
        planes.narrow(-2, middle, height), planes.narrow(-2, 0, height), alpha=scaled[0], out=total
    )
    for place in (*range(1, middle), *range(middle + 1, len(taps))):
        total.add_(planes.narrow(-2, place, height), alpha=scaled[place])
    return total


def _across(planes: Tensor, taps: tuple[float, ...]) -> Tensor:
    """Mean along the rows, with the middle tap that `_down` left out."""
    width, middle = planes.shape[-1] - len(taps) + 1, len(taps) // 2
    scaled = [weight * taps[middle] for weight in taps]
    total = planes.narrow(-1, middle, width) * scaled[middle]
    for place in (*range(middle), *range(middle + 1, len(taps))):
        total.add_(planes.narrow(-1, place, width), alpha=scaled[place])
    return total
