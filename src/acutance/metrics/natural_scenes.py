"""How the luma of photographs is distributed, patch by patch: the features that NIQE compares."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from acutance.imaging.resample import resize

PATCH_PX = 96
FEATURES = 36  # 18 at each of two scales

_WINDOW_PX = 7
_SIGMA_PX = 7 / 6
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # right, below, the two diagonals
_EMPTY = 1e-9  # mean square of coefficients; one grey level at one pixel gives 3e-5
_TINY = 1e-300  # for a division by no power at all


@dataclass(frozen=True, eq=False)
class Patches:
    """What is known of a picture's patches: features (n, 36), and how sharp each is (n,)."""

    features: np.ndarray
    sharpness: np.ndarray  # mean of the local deviation, in grey levels


@dataclass(frozen=True, eq=False)
class _Fit:
    """Asymmetric generalised Gaussians, one a block: each (n,)."""

    shape: np.ndarray
    mean: np.ndarray
    left: np.ndarray
    right: np.ndarray


def patch_features(plane: np.ndarray) -> Patches:
    """Of each whole patch of 96 x 96 of luma (H, W) in 0..255 that is not flat, in order of rows.

    The second scale is MATLAB's bicubic reduction by two. Rows and columns beyond the last whole
    patch, at the right and below, are not seen.
    """
    height, width = (side // PATCH_PX * PATCH_PX for side in plane.shape)
    if min(height, width) == 0:
        return Patches(np.empty((0, FEATURES)), np.empty(0))
    whole = plane[:height, :width]
    coefficients, deviation = normalised(whole)
    blocks = _blocks(coefficients, PATCH_PX)
    halves = _blocks(normalised(resize(whole, scale=0.5))[0], PATCH_PX // 2)
    filled = np.square(blocks).mean(axis=(1, 2)) > _EMPTY
    features = np.concatenate([_described(blocks[filled]), _described(halves[filled])], axis=1)
    return Patches(features, _blocks(deviation, PATCH_PX).mean(axis=(1, 2))[filled])


def normalised(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(x - m) / (s + 1) and s: m and s are mean and deviation under a Gaussian of 7 x 7.

    Its sigma is 7/6 pixels. Beyond the border the outermost sample is repeated.
    """
    mean = _blurred(plane)
    deviation = np.sqrt(np.abs(_blurred(plane * plane) - mean * mean))
    return (plane - mean) / (deviation + 1), deviation


def _blurred(plane: np.ndarray) -> np.ndarray:
    half = _WINDOW_PX // 2
    offset = np.arange(-half, half + 1)
    window = np.exp(-(offset**2) / (2 * _SIGMA_PX**2))
    window /= window.sum()
    height, width = plane.shape
    padded = np.pad(plane, half, mode="edge")
    tall, blurred = np.zeros((height, padded.shape[1])), np.zeros((height, width))
    for k, weight in enumerate(window):
        tall += weight * padded[k : k + height]
    for k, weight in enumerate(window):
        blurred += weight * tall[:, k : k + width]
    return blurred


def _blocks(plane: np.ndarray, side: int) -> np.ndarray:
    """(n, side, side), in order of rows."""
    height, width = plane.shape
    cut = plane.reshape(height // side, side, width // side, side)
    return cut.swapaxes(1, 2).reshape(-1, side, side)


def _described(blocks: np.ndarray) -> np.ndarray:
    """18 features of each block (n, side, side) of coefficients.

    Two of the coefficients: shape and mean width. Four of their products with the neighbour in
    each of four directions: shape, mean, width to the left and to the right. The neighbour of an
    edge is at the opposite edge of the patch, as in the authors' program.
    """
    fit = _fit(blocks)
    features = [fit.shape, (fit.left + fit.right) / 2]
    for shift in _SHIFTS:
        fit = _fit(blocks * np.roll(blocks, shift, axis=(1, 2)))
        features += [fit.shape, fit.mean, fit.left, fit.right]
    return np.stack(features, axis=1)


def _fit(blocks: np.ndarray) -> _Fit:
    """Shape a, widths and mean by moments, after Lasmar, Stitou, Berthoumieu (ICIP 2009).

    With l and r the root mean squares of either side, G(a) = gamma(2/a)^2 / (gamma(1/a)
    gamma(3/a)) is to be (E|x|)^2 / E x^2 times (l^3 + r^3)(l + r) / (l^2 + r^2)^2: the nearest on
    a grid. A width is l or r times sqrt(gamma(1/a) / gamma(3/a)), and the mean the difference of
    the widths times gamma(2/a) / gamma(1/a). A side without samples has width 0.
    """
    squares = np.square(blocks)
    left, right = (_root_mean(squares, side) for side in (blocks < 0, blocks > 0))
    ratio = np.square(np.abs(blocks).mean(axis=(1, 2)))
    ratio /= np.maximum(squares.mean(axis=(1, 2)), _TINY)
    ratio *= (left**3 + right**3) * (left + right)
    ratio /= np.maximum(np.square(np.square(left) + np.square(right)), _TINY)
    grid = _grid()
    above = np.clip(np.searchsorted(grid.ratio, ratio), 1, len(grid.ratio) - 1)
    nearer_below = ratio - grid.ratio[above - 1] <= grid.ratio[above] - ratio
    place = above - nearer_below
    left, right = left * grid.width[place], right * grid.width[place]
    return _Fit(grid.shape[place], (right - left) * grid.mean[place], left, right)


def _root_mean(squares: np.ndarray, where: np.ndarray) -> np.ndarray:
    count = np.maximum(where.sum(axis=(1, 2)), 1)
    return np.sqrt(np.where(where, squares, 0.0).sum(axis=(1, 2)) / count)


@dataclass(frozen=True, eq=False)
class _Grid:
    """By shape, from 0.2 to 10 in steps of 0.001: what `_fit` needs of the gamma function."""

    shape: np.ndarray
    ratio: np.ndarray  # grows with the shape
    width: np.ndarray
    mean: np.ndarray


@cache
def _grid() -> _Grid:
    shape = np.arange(200, 10_001) / 1000
    one, two, three = (np.array([math.gamma(k / a) for a in shape]) for k in (1, 2, 3))
    return _Grid(shape, two * two / (one * three), np.sqrt(one / three), two / one)
