"""Point spread functions as arrays: what one bright pixel becomes.

Each is float64, of odd size, sums to 1, has its centre of mass in the middle, and is the same
turned by half a circle. x goes right and y down; angles are degrees, counter-clockwise as seen.
"""

import math

import numpy as np


def gaussian_line(size: int, sigma: float) -> np.ndarray:
    """exp(-x^2 / (2 sigma^2)) at `size` whole places round 0: the one factor of a round blur."""
    x = np.arange(size) - size // 2
    return _summing_to_one(np.exp(-0.5 * (x / _wide_enough(sigma)) ** 2))


def gaussian(
    size: int, *, sigma: float, across: float, angle: float, beta: float = 1.0
) -> np.ndarray:
    """exp(-d^(2 beta) / 2), d the distance in units of sigma along `angle`, of `across` across it.

    d^2 = x' S^-1 x with the covariance S. beta 1 is the Gaussian, above it is flatter at the top
    and steeper at the side. Taken at the middles of the pixels, as the papers do, so that a sigma
    well below half a pixel leaves the centre alone.
    """
    return _summing_to_one(np.exp(-0.5 * _distance(size, sigma, across, angle) ** beta))


def plateau(size: int, *, sigma: float, across: float, angle: float, beta: float) -> np.ndarray:
    """1 / (1 + d^(2 beta)), with the d of `gaussian`: a flat top, and tails that fall slowly."""
    return _summing_to_one(1.0 / (1.0 + _distance(size, sigma, across, angle) ** beta))


def sinc(size: int, *, cutoff: float) -> np.ndarray:
    """J1(cutoff r) / r: keeps the waves below `cutoff` radians per pixel, in every direction.

    The transform of a disc, cut off to the square of the kernel; hence the rings round edges.
    """
    places = np.arange(size) - size // 2
    squares, where = np.unique(places**2 + places[:, None] ** 2, return_inverse=True)
    z = cutoff * np.sqrt(squares)
    ratio = np.divide(bessel_j1(z), z, out=np.full(len(z), 0.5), where=z > 0)
    return _summing_to_one(ratio[where].reshape(size, size))


def motion(*, length: float, angle: float) -> np.ndarray:
    """A straight stroke `length` pixels long and one wide; `length` 1 is no motion.

    A pixel weighs 1 - d, where d below 1 is its distance from the segment of length - 1 between
    the middles of the first pixel and the last: along an axis, whole lengths give equal weights.
    """
    half = (length - 1.0) / 2.0
    x, y = _grid(2 * math.ceil(half) + 1)
    along, beside = _turned(x, y, angle)
    beyond = np.maximum(np.abs(along) - half, 0.0)
    return _summing_to_one(np.maximum(1.0 - np.hypot(beyond, beside), 0.0))


def disc(*, radius: float) -> np.ndarray:
    """How much of each pixel a disc of `radius` pixels covers, exactly; up to 0.5, one pixel."""
    radius = max(radius, 0.5)
    reach = math.ceil(radius - 0.5)
    edges = np.arange(-reach, reach + 2) - 0.5
    area = np.sign(edges) * np.sign(edges)[:, None]
    area = area * _area_of_quarter(np.abs(edges), np.abs(edges)[:, None], radius)
    covered = np.diff(np.diff(area, axis=0), axis=1)
    return _summing_to_one(np.maximum(covered, 0.0))  # rounding alone makes one negative


def bessel_j1(x: np.ndarray) -> np.ndarray:
    """J1 of numbers of 0 or more, to some 1e-15: the mean of cos(t - x sin t) over half a circle.

    Of a smooth periodic function the mean over n even places is exact once n is above its waves,
    of which there are x and a few: the error is Bessel functions of an order beyond the argument.
    """
    count = math.ceil(0.6 * float(np.max(x, initial=0.0))) + 24
    t = (np.arange(count) + 0.5) * (np.pi / count)
    return np.cos(t - np.multiply.outer(x, np.sin(t))).mean(axis=-1)


def _summing_to_one(kernel: np.ndarray) -> np.ndarray:
    return kernel / kernel.sum()


def _wide_enough(sigma: float) -> float:
    return max(sigma, 1e-6)  # 0 is a point, and not divided by


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    places = np.arange(size) - float(size // 2)
    return places[None, :], places[:, None]


def _turned(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Along and across a direction. Rows go down, so that y counts against the angle."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return x * cos - y * sin, x * sin + y * cos


def _distance(size: int, sigma: float, across: float, angle: float) -> np.ndarray:
    """x' S^-1 x at every pixel."""
    along, beside = _turned(*_grid(size), angle)
    return (along / _wide_enough(sigma)) ** 2 + (beside / _wide_enough(across)) ** 2


def _area_of_quarter(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """Of the disc, the part in the rectangle from its centre to (a, b), both 0 or more."""
    a, b = np.minimum(a, radius), np.minimum(b, radius)
    whole = np.minimum(np.sqrt(radius**2 - b**2), a)  # to there the rectangle's side is below it
    return b * whole + _under_circle(a, radius) - _under_circle(whole, radius)


def _under_circle(x: np.ndarray, radius: float) -> np.ndarray:
    """The integral of sqrt(radius^2 - x^2) from 0 to x."""
    return 0.5 * (x * np.sqrt(radius**2 - x**2) + radius**2 * np.arcsin(x / radius))
