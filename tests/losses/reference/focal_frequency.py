"""Focal frequency as Jiang et al. 2021 write it (eqs. 8 to 10), with cosines and sines."""

import numpy as np
from tests.losses.reference.fft import spectrum, waves


def focal_frequency(
    sr: np.ndarray, hr: np.ndarray, *, alpha: float = 1.0, log: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Mean per picture over all frequencies and channels, and its gradient at sr, w held."""
    real, imaginary = spectrum(sr - hr)
    _, c, h, w = sr.shape
    squares = real**2 + imaginary**2
    weight = squares ** (alpha / 2)
    if log:
        weight = np.log(1 + weight)
    for plane in weight.reshape(-1, h, w):
        plane /= max(plane.max(), 1e-300)
    (ch, sh), (cw, sw) = waves(h), waves(w)
    a, b = 2 * weight * real, 2 * weight * imaginary
    gradient = np.zeros_like(sr)
    for rows, at, columns, sign in (
        (ch, a, cw, 1),
        (sh, a, sw, -1),
        (sh, b, cw, -1),
        (ch, b, sw, -1),
    ):
        gradient += sign * np.einsum("ky,nckl,lx->ncyx", rows, at, columns)
    return (weight * squares).mean(axis=(1, 2, 3)), gradient / np.sqrt(h * w) / (c * h * w)


def in_patches(sr: np.ndarray, hr: np.ndarray, *, k: int) -> np.ndarray:
    """Each of the k x k patches by itself, and the mean over them."""
    h, w = sr.shape[2] // k, sr.shape[3] // k
    values = [
        focal_frequency(
            sr[:, :, i * h : (i + 1) * h, j * w : (j + 1) * w],
            hr[:, :, i * h : (i + 1) * h, j * w : (j + 1) * w],
        )[0]
        for i in range(k)
        for j in range(k)
    ]
    return np.mean(values, axis=0)
