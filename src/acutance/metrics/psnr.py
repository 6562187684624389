"""Peak signal-to-noise ratio: the mean squared error on a logarithmic scale."""

import math

import numpy as np

from acutance.errors import InputError
from acutance.imaging.colour import LUMA_WEIGHTS
from acutance.imaging.parallel import map_in_threads
from acutance.metrics.card import Card, check_pair

CARD = Card(
    direction="higher",
    unit="dB",
    range=(0.0, math.inf),
    judges="fidelity",
    source="Huynh-Thu, Ghanbari: Scope of validity of PSNR (Electronics Letters 44, 2008), eq. 1",
    identical=math.inf,
)

_PEAK = 255.0
_UINT8 = np.dtype(np.uint8)
_BLOCK_SAMPLES = 2**16  # float64: 512 KiB, stays in the cache

# The sums of _gram: groups of 4 pixels make the product's matrices 12 x 12, large enough to be
# quick; 256 groups keep every partial sum, at most 256 * 255^2 < 2^24, exact in float32.
_GROUP_PIXELS = 4
_GROUPS = 256
_UNITS = 32
_CHUNK_PIXELS = _GROUP_PIXELS * _GROUPS * _UNITS


def psnr(sr: np.ndarray, hr: np.ndarray) -> float:
    """10 log10(255^2 / mean((sr - hr)^2)) in dB, over all samples of all channels jointly.

    Pictures are (H, W) or (H, W, C) in 0..255, of any type; sums are float64. Equal pictures
    have no error and give infinity.
    """
    check_pair(sr, hr)
    rows = max(_BLOCK_SAMPLES // (sr.size // len(sr)), 1)
    sums = []
    for top in range(0, len(sr), rows):
        part = slice(top, top + rows)
        error = np.subtract(sr[part], hr[part], dtype=np.float64).ravel()
        # einsum, not a dot product: a BLAS starts threads for it, which costs more than the sum
        sums.append(float(np.einsum("i,i->", error, error)))
    return _decibels(math.fsum(sums) / sr.size)


def psnr_luma_uint8(sr_rgb: np.ndarray, hr_rgb: np.ndarray) -> float:
    """PSNR of the luma, not rounded, of two uint8 pictures (H, W, 3): psnr(luma(sr), luma(hr)).

    The luma of an error d = (R, G, B) is w.d / 255, so its mean square is w'Gw / (255^2 n) with
    the 3 x 3 matrix G of the sums of products of d. These are integers and summed exactly, which
    needs no luma plane at all.
    """
    check_pair(sr_rgb, hr_rgb)
    if sr_rgb.ndim != 3 or sr_rgb.shape[2] != 3 or {sr_rgb.dtype, hr_rgb.dtype} != {_UINT8}:
        raise InputError(
            f"Luma is compared for uint8 pictures (H, W, 3), not {sr_rgb.dtype} {sr_rgb.shape} "
            f"and {hr_rgb.dtype} {hr_rgb.shape}."
        )
    weights = np.array(LUMA_WEIGHTS)
    squares = float(weights @ _gram(sr_rgb, hr_rgb) @ weights)
    height, width = sr_rgb.shape[:2]
    return _decibels(squares / _PEAK**2 / (height * width))


def _decibels(mean_square: float) -> float:
    return 10.0 * math.log10(_PEAK**2 / mean_square) if mean_square > 0 else math.inf


def _gram(sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
    """G[a, b] = sum over pixels of d[a] d[b], d = sr - hr, exact."""
    height, width = sr.shape[:2]
    rows = max(_CHUNK_PIXELS // width, 1)

    def part_of(top: int) -> np.ndarray:
        part = slice(top, top + rows)
        count = len(sr[part]) * width
        units = -(-count // (_GROUP_PIXELS * _GROUPS))
        error = np.empty(units * _GROUP_PIXELS * _GROUPS * 3, dtype=np.float32)
        error[count * 3 :] = 0
        used = error[: count * 3].reshape(-1, width, 3)
        np.subtract(sr[part], hr[part], out=used, dtype=np.float32)
        groups = error.reshape(units, _GROUPS, 3 * _GROUP_PIXELS)
        products = np.matmul(groups.transpose(0, 2, 1), groups).sum(axis=0, dtype=np.float64)
        return products.reshape(_GROUP_PIXELS, 3, _GROUP_PIXELS, 3).trace(axis1=0, axis2=2)

    return np.sum(map_in_threads(part_of, range(0, height, rows)), axis=0)
