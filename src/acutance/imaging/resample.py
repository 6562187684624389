"""Resize pictures as MATLAB's imresize does, to the last bit.

Papers make their low-resolution pictures with it, so every published score rests on it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.imaging.parallel import map_in_threads
from acutance.imaging.tiles import Part, Span, Window

Scale = int | float | Fraction

_BAND_ROWS = 32  # output rows of the first pass that are made and used while in the cache
_BLOCK_SAMPLES = 48 * 1024  # float64 samples of one block: two such arrays fit a 1 MiB cache
_SAMPLES_PER_THREAD = 2**17  # below this a thread costs more than it saves


@dataclass(frozen=True)
class Kernel:
    """An interpolation kernel and the width of its support, in source pixels."""

    function: Callable[[np.ndarray], np.ndarray]
    width: float


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys: Cubic Convolution Interpolation for Digital Image Processing (1981), a = -1/2.

    Products, not powers: a power's last digit is the library's.
    """
    x = np.abs(x)
    square, cube = x * x, x * x * x
    near = 1.5 * cube - 2.5 * square + 1.0
    far = -0.5 * cube + 2.5 * square - 4.0 * x + 2.0
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1.0 - np.abs(x), 0.0)


def _lanczos3(x: np.ndarray) -> np.ndarray:
    """MATLAB's form: the two eps stand in for the limit at zero."""
    eps = np.finfo(np.float64).eps
    value = (np.sin(np.pi * x) * np.sin(np.pi * x / 3) + eps) / (np.pi**2 * x**2 / 3 + eps)
    return np.where(np.abs(x) < 3, value, 0.0)


def _box(x: np.ndarray) -> np.ndarray:
    """Half open, so that a sample on the border of two boxes counts once."""
    return ((x >= -0.5) & (x < 0.5)).astype(np.float64)


KERNELS = {
    "bicubic": Kernel(_cubic, 4.0),
    "bilinear": Kernel(_triangle, 2.0),
    "lanczos3": Kernel(_lanczos3, 6.0),
    "box": Kernel(_box, 1.0),
}


@dataclass(frozen=True)
class AxisPlan:
    """What is to be done along one axis: from `n_in` samples to `n_out`, at `scale`."""

    n_in: int
    n_out: int
    scale: float


def resize(
    image: np.ndarray,
    *,
    scale: Scale | None = None,
    size: tuple[int, int] | None = None,
    kernel: str = "bicubic",
) -> np.ndarray:
    """Resize (H, W) or (H, W, C) by `scale`, or to `size` (H, W); antialiased when reducing.

    uint8 gives uint8, clipped and rounded half up after each of the two passes, as MATLAB does
    for uint8 pictures. Floating point keeps its type and is neither clipped nor rounded; the sums
    are float64. The axis with the smaller scale goes first, rows first when they are equal.
    Taps are added in a fixed order, so that exact ties do not depend on a library or a processor.
    """
    if image.dtype != np.uint8 and not np.issubdtype(image.dtype, np.floating):
        raise InputError(f"Pictures of type {image.dtype} are not resized. Use uint8 or floats.")
    if image.ndim not in (2, 3):
        raise InputError(f"A picture is (H, W) or (H, W, C), not {image.shape}.")
    plans = plan_axes(image.shape[:2], scale=scale, size=size)
    cube = image[:, :, None] if image.ndim == 2 else image
    result = _apply(cube, *(_taps(plan, kernel=kernel) for plan in plans))
    return result[:, :, 0] if image.ndim == 2 else result


@dataclass(frozen=True, eq=False)
class Resizing:
    """`resize` of a picture of which only a part is at hand, to the last bit that of the whole.

    Its windows are those of the result. Under `resizing(wrap=True)` the picture goes on beyond
    its edges from the other side, and windows of it may lie there.
    """

    rows: "Taps"
    columns: "Taps"

    def needs(self, window: Window) -> Window:
        """The window of the source that a window of the result is made of."""
        return Window(self.rows.needs(window.rows), self.columns.needs(window.columns))

    def __call__(self, part: Part, window: Window) -> np.ndarray:
        """That window of the result; `part` covers what it needs, (h, w, c) of uint8 or floats."""
        seen = self.needs(window)
        rows = self.rows.part(window.rows, origin=seen.rows.start)
        columns = self.columns.part(window.columns, origin=seen.columns.start)
        return _apply(part.cut(seen), rows, columns)


