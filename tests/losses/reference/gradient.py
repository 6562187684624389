"""Slopes by 3 x 3 kernels, written out, as correlations with every pixel's neighbourhood."""

from typing import Literal

import numpy as np
from tests.losses.reference.linear import Bands

KERNELS = {
    "sobel": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8,
    "scharr": np.array([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]]) / 32,
    "prewitt": np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]) / 6,
}


def correlation(
    pictures: np.ndarray, kernel: np.ndarray, mode: Literal["reflect", "constant"] = "reflect"
) -> np.ndarray:
    """Of the size of the pictures; `mode` is numpy's name for what lies beyond the border."""
    rows, columns = (side // 2 for side in kernel.shape)
    padded = np.pad(pictures, ((0, 0), (0, 0), (rows, rows), (columns, columns)), mode=mode)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape, axis=(2, 3))
    return np.einsum("ncyxij,ij->ncyx", windows, kernel)


def bands(error: np.ndarray, *, kernel: str = "sobel") -> Bands:
    """Half the mean of |dx|, half the mean of |dy|."""
    if kernel == "diff":
        return [(0.5, np.diff(error, axis=3)), (0.5, np.diff(error, axis=2))]
    across = KERNELS[kernel]
    return [(0.5, correlation(error, across)), (0.5, correlation(error, across.T))]


def slopes(pictures: np.ndarray, kernel: str = "sobel") -> tuple[np.ndarray, np.ndarray]:
    """d/dx and d/dy."""
    across = KERNELS[kernel]
    return correlation(pictures, across), correlation(pictures, across.T)
