"""Whether a network is as sure as it should be: its error bars beside its errors."""

import numpy as np

WITHIN = 1.96  # sigmas: 95 % of a Gaussian
CALIBRATION_METRICS = ("coverage", "squared_z")


def calibration(
    mean: np.ndarray, sigma: np.ndarray, hr: np.ndarray, *, border: int = 0
) -> dict[str, float]:
    """`coverage`, the share of values within mean +- 1.96 sigma, and `squared_z`, of e^2 / sigma^2.

    The mean of e^2 / sigma^2 is 1 where sigma is right: above, the network is too sure of itself.
    Coverage is then 0.95 for Gaussian errors. All are (H, W, c) in one unit; `border` pixels a
    side are left out.
    """
    inner = (slice(border, -border or None),) * 2
    z = (hr[inner].astype(np.float64) - mean[inner]) / sigma[inner]
    return {
        "coverage": float((np.abs(z) <= WITHIN).mean()),
        "squared_z": float(np.square(z).mean()),
    }
