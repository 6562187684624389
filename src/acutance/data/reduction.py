"""lr of training crops, made from hr when they are drawn: two small matrix products per batch."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from acutance.imaging.resample import axis_weights

LARGEST_BLOCK = 16
"""Rows of lr that one product makes, at most.

A weight matrix for a whole crop is nearly all zeros, since a row of lr sees few rows of hr. In
blocks of 16 there is a third of the work, and each product is so small that the matrix library
does not share it among threads, which it would have to take from the network being trained.
"""


@dataclass(frozen=True, eq=False)
class Reduction:
    """Reduces crops of `patch` hr pixels by `scale`, given `margin` more pixels on each side.

    The result is bit for bit the part of the whole picture's reduction (by the uint8 rule:
    clipped and rounded after rows and again after columns), wherever the crop begins at a
    multiple of the scale. Sums in float32 suffice for that: they are exact for scales 2, 4 and
    8, and for odd scales none comes near a half. For 6, 10 ... sums of exactly a half exist whose
    rounding depends on the order of adding: about 2 in 10,000 samples then differ by 1.
    """

    patch: int
    scale: int
    margin: int
    block: int
    rows: np.ndarray  # (block, window): lr rows from hr rows
    columns: np.ndarray  # (3 window, 3 block): the same transposed, for interleaved channels

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """uint8 (n, patch + 2 margin, same, 3) -> uint8 (n, patch / scale, same, 3)."""
        count, side = crops.shape[:2]
        small = self.patch // self.scale
        window, step = self.rows.shape[1], self.block * self.scale
        x = crops.reshape(count, side, side * 3).astype(np.float32)
        x = sliding_window_view(x, window, axis=1)[:, ::step].swapaxes(2, 3)
        y = _rounded(np.matmul(self.rows, x)).reshape(count, small, side * 3)
        y = sliding_window_view(y, 3 * window, axis=2)[:, :, :: 3 * step].transpose(0, 2, 1, 3)
        z = _rounded(np.matmul(y, self.columns)).transpose(0, 2, 1, 3)
        return z.astype(np.uint8, order="C").reshape(count, small, small, 3)


@cache
def reduction(patch: int, scale: int) -> Reduction:
    """The bicubic reduction for one size of crop; its weights are those of whole pictures."""
    small = patch // scale
    block = _block(small)
    far = 8  # lr pixels: more than any kernel reaches, so that no row meets the picture's end
    index, weight = axis_weights(
        (block + 2 * far) * scale, block + 2 * far, scale=1 / scale, kernel="bicubic"
    )
    matrix = np.zeros((block, (block + 2 * far) * scale))
    for row in range(block):
        np.add.at(matrix[row], index[far + row], weight[far + row])
    used = np.flatnonzero(matrix.any(axis=0))
    margin = far * scale - int(used[0])
    rows = matrix[:, used[0] : used[-1] + 1].astype(np.float32)
    columns = np.kron(rows.T, np.eye(3, dtype=np.float32))
    return Reduction(patch, scale, margin, block, rows, np.ascontiguousarray(columns))


def _block(small: int) -> int:
    """The largest divisor up to LARGEST_BLOCK; all of it where there is none worth the name."""
    best = max(d for d in range(1, LARGEST_BLOCK + 1) if small % d == 0)
    return best if best >= 4 else small


def _rounded(values: np.ndarray) -> np.ndarray:
    """Clip to 0..255 and round half up, in place."""
    np.clip(values, 0.0, 255.0, out=values)
    values += np.float32(0.5)
    return np.floor(values, out=values)
