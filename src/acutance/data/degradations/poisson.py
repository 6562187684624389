"""Shot noise: light comes in photons, and their number is Poisson's."""

import numpy as np

from acutance.data.degradations.contract import Aim, Option, Stage, as_levels

STAGE = Stage(
    text="Shot noise: each pixel counts photons",
    options={
        "photons": Option(
            255.0,
            "photons of a white pixel; 0: Real-ESRGAN's, the number of the picture's distinct "
            "levels, raised to the next power of 2; else 0.01 at least",
            high=1e6,
        ),
        "strength": Option(1.0, "the noise is multiplied by it", high=10.0),
        "grey": Option(
            0.0, "the chance that all channels get the noise of the grey picture", high=1.0
        ),
        "clip": Option("no", "whether to cut to 0..255 here", choices=("no", "yes")),
    },
    source="Zhang et al., BSRGAN (ICCV 2021), sec. 3.3; Wang et al., Real-ESRGAN (ICCVW 2021)",
)

FEWEST = 0.01  # photons at white: a pixel that gets one is at 25,500 then; fewer have no end
NORMAL_FROM = 8.0
"""Photons from which a count is a bent normal deviate: numpy's exact one takes five times as long.

Against Poisson's distribution: mean and variance differ by less than 2e-4 of the mean, the third
moment by 1.2 %, and 0.3 % of all counts are other ones; less with every photon more.
"""
_GREY = (0.299, 0.587, 0.114)  # luma of BT.601, full range
_SCATTER = 5 / 36  # variance that bending (1/18) and rounding (1/12) add


def poisson(
    picture: np.ndarray, aim: Aim, *, photons: float, strength: float, grey: float, clip: str
) -> np.ndarray:
    """x + strength * (255 / photons * Poisson(x * photons / 255) - x), float32, x cut to 0..255.

    The variance is strength^2 * x * 255 / photons: it grows with the signal. BSRGAN draws
    `photons=log(100, 10000)`, Real-ESRGAN `photons=0, strength=(0.05, 3)`.
    """
    photons = max(photons, FEWEST) if photons else 0.0
    levels = np.clip(as_levels(picture), 0.0, 255.0)
    shared = aim.draw.random() < grey
    light = _grey(levels) if shared and levels.shape[2] == 3 else levels
    if photons == 0:
        photons = 2.0 ** int(np.ceil(np.log2(_count_levels(light))))
    noise = _counts(light * np.float32(photons / 255), aim.draw)
    noise *= np.float32(255 / photons)
    noise -= light
    noise *= np.float32(strength)
    noisy = noise + levels
    return noisy.clip(0.0, 255.0, out=noisy) if clip == "yes" else noisy


def _grey(levels: np.ndarray) -> np.ndarray:
    red, green, blue = (levels[:, :, i] * np.float32(weight) for i, weight in enumerate(_GREY))
    return (red + green + blue)[:, :, None]


def _count_levels(light: np.ndarray) -> int:
    return int(np.count_nonzero(np.bincount(np.rint(light).astype(np.intp).ravel())))


def _counts(means: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Poisson's of these means, float32.

    The normal deviate z is bent to Poisson's skewness (Cornish and Fisher's first term): m + sz +
    (z^2 - 1) / 6, rounded to whole photons.
    """
    z = draw.standard_normal(means.shape, dtype=np.float32)
    counts = np.sqrt(np.maximum(means - np.float32(_SCATTER), 0.0))
    counts += z * np.float32(1 / 6)
    counts *= z
    counts += means
    counts -= np.float32(1 / 6)
    np.rint(counts, out=counts)
    few = means < NORMAL_FROM
    if few.any():
        counts[few] = draw.poisson(means[few])
    return np.maximum(counts, 0.0, out=counts)
