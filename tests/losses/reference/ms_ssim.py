"""MS-SSIM level by level from the plain local moments, without a gradient."""

import numpy as np
from tests.losses.reference.ssim import window_weights

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def local_parts(
    sr: np.ndarray, hr: np.ndarray, w: np.ndarray, c1: float = 0.01**2, c2: float = 0.03**2
) -> tuple[np.ndarray, np.ndarray]:
    """Brightness and contrast-structure of every window, (n, c, h', w') each."""
    x = np.lib.stride_tricks.sliding_window_view(sr, w.shape, axis=(2, 3))
    y = np.lib.stride_tricks.sliding_window_view(hr, w.shape, axis=(2, 3))
    mu_x, mu_y = (w * x).sum((-2, -1)), (w * y).sum((-2, -1))
    var_x = (w * x**2).sum((-2, -1)) - mu_x**2
    var_y = (w * y**2).sum((-2, -1)) - mu_y**2
    cov = (w * x * y).sum((-2, -1)) - mu_x * mu_y
    brightness = (2 * mu_x * mu_y + c1) / (mu_x**2 + mu_y**2 + c1)
    return brightness, (2 * cov + c2) / (var_x + var_y + c2)


def halved(x: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    x = x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


def ms_ssim(
    sr: np.ndarray,
    hr: np.ndarray,
    *,
    levels: int = 5,
    window: int = 11,
    sigma: float = 1.5,
    floor: float = 1e-4,
) -> np.ndarray:
    """1 - MS-SSIM per picture: the product over the levels for each channel, then the mean."""
    w = window_weights(window, sigma)
    exponents = np.array(EXPONENTS[:levels]) * (sum(EXPONENTS) / sum(EXPONENTS[:levels]))
    product = np.ones(sr.shape[:2])
    for level, exponent in enumerate(exponents):
        brightness, structure = local_parts(sr, hr, w)
        parts = brightness * structure if level == levels - 1 else structure
        product = product * np.maximum(parts.mean(axis=(2, 3)), floor) ** exponent
        sr, hr = halved(sr), halved(hr)
    return 1 - product.mean(axis=1)


def ms_ssim_l1(sr: np.ndarray, hr: np.ndarray, *, alpha: float = 0.84) -> np.ndarray:
    """Zhao's mix at full size: five Gaussians in windows of 33 pixels, the widest for l and l1."""
    product = 1.0
    for sigma in (0.5, 1.0, 2.0, 4.0, 8.0):
        w = window_weights(33, sigma)
        brightness, structure = local_parts(sr, hr, w)
        product = product * structure
    product = product * brightness
    errors = np.lib.stride_tricks.sliding_window_view(np.abs(sr - hr), w.shape, axis=(2, 3))
    error = (w * errors).sum((-2, -1))
    return (alpha * (1 - product) + (1 - alpha) * error).mean(axis=(1, 2, 3))


def by_differences(function, sr: np.ndarray, hr: np.ndarray, places, step: float = 1e-6):
    """Central differences of the sum of values at some places of sr."""
    found = []
    for place in places:
        up, down = sr.copy(), sr.copy()
        up[place] += step
        down[place] -= step
        found.append((function(up, hr).sum() - function(down, hr).sum()) / (2 * step))
    return np.array(found)
