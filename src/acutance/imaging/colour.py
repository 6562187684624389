"""RGB to and from YCbCr as MATLAB does it: BT.601, luma in 16..235.

Papers score super-resolution on this luma, so the constants are part of every published number.
"""

from functools import cache

import numpy as np

from acutance.errors import InputError

# Poynton: A Technical Introduction to Digital Video (1996), p. 175, as in MATLAB's rgb2ycbcr.
# Rows Y, Cb, Cr; columns R, G, B in 0..1; the result in 0..255.
YCBCR_WEIGHTS = (
    (65.481, 128.553, 24.966),
    (-37.797, -74.203, 112.0),
    (112.0, -93.786, -18.214),
)
YCBCR_OFFSETS = (16.0, 128.0, 128.0)
LUMA_WEIGHTS = YCBCR_WEIGHTS[0]
LUMA_OFFSET = YCBCR_OFFSETS[0]
_LEVELS_16 = 257  # levels of uint16 in one of uint8: 65535 / 255


def luma(rgb: np.ndarray) -> np.ndarray:
    """Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255 of (H, W, 3) in 0..255, as float64 (H, W).

    Not rounded: rounding Y before comparison costs about 0.03 dB at 38 dB.
    """
    _check_colour(rgb)
    return _weigh_channels(rgb, LUMA_WEIGHTS) / 255.0 + LUMA_OFFSET


def rgb_to_ycbcr(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) in 0..255 to Y in 16..235, Cb and Cr in 16..240, float64, not rounded."""
    _check_colour(rgb)
    planes = [
        _weigh_channels(rgb, weights) / 255.0 + offset
        for weights, offset in zip(YCBCR_WEIGHTS, YCBCR_OFFSETS, strict=True)
    ]
    return np.stack(planes, axis=2)


def ycbcr_to_rgb(ycbcr: np.ndarray) -> np.ndarray:
    """The inverse of `rgb_to_ycbcr`, float64, neither clipped nor rounded.

    Not every YCbCr is a colour: results outside 0..255 are left to the caller.
    """
    _check_colour(ycbcr)
    centred = ycbcr.astype(np.float64) - YCBCR_OFFSETS
    planes = [_weigh_channels(centred, weights) * 255.0 for weights in rgb_weights()]
    return np.stack(planes, axis=2)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Clip to 0..255 and round half up, as MATLAB's uint8 does; numpy rounds half to even."""
    return (np.clip(values, 0.0, 255.0) + 0.5).astype(np.uint8)


def to_levels(pixels: np.ndarray) -> np.ndarray:
    """Pixels of any depth as float32 in 0..255: uint16 / 257, floating point * 255."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32)
    if pixels.dtype == np.uint16:
        return pixels / np.float32(_LEVELS_16)
    return pixels * np.float32(255)


def from_levels(levels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The inverse: whole numbers are clipped and rounded half up, floats only clipped below 0."""
    if dtype == np.uint8:
        return to_uint8(levels)
    if dtype == np.uint16:
        return (np.clip(levels, 0.0, 255.0) * _LEVELS_16 + 0.5).astype(np.uint16)
    return np.maximum(levels / 255, 0.0).astype(np.float32)


@cache
def rgb_weights() -> tuple[tuple[float, ...], ...]:
    """The inverse of YCBCR_WEIGHTS: rows R, G, B."""
    inverse = np.linalg.inv(np.array(YCBCR_WEIGHTS))
    return tuple(tuple(float(value) for value in row) for row in inverse)


def _weigh_channels(image: np.ndarray, weights: tuple[float, ...]) -> np.ndarray:
    """A weighted sum of channels in a fixed order: a matrix product's order is the library's."""
    total = image[:, :, 0] * np.float64(weights[0])
    for channel, weight in enumerate(weights[1:], start=1):
        total += image[:, :, channel] * np.float64(weight)
    return total


def _check_colour(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3:
        raise InputError(f"Colour is converted for pictures (H, W, 3), not {image.shape}.")
