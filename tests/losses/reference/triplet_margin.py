"""FaceNet's eq. 3 on pixels, with Keys' cubic convolution (1981), a = -1/2, for the negative."""

import numpy as np


def keys(t: float) -> float:
    t = abs(t)
    if t <= 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def enlarged(line: np.ndarray, factor: int) -> np.ndarray:
    """Along the last axis; sample k sits at k + 1/2, and the border is mirrored."""
    n = line.shape[-1]
    result = np.zeros((*line.shape[:-1], n * factor))
    for place in range(n * factor):
        centre = (place + 0.5) / factor - 0.5
        for k in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            inside = -1 - k if k < 0 else 2 * n - 1 - k if k >= n else k
            result[..., place] += keys(centre - k) * line[..., inside]
    return result


def triplet_margin(
    sr: np.ndarray, hr: np.ndarray, lr: np.ndarray, margin: float, threshold: float
) -> np.ndarray:
    """Per picture."""
    negative = enlarged(enlarged(lr, 2).swapaxes(2, 3), 2).swapaxes(2, 3)
    result = []
    for x, y, n in zip(sr, hr, negative, strict=True):
        counts = np.abs(n - y) > threshold
        near, far = np.abs(x - y)[counts].mean(), np.abs(x - n)[counts].mean()
        result.append(max(0.0, near - far + margin))
    return np.array(result)
