"""Weighted sums over the neighbours of a pixel, fast: along the axes, or by a whole kernel.

Everything is float32; beyond its border a picture is mirrored, the outermost pixel not repeated,
and mirrored again where a kernel is larger than the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

Taps = tuple[np.ndarray, np.ndarray]
"""Of one axis: indices of the source and their weights, both (n_out, taps)."""

_MIDDLE = 127.5  # of the levels; round it float32 transforms lose the least
_BLOCK = 32  # places of a result that are one matrix product: few zeros, yet work for BLAS
_ALONE = 2**18  # multiplications up to which BLAS does not ask the threads that train for help


def along_axes(picture: np.ndarray, rows: Taps, columns: Taps) -> np.ndarray:
    """(h, w, c) -> (h_out, w_out, c) float32: the weighted sums along rows, then along columns."""
    down, across = _products(rows), _products(columns)
    size = len(rows[0]), len(columns[0])
    result = np.empty((*size, picture.shape[2]), dtype=np.float32)
    tall = np.empty((size[0], picture.shape[1]), dtype=np.float32)
    wide = np.empty(size, dtype=np.float32)
    for channel in range(picture.shape[2]):
        plane = np.ascontiguousarray(picture[:, :, channel], dtype=np.float32)
        for one in down:
            for part in one.parts(tall.shape[1]):
                np.matmul(one.matrix, plane[one.source, part], out=tall[one.result, part])
        for one in across:
            for part in one.parts(len(wide)):
                np.matmul(tall[part, one.source], one.matrix.T, out=wide[part, one.result])
        result[:, :, channel] = wide
    return result


def line_taps(count: int, line: np.ndarray) -> Taps:
    """A line of weights, symmetric and of odd length, laid on each of `count` samples."""
    reach = len(line) // 2
    index = _mirrored(np.arange(count)[:, None] + np.arange(-reach, reach + 1), count)
    return index, np.broadcast_to(line, index.shape)


def convolve(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(h, w, c) float32: the convolution of each channel with a kernel of odd sides.

    By Fourier transforms of what the kernel reaches, once round: what wraps round spoils only
    places that are not asked for. A plane at a time, which stays in the cache.
    """
    height, width, channels = picture.shape
    down, across = (side // 2 for side in kernel.shape)
    if not down and not across:
        return picture * np.float32(kernel[0, 0])
    sides = _quick_length(height + 2 * down), _quick_length(width + 2 * across)
    # numpy transforms in float64 where a direction is not scaled, at five times the cost
    effect = np.fft.rfft2(kernel, s=sides).astype(np.complex64)
    middle = np.float32(_MIDDLE * kernel.sum())
    result = np.empty(picture.shape, dtype=np.float32)
    wide = np.empty(sides, dtype=np.float32)
    inside = slice(down, down + height), slice(across, across + width)
    for channel in range(channels):
        np.subtract(picture[:, :, channel], np.float32(_MIDDLE), out=wide[inside])
        _mirror_rows(wide[:, inside[1]], inside[0])
        _mirror_rows(wide.T, inside[1])
        spectrum = np.fft.rfft2(wide, norm="ortho")
        spectrum *= effect
        whole = np.fft.irfft2(spectrum, s=sides, norm="ortho")
        asked = whole[2 * down :, 2 * across :][:height, :width]
        np.add(asked, middle, out=result[:, :, channel])
    return result


@dataclass(frozen=True, eq=False)
class _Product:
    """Some places of a result as a matrix times what they are made of."""

    matrix: np.ndarray
    source: slice
    result: slice

    def parts(self, length: int) -> Iterator[slice]:
        """The lines along the other axis, so many at a time as are one small product."""
        step = max(1, _ALONE // self.matrix.size)
        return (slice(start, start + step) for start in range(0, length, step))


def _products(taps: Taps) -> list[_Product]:
    index, weight = taps
    found: list[_Product] = []
    for start in range(0, len(index), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(index)))
        first, last = int(index[block].min()), int(index[block].max())
        matrix = np.zeros((block.stop - start, last - first + 1), dtype=np.float32)
        row = np.arange(len(matrix))
        for tap in range(index.shape[1]):  # one by one: mirrored, two may be of one sample
            matrix[row, index[block, tap] - first] += weight[block, tap]
        found.append(_Product(matrix, slice(first, last + 1), block))
    return found


def _mirror_rows(rows: np.ndarray, inside: slice) -> None:
    """Fill the rows before and after those `inside` by these, mirrored."""
    start, stop = inside.start, inside.stop
    places = _mirrored(np.arange(len(rows)) - start, stop - start) + start
    rows[:start] = rows[places[:start]]
    rows[stop:] = rows[places[stop:]]


def _mirrored(index: np.ndarray, count: int) -> np.ndarray:
    """Any indices as those of `count` samples: 3 2 1 | 0 1 2 3 | 2 1 0."""
    if count == 1:
        return np.zeros_like(index)
    period = 2 * (count - 1)
    index = np.mod(index, period)
    return np.minimum(index, period - index)


@lru_cache(maxsize=1024)
def _quick_length(least: int) -> int:
    """The next even number whose prime factors are at most 7, which transforms quickly."""
    length = least + least % 2
    while _without_small_factors(length) > 1:
        length += 2
    return length


def _without_small_factors(number: int) -> int:
    for factor in (2, 3, 5, 7):
        while number % factor == 0:
            number //= factor
    return number