@lru_cache(maxsize=16)
def resizing(
    source: tuple[int, int],
    size: tuple[int, int],
    *,
    kernel: str = "bicubic",
    wrap: bool = False,
) -> Resizing:
    """The resize from `source` (H, W) to `size` (H, W), to be done in parts."""
    rows, columns = plan_axes(source, scale=None, size=size)
    return Resizing(*(_taps(plan, kernel=kernel, wrap=wrap) for plan in (rows, columns)))


def downscale(image: np.ndarray, scale: Scale, *, kernel: str = "bicubic") -> np.ndarray:
    """Crop to a multiple of `scale` at the top left corner, then make it `scale` times smaller."""
    cropped = crop_to_multiple(image, scale)
    ratio = as_fraction(scale)
    height, width = (int(side / ratio) for side in cropped.shape[:2])
    if min(height, width) == 0:
        raise InputError(
            f"A picture of {image.shape[1]}x{image.shape[0]} cannot be made {ratio} times smaller."
        )
    return resize(cropped, size=(height, width), kernel=kernel)


def crop_to_multiple(image: np.ndarray, scale: Scale) -> np.ndarray:
    """The largest top left part whose sides are whole numbers when divided by `scale`."""
    step = as_fraction(scale).numerator
    height, width = (side // step * step for side in image.shape[:2])
    return image[:height, :width]


def as_fraction(scale: Scale) -> Fraction:
    """The ratio that is meant: 1.1 is 11/10, although no binary number is.

    Without this ceil(1.1 * 10) would be 12.
    """
    if not (math.isfinite(scale) and scale > 0):
        raise InputError(f"The scale must be above 0, not {scale}.")
    return Fraction(scale).limit_denominator(1 << 16)


def plan_axes(
    shape: tuple[int, ...], *, scale: Scale | None, size: tuple[int, int] | None
) -> tuple[AxisPlan, AxisPlan]:
    """Rows, columns: given `scale`, sides become ceil(scale * n); given `size`, scales follow."""
    height, width = shape
    if scale is not None and size is None:
        ratio = as_fraction(scale)
        size = (math.ceil(height * ratio), math.ceil(width * ratio))
        scales = (float(ratio), float(ratio))
    elif size is not None and scale is None:
        scales = (size[0] / max(height, 1), size[1] / max(width, 1))
    else:
        raise InputError("Give either the scale or the size of the result.")
    if min(height, width, *size) < 1:
        raise InputError(f"Cannot resize {width}x{height} to {size[1]}x{size[0]}: no pixels.")
    return AxisPlan(height, size[0], scales[0]), AxisPlan(width, size[1], scales[1])


def axis_weights(
    n_in: int, n_out: int, *, scale: float, kernel: str = "bicubic", wrap: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Source indices int64 and weights float64 of one axis, both (n_out, taps).

    Output i (1-based) is centred on u = i/s + (1 - 1/s)/2 of the source. With k = min(s, 1), the
    kernel h is stretched to width w = width/k; the taps are p = floor(u - w/2) + 0 ... ceil(w) + 1
    with weights k h(k (u - p)) divided by their sum. Beyond the border the picture is mirrored,
    the outermost sample repeated; under `wrap` indices go on below 0 and beyond n_in instead, for
    a source that repeats itself. Taps of weight zero are moved to the end of their row and
    dropped where all rows have them, which changes no sum.
    """
    if kernel not in KERNELS:
        raise InputError(f"Unknown kernel '{kernel}'. {nearest(kernel, KERNELS)}")
    shape = KERNELS[kernel]
    stretch = min(scale, 1.0)
    width = shape.width / stretch
    centre = np.arange(1, n_out + 1) / scale + 0.5 * (1.0 - 1.0 / scale)
    first = np.floor(centre - width / 2)
    position = first[:, None] + np.arange(math.ceil(width) + 2)
    weight = stretch * shape.function(stretch * (centre[:, None] - position))
    weight /= np.cumsum(weight, axis=1)[:, -1:]  # one after the other, where sum is free to pair

    zeros_last = np.argsort(weight == 0, axis=1, kind="stable")
    weight = np.take_along_axis(weight, zeros_last, axis=1)
    position = np.take_along_axis(position, zeros_last, axis=1)
    taps = int((weight != 0).sum(axis=1).max())
    index = position[:, :taps].astype(np.int64) - 1
    if not wrap:
        index = np.mod(index, 2 * n_in)
        index = np.where(index < n_in, index, 2 * n_in - 1 - index)
    return index, weight[:, :taps]


@dataclass(frozen=True, eq=False)
class Taps:
    """Which samples of one axis each sample of the result is made of, and by what weights."""

    scale: float
    index: np.ndarray  # (n_out, taps)
    weight: np.ndarray
    period: int | None = None  # samples after which the source repeats itself

    def needs(self, span: Span) -> Span:
        index = self.part(span, origin=0).index
        return Span(int(index.min()), int(index.max()) + 1)

    def part(self, span: Span, *, origin: int) -> "Taps":
        """Those of a span of the result, for a source that starts at `origin`."""
        if self.period is None:
            inside = slice(span.start, span.stop)
            return Taps(self.scale, self.index[inside] - origin, self.weight[inside])
        times, place = np.divmod(np.arange(span.start, span.stop), len(self.index))
        index = self.index[place] + times[:, None] * self.period - origin
        return Taps(self.scale, index, self.weight[place])


def _taps(plan: AxisPlan, *, kernel: str, wrap: bool = False) -> Taps:
    index, weight = axis_weights(plan.n_in, plan.n_out, scale=plan.scale, kernel=kernel, wrap=wrap)
    return Taps(plan.scale, index, weight, period=plan.n_in if wrap else None)


def _apply(cube: np.ndarray, rows: Taps, columns: Taps) -> np.ndarray:
    if columns.scale < rows.scale:
        turned = _resize_rows_first(cube.swapaxes(0, 1), columns, rows)
        return np.ascontiguousarray(turned.swapaxes(0, 1))
    return _resize_rows_first(cube, rows, columns)


def _resize_rows_first(cube: np.ndarray, rows: Taps, columns: Taps) -> np.ndarray:
    """Both passes, band by band of output rows, so that what the first makes is still in cache."""
    n_in, n_out = cube.shape[1], len(columns.index)
    channels = cube.shape[2]
    result = np.empty((len(rows.index), n_out, channels), dtype=cube.dtype)
    inner = np.uint8 if cube.dtype == np.uint8 else np.float64

    def make_band(start: int) -> None:
        band = slice(start, start + _BAND_ROWS)
        index = rows.index[band]
        top = int(index.min())
        source = cube[top : int(index.max()) + 1]
        tall = np.empty((len(index), n_in * channels), dtype=inner)
        _weigh(source.reshape(len(source), -1), tall, index=index - top, weight=rows.weight[band])
        turned = tall.reshape(-1, n_in, channels).transpose(1, 2, 0)
        wide = np.empty((n_out, channels * len(index)), dtype=inner)
        turned = turned.reshape(n_in, -1)
        _weigh(turned, wide, index=columns.index, weight=columns.weight)
        result[band] = wide.reshape(n_out, channels, -1).transpose(2, 0, 1)

    starts = range(0, len(rows.index), _BAND_ROWS)
    if result.size < 2 * _SAMPLES_PER_THREAD:
        for start in starts:
            make_band(start)
    else:
        map_in_threads(make_band, starts)
    return result


def _weigh(source: np.ndarray, out: np.ndarray, *, index: np.ndarray, weight: np.ndarray) -> None:
    """out[i] = sum over taps of weight[i, tap] * source[index[i, tap]], taps in their order.

    `source` (n_in, m) and `out` (n_out, m); a uint8 `out` is clipped and rounded half up. Blocks
    keep the sums in the cache: the same work over whole planes takes several times as long.
    """
    m = source.shape[1]
    block_columns = min(m, _BLOCK_SAMPLES // _BAND_ROWS)
    block_rows = max(_BLOCK_SAMPLES // block_columns, 1)
    for left in range(0, m, block_columns):
        columns = slice(left, left + block_columns)
        for top in range(0, len(index), block_rows):
            rows = slice(top, top + block_rows)
            total = _weighted_sum(source[:, columns], index[rows], weight=weight[rows])
            if out.dtype == np.uint8:
                np.clip(total, 0.0, 255.0, out=total)
                total += 0.5  # the cast to uint8 is the floor
            out[rows, columns] = total


def _weighted_sum(source: np.ndarray, index: np.ndarray, *, weight: np.ndarray) -> np.ndarray:
    top = int(index.min())
    values = source[top : int(index.max()) + 1].astype(np.float64)
    index = index - top
    total = values[index[:, 0]]
    total *= weight[:, :1]
    term = np.empty_like(total)
    for tap in range(1, index.shape[1]):
        np.take(values, index[:, tap], axis=0, out=term, mode="clip")  # clip: no hidden copy
        term *= weight[:, tap, None]
        total += term
    return total
