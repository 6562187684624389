"""The spectral error term by term: a plain sum over frequencies, with cosines and sines."""

import numpy as np


def waves(length: int) -> tuple[np.ndarray, np.ndarray]:
    """cos and sin of 2 pi k x / length, (k, x)."""
    k, x = np.ogrid[:length, :length]
    angle = 2 * np.pi * ((k * x) % length) / length
    return np.cos(angle), np.sin(angle)


def spectrum(error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Re and Im of sum over y, x of e(y, x) exp(-i (k y + l x)) / sqrt(h w), all k and l."""
    (ch, sh), (cw, sw) = waves(error.shape[2]), waves(error.shape[3])
    scale = 1 / np.sqrt(error.shape[2] * error.shape[3])

    def both(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return np.einsum("ky,ncyx,lx->nckl", rows, error, columns) * scale

    return both(ch, cw) - both(sh, sw), -both(sh, cw) - both(ch, sw)


def fft(
    sr: np.ndarray, hr: np.ndarray, *, part: str = "realimag", plane: str = "half"
) -> tuple[np.ndarray, np.ndarray]:
    """Mean per picture over the chosen frequencies, and its gradient at sr."""
    error = sr - hr
    _, c, h, w = error.shape
    real, imaginary = spectrum(error)
    columns = w // 2 + 1 if plane == "half" else w
    real, imaginary = real[..., :columns], imaginary[..., :columns]
    size = np.hypot(real, imaginary)
    if part == "modulus":
        safe = np.where(size > 0, size, 1)
        value, d_real, d_imaginary = size, real / safe, imaginary / safe
    else:
        value = (np.abs(real) + np.abs(imaginary)) / 2
        d_real, d_imaginary = sign(real) / 2, sign(imaginary) / 2
    (ch, sh), (cw, sw) = waves(h), waves(w)
    cw, sw = cw[:columns], sw[:columns]

    def back(rows: np.ndarray, at: np.ndarray, across: np.ndarray) -> np.ndarray:
        return np.einsum("ky,nckl,lx->ncyx", rows, at, across)

    gradient = back(ch, d_real, cw) - back(sh, d_real, sw)
    gradient = gradient - back(sh, d_imaginary, cw) - back(ch, d_imaginary, sw)
    count = c * h * columns
    return value.mean(axis=(1, 2, 3)), gradient / np.sqrt(h * w) / count


def sign(x: np.ndarray) -> np.ndarray:
    """-1, 0 or 1; rounding noise round 0, as in the imaginary part of the mean, is 0."""
    return np.where(np.abs(x) < 1e-13, 0, np.sign(x))
