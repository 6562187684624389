"""Structural similarity: how alike two pictures are in local mean, contrast and structure."""

import math
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided

from acutance.errors import InputError
from acutance.imaging.parallel import map_in_threads
from acutance.metrics.card import Card, check_pair

CARD = Card(
    direction="higher",
    unit="",
    range=(-1.0, 1.0),
    judges="fidelity",
    source=(
        "Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment: From Error Visibility to "
        "Structural Similarity (IEEE TIP 13, 2004), sec. III-C and its ssim_index.m"
    ),
    identical=1.0,
    least_side_px=11,
)

WINDOW_PX = 11
SIGMA_PX = 1.5
_C1 = (0.01 * 255.0) ** 2
_C2 = (0.03 * 255.0) ** 2
_MARGIN = WINDOW_PX - 1

# The blur is a product with a small banded matrix: (n, n + 10) makes n samples of n + 10. At these
# sizes the wasted zeros cost less than eleven passes over memory, the four maps of a strip stay
# in the cache, and each product is too small for the BLAS to start threads of its own.
_STRIP_ROWS = 16
_PRODUCT_COLUMNS = 160  # of the vertical product
_PRODUCT_WIDTH = 16  # samples that the horizontal product makes at a time


def ssim(sr: np.ndarray, hr: np.ndarray) -> float:
    """Mean SSIM of (H, W) or (H, W, C) in 0..255; channels are judged alone, then averaged.

    Gaussian window of 11 x 11, sigma 1.5, normalised to sum 1, at the positions where it lies
    wholly inside; population moments; C1 = (0.01 * 255)^2, C2 = (0.03 * 255)^2; float64.
    """
    check_pair(sr, hr)
    height, width = sr.shape[:2]
    if min(height, width) < WINDOW_PX:
        raise InputError(
            f"{width}x{height} pixels are too few for SSIM, whose window is "
            f"{WINDOW_PX}x{WINDOW_PX}. Use larger pictures or a smaller border."
        )
    if sr.ndim == 2:
        return _mean_of_map(sr, hr)
    channels = range(sr.shape[2])
    return math.fsum(_mean_of_map(sr[:, :, c], hr[:, :, c]) for c in channels) / len(channels)


def _mean_of_map(sr: np.ndarray, hr: np.ndarray) -> float:
    height, width = sr.shape
    tops = range(0, height - _MARGIN, _STRIP_ROWS)

    def sum_of_strip(top: int) -> float:
        seen = slice(top, min(top + _STRIP_ROWS, height - _MARGIN) + _MARGIN)
        return _sum_of_map(sr[seen], hr[seen])

    return math.fsum(map_in_threads(sum_of_strip, tops)) / ((height - _MARGIN) * (width - _MARGIN))


def _sum_of_map(sr: np.ndarray, hr: np.ndarray) -> float:
    """Sum of the SSIM map over one strip, by the blurs of s = sr + hr, d = sr - hr, s^2 and d^2.

    With E[.] the blur, E[s]^2 + E[d]^2 = 2 (mu1^2 + mu2^2) and E[s]^2 - E[d]^2 = 4 mu1 mu2; the
    variances of s and d give 2 (var1 + var2) and 4 cov likewise. So four blurs suffice, and each
    factor of SSIM comes out doubled, which cancels once the constants are doubled too.
    """
    maps = np.empty((4, *sr.shape))
    np.add(sr, hr, out=maps[0], dtype=np.float64)
    np.subtract(sr, hr, out=maps[1], dtype=np.float64)
    np.multiply(maps[:2], maps[:2], out=maps[2:])
    mean_s, mean_d, var_s, var_d = _blur_columns(_blur_rows(maps))
    mean_s *= mean_s
    mean_d *= mean_d
    var_s -= mean_s
    var_d -= mean_d
    numerator = (mean_s - mean_d + 2 * _C1) * (var_s - var_d + 2 * _C2)
    mean_s += mean_d
    mean_s += 2 * _C1
    var_s += var_d
    var_s += 2 * _C2
    mean_s *= var_s
    numerator /= mean_s
    return float(numerator.sum())


def _blur_rows(maps: np.ndarray) -> np.ndarray:
    """(4, n + 10, w) to (4, n, w)."""
    count, seen, width = maps.shape
    blurred = np.empty((count, seen - _MARGIN, width))
    weights = _band_matrix(seen - _MARGIN)
    for left in range(0, width, _PRODUCT_COLUMNS):
        columns = slice(left, left + _PRODUCT_COLUMNS)
        np.matmul(weights, maps[:, :, columns], out=blurred[:, :, columns])
    return blurred


def _blur_columns(maps: np.ndarray) -> np.ndarray:
    """(4, n, w + 10) to (4, n, w), blocks of columns at once by a view in which they overlap."""
    count, rows, seen = maps.shape
    width = seen - _MARGIN
    lines = maps.reshape(-1, seen)
    blurred = np.empty((len(lines), width))
    blocks = width // _PRODUCT_WIDTH
    whole = blocks * _PRODUCT_WIDTH
    if blocks:
        line_step, sample_step = lines.strides
        overlapping = as_strided(
            lines,
            (blocks, len(lines), _PRODUCT_WIDTH + _MARGIN),
            (_PRODUCT_WIDTH * sample_step, line_step, sample_step),
            writeable=False,
        )
        targets = blurred[:, :whole].reshape(len(lines), blocks, _PRODUCT_WIDTH)
        np.matmul(overlapping, _band_matrix(_PRODUCT_WIDTH).T, out=targets.transpose(1, 0, 2))
    if whole < width:
        np.matmul(lines[:, whole:], _band_matrix(width - whole).T, out=blurred[:, whole:])
    return blurred.reshape(count, rows, width)


@lru_cache(maxsize=2 * _STRIP_ROWS)
def _band_matrix(size: int) -> np.ndarray:
    """(size, size + 10): each row is the window, one sample further right than the row above."""
    offset = np.arange(WINDOW_PX) - WINDOW_PX // 2
    window = np.exp(-(offset**2) / (2 * SIGMA_PX**2))
    window /= window.sum()
    matrix = np.zeros((size, size + _MARGIN))
    for row in range(size):
        matrix[row, row : row + WINDOW_PX] = window
    return matrix
