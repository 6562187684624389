"""Colour and bicubic resampling by two as their sources write them, in plain numpy."""

import numpy as np

# Keys 1981 with a = -1/2 at the eight places 1/4, 3/4 ... of a kernel stretched by two, and at
# the four places 1/4 + k of one that is not; by hand from the two cubics.
TAPS_DOWN = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
TAPS_UP = np.array([-3, 29, 111, -9]) / 128  # from two places behind to one ahead


def halved(planes: np.ndarray) -> np.ndarray:
    """(..., h, w) to (..., h/2, w/2); beyond the border the picture is mirrored."""
    for axis in (-2, -1):
        moved = np.moveaxis(planes, axis, -1)
        wide = np.pad(moved, [(0, 0)] * (moved.ndim - 1) + [(3, 3)], mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(wide, 8, axis=-1)[..., ::2, :]
        planes = np.moveaxis(windows @ TAPS_DOWN, -1, axis)
    return planes


def doubled(planes: np.ndarray) -> np.ndarray:
    """(..., h, w) to (..., 2h, 2w)."""
    for axis in (-2, -1):
        moved = np.moveaxis(planes, axis, -1)
        wide = np.pad(moved, [(0, 0)] * (moved.ndim - 1) + [(2, 2)], mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(wide, 4, axis=-1)
        even, odd = windows[..., :-1, :] @ TAPS_UP, windows[..., 1:, :] @ TAPS_UP[::-1]
        planes = np.moveaxis(np.stack([even, odd], -1).reshape(*moved.shape[:-1], -1), -1, axis)
    return planes


def block_means(planes: np.ndarray, size: int) -> np.ndarray:
    """Square by square; the last ones as wide as what is left."""
    *lead, h, w = planes.shape
    rows, columns = range(0, h, size), range(0, w, size)
    means = [
        planes[..., y : y + size, x : x + size].mean(axis=(-2, -1)) for y in rows for x in columns
    ]
    return np.stack(means, -1).reshape(*lead, len(rows), len(columns))


def light(srgb: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, its line going on below black and its power above white."""
    power = ((np.maximum(srgb, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(srgb > 0.04045, power, srgb / 12.92)


def oklab(srgb: np.ndarray) -> np.ndarray:
    """Ottosson's linear_srgb_to_oklab; the cube root mirrored, and a line up to 1e-4."""
    r, g, b = np.moveaxis(light(srgb), 1, 0)
    cones = (
        0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b,
        0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b,
        0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b,
    )
    l, m, s = (np.where(abs(v) > 1e-4, np.cbrt(v), v / 1e-4 * np.cbrt(1e-4)) for v in cones)  # noqa: E741 his names
    return np.stack(
        [
            0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
        ],
        axis=1,
    )


def lab(srgb: np.ndarray) -> np.ndarray:
    """CIE 15:2004, 8.2.1, D65: f(t) = t^(1/3), or 841/108 t + 4/29 for t up to (6/29)^3."""
    matrix = np.array(
        [
            [0.412453, 0.357580, 0.180423],
            [0.212671, 0.715160, 0.072169],
            [0.019334, 0.119193, 0.950227],
        ]
    )
    xyz = np.einsum("ij,njhw->inhw", matrix, light(srgb))
    ratios = xyz / np.array([0.95047, 1, 1.08883])[:, None, None, None]
    x, y, z = np.where(ratios > (6 / 29) ** 3, np.cbrt(ratios), 841 / 108 * ratios + 4 / 29)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
