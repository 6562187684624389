"""Cosine blocks, pyramids and spectra, from their definitions."""

import numpy as np
from tests.losses.reference.fft import spectrum
from tests.losses.reference.linear import Bands

# Table K.1 of JPEG in its zigzag order, as files carry it.
JPEG_ZIGZAG = (
    "16 11 12 14 12 10 16 14 13 14 18 17 16 19 24 40 26 24 22 22 24 49 35 37 29 40 58 51 61 60 57 "
    "51 56 55 64 72 92 78 64 68 87 69 55 56 80 109 81 87 95 98 103 104 103 62 77 113 121 112 100 "
    "120 92 101 103 99"
)


def jpeg_steps() -> np.ndarray:
    """The table by frequency down and across: along diagonals, turning at each end."""
    places = sorted(np.ndindex(8, 8), key=lambda p: (sum(p), p[0] if sum(p) % 2 else p[1]))
    steps = np.zeros((8, 8))
    for place, step in zip(places, JPEG_ZIGZAG.split(), strict=True):
        steps[place] = int(step)
    return steps


def dct(error: np.ndarray, *, block: int = 8, weights: str = "flat") -> Bands:
    """One band for each pair of waves; sides are mirrored to whole blocks."""
    h, w = (-side % block for side in error.shape[2:])
    pixels = np.pad(error, ((0, 0), (0, 0), (0, h), (0, w)), mode="symmetric")
    n, c, h, w = pixels.shape
    cut = pixels.reshape(n, c, h // block, block, w // block, block)
    shares = np.ones((block, block)) if weights == "flat" else 1 / jpeg_steps()
    shares = shares / shares.sum()
    place = np.arange(block) + 0.5
    found: Bands = []
    for k, m in np.ndindex(block, block):
        down, across = np.cos(np.pi * k * place / block), np.cos(np.pi * m * place / block)
        wave = np.outer(down, across) / np.sqrt((down**2).sum() * (across**2).sum())
        found.append((shares[k, m], np.einsum("ncyixj,ij->ncyx", cut, wave)))
    return found


def laplacian_pyramid(error: np.ndarray, *, levels: int = 4, growth: int = 2) -> Bands:
    """Burt and Adelson's REDUCE and EXPAND, pixel by pixel along each axis; edges repeated."""
    found: Bands = []
    for level in range(levels):
        small = error
        for axis in (2, 3):
            small = np.apply_along_axis(_reduced, axis, small)
        large = small
        for axis in (2, 3):
            large = np.apply_along_axis(_expanded, axis, large, error.shape[axis])
        found.append((growth**level, error - large))
        error = small
    return [*found, (growth**levels, error)]


def _at(line: np.ndarray, place: int) -> float:
    return line[min(max(place, 0), len(line) - 1)]


def _reduced(line: np.ndarray) -> np.ndarray:
    weights = {-2: 1, -1: 4, 0: 6, 1: 4, 2: 1}
    half = (len(line) + 1) // 2
    return np.array(
        [sum(w * _at(line, 2 * i + m) for m, w in weights.items()) / 16 for i in range(half)]
    )


def _expanded(line: np.ndarray, length: int) -> np.ndarray:
    """2 sum over m of w(m) g((i - m) / 2), where (i - m) / 2 is whole."""
    weights = {-2: 1, -1: 4, 0: 6, 1: 4, 2: 1}
    return np.array(
        [
            2
            * sum(w * _at(line, (i - m) // 2) for m, w in weights.items() if (i - m) % 2 == 0)
            / 16
            for i in range(length)
        ]
    )


def fft_magnitude(
    sr: np.ndarray, hr: np.ndarray, *, eps: float = 1e-3, radial: bool = False
) -> np.ndarray:
    h, w = sr.shape[2:]
    x, y = (np.hypot(*spectrum(v))[..., : w // 2 + 1] for v in (sr, hr))
    gap = np.abs(np.log((eps + x) / (eps + y)))
    if radial:
        down = np.minimum(np.arange(h), h - np.arange(h)) / h
        radius = np.hypot(down[:, None], np.arange(w // 2 + 1) / w)
        gap = gap * radius / radius.mean()
    return gap.mean(axis=(1, 2, 3))


def fft_phase(sr: np.ndarray, hr: np.ndarray, *, eps: float = 1e-4) -> np.ndarray:
    half = sr.shape[3] // 2 + 1
    (a, b), (c, d) = ([part[..., :half] for part in spectrum(v)] for v in (sr, hr))
    x, y = np.sqrt(a**2 + b**2 + eps**2), np.sqrt(c**2 + d**2 + eps**2)
    cosine = (a * c + b * d + eps**2) / (x * y)
    return (y * (1 - cosine)).sum(axis=(1, 2, 3)) / y.sum(axis=(1, 2, 3))


def radial_spectrum(sr: np.ndarray, hr: np.ndarray, *, eps: float = 1e-3) -> np.ndarray:
    """Ring by ring over the whole plane; what lies between two rings is of the outer one."""
    h, w = sr.shape[2:]
    shorter = min(h, w)
    down, across = (np.minimum(k, len(k) - k) / len(k) for k in (np.arange(h), np.arange(w)))
    radius = np.hypot(down[:, None], across) * shorter
    powers = [np.square(spectrum(v)).sum(axis=0) for v in (sr, hr)]
    gaps: list[np.ndarray] = []
    for k in range(shorter // 2 + 2):
        inner, outer = k - 0.5 - 1e-9, k + 0.5 - 1e-9
        on_ring = (radius >= inner) & (radius < (np.inf if k > shorter // 2 else outer))
        x, y = (np.log(eps**2 + power[:, :, on_ring].mean(axis=2)) for power in powers)
        gaps.append(np.abs(x - y))
    return np.mean(gaps, axis=(0, 2))


def stationary_wavelet(
    error: np.ndarray,
    *,
    low: tuple[float, ...],
    levels: int = 1,
    weights: tuple[float, float, float, float] = (0.05, 0.025, 0.025, 0.02),
) -> Bands:
    """Both filters along rows and columns by numpy's convolution of padded lines."""
    high = tuple(-tap if k % 2 == 0 else tap for k, tap in enumerate(low[::-1]))
    found: Bands = []
    for level in range(levels):
        quarters = {}
        for i, across in enumerate((low, high)):
            rows = np.apply_along_axis(_filtered, 3, error, across, 2**level)
            for j, down in enumerate((low, high)):
                quarters[j, i] = np.apply_along_axis(_filtered, 2, rows, down, 2**level)
        found += [
            (weights[1], quarters[0, 1]),
            (weights[2], quarters[1, 0]),
            (weights[3], quarters[1, 1]),
        ]
        error = quarters[0, 0]
    return [*found, (weights[0], error)]


def _filtered(line: np.ndarray, taps: tuple[float, ...], step: int) -> np.ndarray:
    """sum_k f_k x(i + (K / 2 - k) step), the line mirrored with its edges repeated."""
    sparse = np.zeros((len(taps) - 1) * step + 1)
    sparse[::step] = taps
    margin = len(taps) * step
    padded = np.pad(line, margin, mode="symmetric")
    start = margin + len(taps) // 2 * step
    return np.convolve(padded, sparse)[start : start + len(line)]
