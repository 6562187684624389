"""Losses of edges as their papers write them, with plain correlations and windows."""

import math
from typing import Literal

import numpy as np
from tests.losses.reference.gradient import correlation, slopes


def mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=(1, 2, 3))


def magnitude(pictures: np.ndarray, kernel: str, eps: float) -> np.ndarray:
    dx, dy = slopes(pictures, kernel)
    return np.sqrt(dx**2 + dy**2 + eps**2)


def gradient_magnitude(
    sr: np.ndarray, hr: np.ndarray, *, kernel: str = "sobel", eps: float = 1e-3
) -> np.ndarray:
    """Gaps of at most 1e-6 are ties."""
    gap = np.abs(magnitude(sr, kernel, eps) - magnitude(hr, kernel, eps))
    return mean(np.where(gap > 1e-6, gap, 0))


def gradient_weighted(sr: np.ndarray, hr: np.ndarray, *, gain: float = 4.0) -> np.ndarray:
    """Every channel weighed by the slopes of the mean channel."""
    dx, dy = slopes((sr - hr).mean(axis=1, keepdims=True))
    return mean(np.abs(sr - hr) * (1 + gain * np.abs(dx)) * (1 + gain * np.abs(dy)))


def laplacian(
    sr: np.ndarray, hr: np.ndarray, *, sigma: float = 1.0, eps: float = 1e-3
) -> np.ndarray:
    """One kernel: the Gaussian out to 3 sigma, correlated with the four neighbours less four."""
    radius = math.ceil(3 * sigma)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    blur = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    blur /= blur.sum()
    kernel = np.zeros((2 * radius + 3, 2 * radius + 3))
    for i, j, weight in ((0, 1, 1), (1, 0, 1), (1, 1, -4), (1, 2, 1), (2, 1, 1)):
        kernel[i : i + 2 * radius + 1, j : j + 2 * radius + 1] += weight * blur
    return mean(np.sqrt(correlation(sr - hr, kernel) ** 2 + eps**2))


def gradient_variance(
    sr: np.ndarray,
    hr: np.ndarray,
    *,
    patch: int = 8,
    mode: Literal["reflect", "constant"] = "reflect",
) -> np.ndarray:
    """`mode` "constant" puts zeros round the picture, as the paper's code does."""
    weights = np.array([0.2989, 0.5870, 0.1140]).reshape(1, 3, 1, 1)
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    value = np.zeros(len(sr))
    for kernel in (sobel, sobel.T):
        x, y = (
            correlation((v * weights).sum(axis=1, keepdims=True), kernel, mode) for v in (sr, hr)
        )
        rows, columns = (side // patch for side in sr.shape[2:])
        for i, j in np.ndindex(rows, columns):
            cut = (slice(None), 0, slice(i * patch, (i + 1) * patch))
            cut = (*cut, slice(j * patch, (j + 1) * patch))
            gap = x[cut].var(axis=(1, 2), ddof=1) - y[cut].var(axis=(1, 2), ddof=1)
            value += gap**2 / (rows * columns)
    return value


def ldl(
    sr: np.ndarray, hr: np.ndarray, *, window: int = 7, sr_ema: np.ndarray | None = None
) -> np.ndarray:
    r = np.abs(sr - hr).sum(axis=1, keepdims=True)
    half = window // 2
    padded = np.pad(r, ((0, 0), (0, 0), (half, half), (half, half)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(2, 3))
    overall = r.var(axis=(1, 2, 3), ddof=1, keepdims=True)
    weight = overall**0.2 * windows.var(axis=(4, 5), ddof=1)
    if sr_ema is not None:
        weight[r < np.abs(sr_ema - hr).sum(axis=1, keepdims=True)] = 0
    return mean(weight * np.abs(sr - hr))


def second_order(sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
    e = sr - hr
    xx = e[..., :-2] - 2 * e[..., 1:-1] + e[..., 2:]
    yy = e[..., :-2, :] - 2 * e[..., 1:-1, :] + e[..., 2:, :]
    xy = e[..., 1:, 1:] - e[..., 1:, :-1] - e[..., :-1, 1:] + e[..., :-1, :-1]
    return (mean(np.abs(xx)) + mean(np.abs(yy)) + mean(np.abs(xy))) / 3


def structure_tensor(sr: np.ndarray, hr: np.ndarray, *, sigma: float = 1.5) -> np.ndarray:
    radius = math.ceil(3 * sigma)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    window = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    window /= window.sum()
    value = np.zeros(len(sr))
    (ax, ay), (bx, by) = slopes(sr), slopes(hr)
    for a, b in ((ax * ax, bx * bx), (ax * ay, bx * by), (ay * ay, by * by)):
        value += mean(np.abs(correlation(a, window) - correlation(b, window))) / 3
    return value
