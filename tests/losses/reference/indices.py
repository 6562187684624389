"""Likeness indices as their papers write them, similarities first, in plain numpy.

Whole-picture loops over windows instead of the fast sums; roots as they stand.
"""

from typing import Literal

import numpy as np

Mode = Literal["constant", "edge", "symmetric"]
GREY = np.array([0.299, 0.587, 0.114])
YIQ = np.array([GREY, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
LHM = np.array([[0.2989, 0.587, 0.114], [0.3, 0.04, -0.35], [0.34, -0.6, 0.17]])
PREWITT = np.array([[1.0, 0.0, -1.0]] * 3) / 3
SCHARR = np.array([[3.0, 0.0, -3.0], [10.0, 0.0, -10.0], [3.0, 0.0, -3.0]]) / 16


def luma(v: np.ndarray) -> np.ndarray:
    return v[:, 0] if v.shape[1] == 1 else np.tensordot(v, GREY, axes=(1, 0))


def correlated(v: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(n, h, w) with a kernel, wherever it fits."""
    views = np.lib.stride_tricks.sliding_window_view(v, kernel.shape, axis=(-2, -1))
    return (views * kernel).sum((-2, -1))


def padded(v: np.ndarray, before: int, behind: int, mode: Mode = "constant") -> np.ndarray:
    return np.pad(v, ((0, 0), (before, behind), (before, behind)), mode=mode)


def halved(v: np.ndarray) -> np.ndarray:
    return correlated(v, np.full((2, 2), 0.25))[:, ::2, ::2]


def steepness(v: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    v = padded(v, 1, 1)
    return np.hypot(correlated(v, kernel), correlated(v, kernel.T))


def likeness(a: np.ndarray, b: np.ndarray, c: float, masking: float = 0.0) -> np.ndarray:
    return ((2 - masking) * a * b + c) / (a**2 + b**2 - masking * a * b + c)


def gmsd(sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
    """Xue et al. 2014, eqs. 1 to 6, in levels."""
    a, b = (steepness(halved(luma(255 * v)), PREWITT) for v in (sr, hr))
    return likeness(a, b, 170.0).std(axis=(1, 2))


def ms_gmsd(sr: np.ndarray, hr: np.ndarray, *, chromatic: bool = False) -> np.ndarray:
    """Zhang et al. 2017, with the colours of the smallest size as in piq."""
    channels = sr.shape[1]
    x, y = (
        np.einsum("dc,nchw->dnhw", YIQ if channels == 3 else np.eye(1), 255 * v) for v in (sr, hr)
    )
    total = 0.0
    for place, weight in enumerate((0.096, 0.596, 0.289, 0.019)):
        if place:
            x, y = (np.stack([halved(axis) for axis in v]) for v in (x, y))
        a, b = steepness(x[0], PREWITT), steepness(y[0], PREWITT)
        total = total + weight * likeness(a, b, 170.0, 0.5).std(axis=(1, 2)) ** 2
    value = np.sqrt(total)
    if not chromatic:
        return value
    colour = np.sqrt(((x[1:] - y[1:]) ** 2).mean(axis=(2, 3)).sum(axis=0))
    gamma = 2 / (1 + 0.32 * np.exp(-15 * value)) - 1
    return gamma * value + (1 - gamma) * 0.01 * colour


def mdsi(sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
    """Nafchi et al. 2016, eqs. 3 to 13 with summation, complex roots and all."""
    x, y = (np.einsum("dc,nchw->dnhw", LHM, 255 * v) for v in (sr, hr))
    a, b, f = (steepness(v, PREWITT) for v in (x[0], y[0], (x[0] + y[0]) / 2))
    edges = likeness(a, b, 140.0) + likeness(a, f, 55.0) - likeness(b, f, 55.0)
    colours = 2 * (x[1:] * y[1:]).sum(0) + 550
    colours = colours / ((x[1:] ** 2 + y[1:] ** 2).sum(0) + 550)
    root = (0.6 * edges + 0.4 * colours).astype(complex) ** 0.25
    return np.abs(root - root.mean(axis=(1, 2), keepdims=True)).mean(axis=(1, 2)) ** 0.25


def haarpsi(sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
    """1 - the index of Reisenhofer et al. 2018, eqs. 7 to 12."""
    rows = YIQ if sr.shape[1] == 3 else np.eye(1)
    x, y = (np.einsum("dc,nchw->dnhw", rows, 255 * v) for v in (sr, hr))
    x, y = (np.stack([halved(axis) for axis in v]) for v in (x, y))
    similar, weights = [], []
    for turned in (False, True):
        sizes = []
        for k in (2, 4, 8):
            haar = np.where(np.arange(k) < k // 2, 1.0, -1.0)[:, None] * np.ones((k, k)) / k
            haar = haar.T if turned else haar
            sizes.append(
                [np.abs(correlated(padded(v[0], k // 2 - 1, k // 2), haar)) for v in (x, y)]
            )
        similar.append(sum(likeness(p, q, 30.0) for p, q in sizes[:2]) / 2)
        weights.append(np.maximum(*sizes[2]))
    if len(rows) == 3:
        box = np.full((2, 2), 0.25)
        i, q = ([np.abs(correlated(padded(v[k], 0, 1), box)) for v in (x, y)] for k in (1, 2))
        similar.append(sum(likeness(p, r, 30.0) for p, r in (i, q)) / 2)
        weights.append((weights[0] + weights[1]) / 2)
    s, w = np.stack(similar, 1), np.stack(weights, 1)
    ratio = (w / (1 + np.exp(-4.2 * s))).sum((1, 2, 3)) / w.sum((1, 2, 3))
    return 1 - (np.log(ratio / (1 - ratio)) / 4.2) ** 2


def vif(sr: np.ndarray, hr: np.ndarray, *, noise: float = 2.0, grey: bool = True) -> np.ndarray:
    """1 - the pixel-domain VIF of Sheikh and Bovik's code; variances about each window's mean."""
    if not grey:
        each = [vif(sr[:, c : c + 1], hr[:, c : c + 1], noise=noise) for c in range(sr.shape[1])]
        return np.mean(each, axis=0)
    x, y = luma(255 * sr), luma(255 * hr)
    seen = there = 0.0
    for scale, side in enumerate((17, 9, 5, 3)):
        k = np.arange(side) - side // 2
        bell = np.exp(-(k[:, None] ** 2 + k**2) / (2 * (side / 5) ** 2))
        bell /= bell.sum()
        if scale:
            x, y = (correlated(v, bell)[:, ::2, ::2] for v in (x, y))
        a, b = (
            np.lib.stride_tricks.sliding_window_view(v, bell.shape, axis=(1, 2)) for v in (x, y)
        )
        a, b = (v - (v * bell).sum((-2, -1), keepdims=True) for v in (a, b))
        vx, vy, cov = ((p * q * bell).sum((-2, -1)) for p, q in ((a, a), (b, b), (a, b)))
        gain = np.maximum(cov, 0) / vy
        left = np.where(cov > 0, vx - gain * cov, vx)
        seen = seen + np.log2(1 + gain**2 * vy / (left + noise)).sum((1, 2))
        there = there + np.log2(1 + vy / noise).sum((1, 2))
    return np.asarray(1 - seen / there)


def fsim(sr: np.ndarray, hr: np.ndarray, *, chromatic: bool = True) -> np.ndarray:
    """1 - FSIM(c) of Zhang et al. 2011, eqs. 3 to 8."""
    x, y = luma(255 * sr), luma(255 * hr)
    px, py = congruency(x), congruency(y)
    s = likeness(px, py, 0.85) * likeness(steepness(x, SCHARR), steepness(y, SCHARR), 160.0)
    if chromatic:
        for row in YIQ[1:]:
            i, j = (np.tensordot(255 * v, row, axes=(1, 0)) for v in (sr, hr))
            s = s * np.abs(likeness(i, j, 200.0)) ** 0.03
    top = np.maximum(px, py)
    return 1 - (s * top).sum((1, 2)) / top.sum((1, 2))


def congruency(v: np.ndarray) -> np.ndarray:
    """Kovesi's phase congruency of (n, h, w): log-Gabor waves, noise from the median.

    The noise is that of the filters' real parts in space: sum of squares and of all products.
    """
    h, w = v.shape[1:]
    grid = [np.arange(s) - s // 2 for s in (h, w)]
    down, right = np.meshgrid(grid[0] / (h - h % 2), grid[1] / (w - w % 2), indexing="ij")
    radius, angle = np.hypot(down, right), np.arctan2(-right, down)
    radius[h // 2, w // 2] = 1
    low = 1 / (1 + (np.hypot(down, right) / 0.45) ** 30)
    energy = amplitude = 0.0
    for o in range(4):
        filters = []
        away = np.angle(np.exp(1j * (angle - o * np.pi / 4)))
        for length in (6, 12, 24, 48):
            bell = np.exp(-(np.log(radius * length) ** 2) / (2 * np.log(0.55) ** 2)) * low
            bell[h // 2, w // 2] = 0
            bell *= np.exp(-(away**2) / (2 * (np.pi / 4.8) ** 2))
            filters.append(np.fft.ifftshift(bell))
        waves = np.stack([np.fft.ifft2(np.fft.fft2(v) * f) for f in filters])
        mean = waves.sum(0) / np.abs(waves.sum(0))
        turned = waves * mean.conj()
        total = (turned.real - np.abs(turned.imag)).sum(0)
        square = np.sort((np.abs(waves[0]) ** 2).reshape(len(v), -1), axis=1)
        power = square[:, (h * w - 1) // 2] / np.log(2) / (filters[0] ** 2).sum()
        space = [np.fft.ifft2(f).real * np.sqrt(h * w) for f in filters]
        products = sum((space[i] * space[j]).sum() for i in range(4) for j in range(i))
        noise = 2 * power * sum((f**2).sum() for f in space) + 4 * power * products
        tau = np.sqrt(noise / 2)
        threshold = tau * np.sqrt(np.pi / 2) + 2 * np.sqrt((2 - np.pi / 2) * tau**2)
        energy = energy + np.maximum(total - threshold[:, None, None] / 1.7, 0)
        amplitude = amplitude + np.abs(waves).sum(0)
    return np.asarray(energy / amplitude)


def nlpd(sr: np.ndarray, hr: np.ndarray, *, levels: int = 6) -> np.ndarray:
    """Laparra et al. 2016: mean over the bands of the root mean square difference."""
    pairs = zip(normalised(luma(sr), levels), normalised(luma(hr), levels), strict=True)
    return np.mean([np.sqrt(((a - b) ** 2).mean((1, 2))) for a, b in pairs], axis=0)


# Their filters as printed; their code convolves, which turns them over.
DIVISORS = [
    (0.0248, [[0, 0.1011, 0], [0.1493, 0, 0.1460], [0, 0.1015, 0]]),
    (0.0185, [[0, 0.0757, 0], [0.1986, 0, 0.1846], [0, 0.0837, 0]]),
    (0.0179, [[0, 0.0477, 0], [0.2138, 0, 0.2243], [0, 0.0467, 0]]),
    (0.0191, [[0, 0, 0], [0.2503, 0, 0.2616], [0, 0, 0]]),
    (0.0220, [[0, 0, 0], [0.2598, 0, 0.2552], [0, 0, 0]]),
]
LAST = (0.2782, [[0, 0, 0], [0.2215, 0, 0.0717], [0, 0, 0]])


def normalised(v: np.ndarray, levels: int) -> list[np.ndarray]:
    tap = np.array([0.05, 0.25, 0.4, 0.25, 0.05])
    square = np.outer(tap, tap)
    bands, divisors = [], [*DIVISORS[: levels - 1], LAST]
    for _ in range(levels - 1):
        small = correlated(padded(v, 2, 2, "symmetric"), square)[:, ::2, ::2]
        edge = padded(small, 1, 1, "edge")
        spaced = np.zeros((len(v), 2 * edge.shape[1], 2 * edge.shape[2]))
        spaced[:, ::2, ::2] = edge
        large = correlated(padded(spaced, 2, 2), 4 * square)
        bands.append(v - large[:, 2 : 2 + v.shape[1], 2 : 2 + v.shape[2]])
        v = small
    bands.append(v)
    return [
        band / (floor + correlated(padded(np.abs(band), 1, 1), np.array(weights)[::-1, ::-1]))
        for band, (floor, weights) in zip(bands, divisors, strict=True)
    ]


def ncc(sr: np.ndarray, hr: np.ndarray, *, eps: float = 1e-6) -> np.ndarray:
    """(1 - r) / 2 with eps added to the covariance and to both variances."""
    x, y = sr.reshape(*sr.shape[:2], -1), hr.reshape(*hr.shape[:2], -1)
    cov = (x * y).mean(2) - x.mean(2) * y.mean(2) + eps
    r = cov / np.sqrt((x.var(2) + eps) * (y.var(2) + eps))
    return ((1 - r) / 2).mean(1)
