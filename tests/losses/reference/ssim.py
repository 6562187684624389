"""SSIM as Wang et al. 2004 write it, window by window (eqs. 13 to 16)."""

import numpy as np


def window_weights(window: int, sigma: float) -> np.ndarray:
    """The circular-symmetric Gaussian w with unit sum."""
    k = np.arange(window) - window // 2
    w = np.exp(-(k[:, None] ** 2 + k[None, :] ** 2) / (2 * sigma**2))
    return w / w.sum()


def ssim(
    sr: np.ndarray, hr: np.ndarray, *, window: int = 11, sigma: float = 1.5
) -> tuple[np.ndarray, np.ndarray]:
    """1 - mean SSIM per picture over the valid windows and channels, and its gradient at sr.

    The gradient follows each pixel through every window that holds it: with S = l cs,
    dS/dx_i = w_i [ (dl/dmu_x) cs + l (dcs/dvar_x 2 (x_i - mu_x) + dcs/dcov (y_i - mu_y)) ].
    """
    w = window_weights(window, sigma)
    c1, c2 = 0.01**2, 0.03**2
    x = np.lib.stride_tricks.sliding_window_view(sr, (window, window), axis=(2, 3))
    y = np.lib.stride_tricks.sliding_window_view(hr, (window, window), axis=(2, 3))
    mu_x, mu_y = (w * x).sum((-2, -1)), (w * y).sum((-2, -1))
    dx, dy = x - mu_x[..., None, None], y - mu_y[..., None, None]
    var_x, var_y = (w * dx**2).sum((-2, -1)), (w * dy**2).sum((-2, -1))
    cov = (w * dx * dy).sum((-2, -1))
    brightness = (2 * mu_x * mu_y + c1) / (mu_x**2 + mu_y**2 + c1)
    structure = (2 * cov + c2) / (var_x + var_y + c2)
    by_mean = (2 * mu_y - 2 * mu_x * brightness) / (mu_x**2 + mu_y**2 + c1) * structure
    by_var = -brightness * structure / (var_x + var_y + c2)
    by_cov = brightness * 2 / (var_x + var_y + c2)
    pull = w * (
        by_mean[..., None, None] + 2 * by_var[..., None, None] * dx + by_cov[..., None, None] * dy
    )
    gradient = np.zeros_like(sr)
    height, width = mu_x.shape[2:]
    for i in range(window):
        for j in range(window):
            gradient[:, :, i : i + height, j : j + width] += pull[..., i, j]
    count = mu_x[0].size
    return 1 - (brightness * structure).mean(axis=(1, 2, 3)), -gradient / count
