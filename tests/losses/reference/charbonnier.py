"""Charbonnier as LapSRN, sec. 3.2, writes it: rho(x) = sqrt(x^2 + eps^2), and its derivative."""

import numpy as np


def charbonnier(sr: np.ndarray, hr: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean per picture, and its gradient at sr."""
    error = sr - hr
    rho = np.sqrt(error**2 + eps**2)
    return rho.mean(axis=(1, 2, 3)), error / rho / error[0].size
