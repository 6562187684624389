"""Likelihoods written out: densities and level probabilities, value by value, then their log."""

import math

import numpy as np

FLOOR = 2.0**-10


def spread(log_scale: np.ndarray, floor: float = FLOOR) -> np.ndarray:
    return np.hypot(np.exp(log_scale), floor)


def mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=(1, 2, 3))


def gaussian(sr: np.ndarray, hr: np.ndarray, log_scale: np.ndarray) -> np.ndarray:
    s = spread(log_scale)
    return mean(-np.log(np.exp(-((sr - hr) ** 2) / (2 * s**2)) / np.sqrt(2 * np.pi * s**2)))


def beta(sr: np.ndarray, hr: np.ndarray, log_scale: np.ndarray, power: float) -> np.ndarray:
    variance = spread(log_scale) ** 2
    return mean(variance**power * ((sr - hr) ** 2 / (2 * variance) + np.log(variance) / 2))


def laplace(sr: np.ndarray, hr: np.ndarray, log_scale: np.ndarray) -> np.ndarray:
    b = spread(log_scale)
    return mean(-np.log(np.exp(-abs(sr - hr) / b) / (2 * b)))


def student_t(sr: np.ndarray, hr: np.ndarray, log_scale: np.ndarray, nu: float) -> np.ndarray:
    s = spread(log_scale)
    peak = math.gamma((nu + 1) / 2) / (math.gamma(nu / 2) * math.sqrt(nu * math.pi))
    return mean(-np.log(peak / s * (1 + ((sr - hr) / s) ** 2 / nu) ** (-(nu + 1) / 2)))


def generalised(
    sr: np.ndarray, hr: np.ndarray, log_scale: np.ndarray, power: float, eps: float = 0.0
) -> np.ndarray:
    a = spread(log_scale)
    size = np.hypot((sr - hr) / a, eps)
    return mean(-np.log(power / (2 * a * math.gamma(1 / power)) * np.exp(-(size**power))))


def uncertainty_weighted(
    sr: np.ndarray, hr: np.ndarray, log_scale: np.ndarray, lift: float = 1.0, whole: bool = True
) -> np.ndarray:
    log_b = np.log(spread(log_scale))
    weight = log_b - log_b.min(axis=(2, 3))[:, :, None, None] + lift
    return mean(weight * abs(sr - hr)) / (mean(weight) if whole else 1)


def cross_entropy(
    hr: np.ndarray, logits: np.ndarray, width: float = 0.0, *, subtract: bool = True
) -> np.ndarray:
    """Sum over the levels of -q log p, level by level."""
    count = logits.shape[1]
    log_p = logits - logits.max(axis=1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    place = np.arange(count)[:, None, None, None]
    if width == 0:
        q = (place == np.rint(hr * (count - 1))[:, None]).astype(float)
    else:
        q = np.exp(-((place - hr[:, None] * (count - 1)) ** 2) / (2 * width**2))
        q = q / q.sum(axis=1, keepdims=True)
    cost = -(q * log_p).sum(axis=1)
    if subtract:
        cost = cost + np.where(q > 0, q * np.log(np.where(q > 0, q, 1)), 0).sum(axis=1)
    return mean(cost)


def logistic(t: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-t))


def mixture_probability(
    levels: np.ndarray, mixture: np.ndarray, *, coupled: bool = True, floor: float = 2.0**-11
) -> np.ndarray:
    """p of pixels (c,), given the parameters (k, p) of their bells: sec. 2.1 of PixelCNN++."""
    c = len(levels)
    y = levels / 255
    total = 0.0
    shares = np.exp(mixture[:, 0]) / np.exp(mixture[:, 0]).sum()
    for bell, share in zip(mixture, shares, strict=True):
        means, scales = bell[1 : 1 + c].copy(), np.exp(bell[1 + c : 1 + 2 * c]) + floor
        slopes = np.tanh(bell[1 + 2 * c :])
        if coupled and c > 1:
            means[1] += slopes[0] * (y[0] - 0.5)
        if coupled and c > 2:
            means[2] += slopes[1] * (y[0] - 0.5) + slopes[2] * (y[1] - 0.5)
        upper = np.where(levels == 255, 1, logistic((y + 1 / 510 - means) / scales))
        lower = np.where(levels == 0, 0, logistic((y - 1 / 510 - means) / scales))
        total = total + share * np.prod(upper - lower)
    return np.asarray(total)


def mixture_cost(hr: np.ndarray, mixture: np.ndarray, *, coupled: bool = True) -> np.ndarray:
    """Mean over pixels and channels of -log p, pixel by pixel."""
    n, c, h, w = hr.shape
    levels = np.clip(np.rint(hr * 255), 0, 255)
    costs = np.zeros(n)
    for i in range(n):
        for y in range(h):
            for x in range(w):
                p = mixture_probability(levels[i, :, y, x], mixture[i, :, :, y, x], coupled=coupled)
                costs[i] -= np.log(p)
    return costs / (c * h * w)
