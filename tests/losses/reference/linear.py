"""Absolute values of linear maps of the error: value and gradient from the map alone."""

from collections.abc import Callable

import numpy as np

Bands = list[tuple[float, np.ndarray]]  # (weight, values per picture): weight * mean |values|


def absolute(
    bands: Callable[[np.ndarray], Bands], sr: np.ndarray, hr: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """sum_k weight_k <|A_k e|> per picture, and its gradient sum_k weight_k A_k' sign(A_k e) / n_k.

    A_k' is taken from the answers of the map to single pixels, one at a time. Rounding noise
    round 0 has sign 0.
    """
    error = sr - hr
    value = np.zeros(len(sr))
    signs = []
    for weight, values in bands(error):
        value += weight * np.abs(values).mean(axis=(1, 2, 3))
        sign = np.where(np.abs(values) < 1e-13, 0, np.sign(values))
        signs.append(weight * sign / values[0].size)
    gradient = np.zeros_like(sr)
    _, c, h, w = sr.shape
    for k, y, x in np.ndindex(c, h, w):
        pixel = np.zeros((1, c, h, w))
        pixel[0, k, y, x] = 1
        for sign, (_, answer) in zip(signs, bands(pixel), strict=True):
            gradient[:, k, y, x] += (sign * answer).sum(axis=(1, 2, 3))
    return value, gradient


def of_error(bands: Callable[[np.ndarray], Bands], sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
    """sum_k weight_k <|A_k e|> per picture, without the gradient."""
    sizes = [weight * np.abs(values).mean(axis=(1, 2, 3)) for weight, values in bands(sr - hr)]
    return np.sum(sizes, axis=0)
