"""Distances of distributions in plain numpy, value by value."""

import numpy as np
import torch


def shares(values: np.ndarray, bins: int) -> np.ndarray:
    """Each value put on the two centres beside it, so that their mean is the value."""
    found = np.zeros(bins)
    for value in values.ravel() * (bins - 1):
        left = min(max(int(np.floor(value)), 0), bins - 2)
        found[left] += left + 1 - value
        found[left + 1] += value - left
    return found / values.size


def per_channel(distance):
    """The mean over the channels of a distance of two lists of values."""

    def loss(sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
        return np.array(
            [
                np.mean([distance(x, y) for x, y in zip(a, b, strict=True)])
                for a, b in zip(sr, hr, strict=True)
            ]
        )

    return loss


def earth_mover(bins: int):
    return per_channel(
        lambda x, y: abs(np.cumsum(shares(x, bins) - shares(y, bins))).sum() / (bins - 1)
    )


def half_l1(bins: int):
    return per_channel(lambda x, y: abs(shares(x, bins) - shares(y, bins)).sum() / 2)


def kl(bins: int, eps: float):
    def distance(x: np.ndarray, y: np.ndarray) -> float:
        least = eps / (1 + bins * eps)
        p, q = ((shares(v, bins) + eps) / (1 + bins * eps) for v in (x, y))
        log_p = np.where(p < least, np.log(least) + p / least - 1, np.log(np.maximum(p, least)))
        return float((q * (np.log(q) - log_p)).sum())

    return per_channel(distance)


def sliced(patch: int, projections: int, levels: int, seed: int):
    """Patch by patch on numbers drawn by torch, whose generator numpy does not have."""

    def loss(sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
        c = sr.shape[1]
        generator = torch.Generator().manual_seed(seed)
        shape = (projections, c, patch, patch)
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64).numpy()
        rays = drawn.reshape(projections, -1)
        rays = rays / np.sqrt((rays**2).sum(axis=1, keepdims=True))
        total = np.zeros(len(sr))
        for _ in range(levels):
            for i, pair in enumerate(zip(sr, hr, strict=True)):
                a, b = (np.sort(patches(v, patch) @ rays.T, axis=0) for v in pair)
                total[i] += abs(a - b).mean()
            sr, hr = (halves(v) for v in (sr, hr))
        return total / levels

    return loss


def patches(picture: np.ndarray, patch: int) -> np.ndarray:
    """(places, values) of (c, h, w)."""
    _, h, w = picture.shape
    places = [(y, x) for y in range(h - patch + 1) for x in range(w - patch + 1)]
    return np.stack([picture[:, y : y + patch, x : x + patch].ravel() for y, x in places])


def halves(pictures: np.ndarray) -> np.ndarray:
    h, w = (side // 2 * 2 for side in pictures.shape[2:])
    even = pictures[:, :, :h, :w]
    return (
        even[..., ::2, ::2] + even[..., 1::2, ::2] + even[..., ::2, 1::2] + even[..., 1::2, 1::2]
    ) / 4


def moment_distance(orders: int):
    def found(x: np.ndarray) -> np.ndarray:
        skewness = ((x - x.mean()) ** 3).mean() / (x.var() + 1e-4) ** 1.5
        return np.array([x.mean(), x.std(), skewness][:orders])

    return per_channel(lambda x, y: abs(found(x) - found(y)).mean())
