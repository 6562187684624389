"""The weight maps of a target, pixel by pixel: every neighbour is looked up by its place."""

import numpy as np

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4


def steepness(hr: np.ndarray) -> np.ndarray:
    """Of the channel mean; a neighbour outside the picture is the nearest one inside."""
    grey = hr.mean(axis=1)
    result = np.zeros_like(grey)
    n, h, w = grey.shape
    for picture in range(n):
        for y in range(h):
            for x in range(w):
                rows = np.clip([y - 1, y, y + 1], 0, h - 1)
                columns = np.clip([x - 1, x, x + 1], 0, w - 1)
                part = grey[picture][np.ix_(rows, columns)]
                result[picture, y, x] = np.hypot((SOBEL * part).sum(), (SOBEL.T * part).sum())
    return result[:, None]


def spread(hr: np.ndarray) -> np.ndarray:
    """Standard deviation over the 7 x 7 neighbours that exist."""
    grey = hr.mean(axis=1)
    result = np.zeros_like(grey)
    n, h, w = grey.shape
    for picture in range(n):
        for y in range(h):
            for x in range(w):
                part = grey[picture, max(0, y - 3) : y + 4, max(0, x - 3) : x + 4]
                result[picture, y, x] = part.std()
    return result[:, None]


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((values - low) / (high - low), 0, 1)


def edges(hr: np.ndarray) -> np.ndarray:
    return ramp(steepness(hr), 0.02, 0.1)


def texture(hr: np.ndarray) -> np.ndarray:
    return ramp(spread(hr), 0.01, 0.05)


def flat(hr: np.ndarray) -> np.ndarray:
    return 1 - texture(hr)


def saturated(hr: np.ndarray) -> np.ndarray:
    nearest = np.minimum(hr, 1 - hr).min(axis=1, keepdims=True)
    return 1 - ramp(nearest, 0, 8 / 255)
