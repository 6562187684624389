"""Noise as a camera makes it: in linear light, before the colours are interpolated."""

from functools import cache

import numpy as np

from acutance.data.degradations.contract import Aim, Option, Stage, as_levels

STAGE = Stage(
    text="Camera noise: to linear light, Bayer mosaic, shot and read noise, and back",
    options={
        "shot": Option(
            0.003, "variance of the noise at white, in linear light of 0 to 1", high=1.0
        ),
        "read": Option(1.0, "times the variance of read noise that goes with `shot`", high=100.0),
        "red": Option(2.1, "white balance: what red is multiplied by", low=1.0, high=8.0),
        "blue": Option(1.7, "white balance: what blue is multiplied by", low=1.0, high=8.0),
    },
    source="Brooks et al., Unprocessing Images (CVPR 2019), sec. 3; Zhang et al., BSRGAN "
    "(ICCV 2021), sec. 3.3",
)

_STEPS = 16  # of the table to linear light, in a level: a picture of float32 is rounded to these
_CODES = 65_535  # of the table back; near black one is 0.05 of a level


def sensor(
    picture: np.ndarray, aim: Aim, *, shot: float, read: float, red: float, blue: float
) -> np.ndarray:
    """(h, w, c) float32 in 0..255, as a simple camera would have taken the picture.

    A raw value x in 0..1 gets normal noise of variance shot * x + read * 3.32 * shot^2.18: the
    line that Brooks et al. fitted to real cameras, whose shot is log(1e-4, 0.012), read
    log(0.6, 1.7), red (1.9, 2.4) and blue (1.5, 1.9). The mosaic's corner is drawn, colours are
    interpolated linearly. One channel has neither mosaic nor white balance.

    Simpler than the sources: no colour matrix, no tone curve, sRGB's transfer for the gamma.
    """
    corner = aim.draw.integers(2, size=2)
    variance = (shot, read * np.exp(1.2) * shot**2.18)
    levels = as_levels(picture)
    if picture.shape[2] == 1 or min(picture.shape[:2]) < 2:
        return _to_levels(_exposed(_to_light(levels), variance, aim.draw))
    sites = _sites(int(corner[0]), int(corner[1]))
    raw = np.empty(picture.shape[:2], np.float32)
    gain = np.empty_like(raw)
    for channel, rows, columns in sites:
        raw[rows, columns] = levels[rows, columns, channel]
        gain[rows, columns] = (red, 1.0, blue)[channel]
    raw = _exposed(_to_light(raw) / gain, variance, aim.draw) * gain
    sparse = np.zeros(picture.shape, np.float32)
    for channel, rows, columns in sites:
        sparse[rows, columns, channel] = raw[rows, columns]
    return _to_levels(_interpolated(sparse))


def _exposed(
    light: np.ndarray, variance: tuple[float, float], draw: np.random.Generator
) -> np.ndarray:
    spread = np.sqrt(light * np.float32(variance[0]) + np.float32(variance[1]))
    return light + spread * draw.standard_normal(light.shape, dtype=np.float32)


def _sites(row: int, column: int) -> tuple[tuple[int, slice, slice], ...]:
    """Channel, rows and columns of the mosaic's four places; red begins at `row`, `column`."""
    rows, columns = ((slice(i, None, 2), slice(1 - i, None, 2)) for i in (row, column))
    return (
        (0, rows[0], columns[0]), (1, rows[0], columns[1]),
        (1, rows[1], columns[0]), (2, rows[1], columns[1]),
    )  # fmt: skip


def _interpolated(sparse: np.ndarray) -> np.ndarray:
    """The three colours everywhere: the mean of the nearest sites, a site keeps its own."""
    # mirrored without repeating the edge, so that the mosaic goes on beyond it
    wide = np.pad(sparse, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    upright = wide[:-2] + wide[2:]
    full = np.empty_like(sparse)
    green, middle = wide[:, :, 1], wide[1:-1, :, 1]
    full[:, :, 1] = green[1:-1, 1:-1] + 0.25 * (
        upright[:, 1:-1, 1] + middle[:, :-2] + middle[:, 2:]
    )
    for channel in (0, 2):
        lines = wide[1:-1, :, channel] + 0.5 * upright[:, :, channel]
        full[:, :, channel] = lines[:, 1:-1] + 0.5 * (lines[:, :-2] + lines[:, 2:])
    return full


def _to_light(levels: np.ndarray) -> np.ndarray:
    """Levels of 0 to 255 to linear light of 0 to 1."""
    codes = np.clip(levels, 0.0, 255.0)
    codes *= _STEPS
    codes += 0.5
    return _light_of_codes()[codes.astype(np.intp)]


@cache
def _light_of_codes() -> np.ndarray:
    """sRGB's transfer (IEC 61966-2-1) at every 1/16 of a level."""
    v = np.arange(255 * _STEPS + 1) / (255 * _STEPS)
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _to_levels(light: np.ndarray) -> np.ndarray:
    codes = np.clip(light, 0.0, 1.0)
    codes *= _CODES
    codes += 0.5
    return _levels_of_codes()[codes.astype(np.uint16)]


@cache
def _levels_of_codes() -> np.ndarray:
    v = np.arange(_CODES + 1) / _CODES
    levels = np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055) * 255
    return levels.astype(np.float32)
