"""Surfaces for drawn pictures: natural-looking noise, waves, stripes and text-like strokes.

Nothing here but additions, products and look-ups on arrays: sines and powers are taken number by
number and rounded, so that the same picture comes out on every processor.
"""

import math
from functools import cache

import numpy as np

from acutance.data.streams import below

WAVE_STEPS = 256
GLYPHS = 24


def natural_noise(draw: np.random.Generator, side: int, *, roughness: float = 1.0) -> np.ndarray:
    """A tileable field (side, side) float32, zero mean, standard deviation about 1.

    A sum of octaves, each of random numbers enlarged by the quadratic B-spline. With roughness 1
    all octaves are equally strong, which is a power spectrum of slope -2, as in photographs
    (Field: Relations between the statistics of natural images and the response properties of
    cortical cells, JOSA A 1987). Above 1 the fine octaves are stronger: gravel, grass.
    `side` is 4 times a power of two.
    """
    field = draw.random((4, 4), dtype=np.float32) - np.float32(0.5)
    strength, power = 1.0, 1.0
    while field.shape[0] < side:
        strength *= roughness
        power += strength**2
        field = _double(_double(field).T).T
        field += (draw.random(field.shape, dtype=np.float32) - np.float32(0.5)) * np.float32(
            strength
        )
    # a uniform number has variance 1/12; the spline keeps about half of it at each octave
    return field * np.float32(math.sqrt(20.0 / power))


def _double(field: np.ndarray) -> np.ndarray:
    """Twice as many rows, by the quadratic B-spline (weights 3/4 and 1/4), periodic."""
    near = field * np.float32(0.75)
    far = field * np.float32(0.25)
    out = np.empty((2 * field.shape[0], field.shape[1]), dtype=np.float32)
    np.add(near[1:], far[:-1], out=out[2::2])
    np.add(near[0], far[-1], out=out[0])
    np.add(near[:-1], far[1:], out=out[1:-1:2])
    np.add(near[-1], far[0], out=out[-1])
    return out


def waves(along: np.ndarray, period: float) -> np.ndarray:
    """A sine grating, -1 .. 1, over the coordinate `along` (pixels)."""
    turn = (along * np.float32(WAVE_STEPS / period)).astype(np.int32)
    return _wave_table()[turn & (WAVE_STEPS - 1)]


def stripes(along: np.ndarray, period: float) -> np.ndarray:
    """Bars of equal width, -1 or 1, over the coordinate `along` (pixels)."""
    half = (along * np.float32(2.0 / period) + np.float32(4096.0)).astype(np.int32)
    return ((half & 1) * 2 - 1).astype(np.float32)


def strokes(draw: np.random.Generator, side: int, *, cell: tuple[int, int]) -> np.ndarray:
    """A page of invented letters (side, side) float32: 1 where there is ink, 0 where not.

    `cell` is the height and width of a letter with its space. Words are parted by blanks.
    """
    height, width = cell
    letters = np.concatenate(
        [_letters(draw, height=height, width=width), np.zeros((1, height, width))]
    )
    rows, columns = -(-side // height), -(-side // width)
    chosen = below(draw.random((rows, columns)), GLYPHS)
    chosen[draw.random((rows, columns)) < 0.18] = GLYPHS  # words of about five letters
    chosen[draw.random(rows) < 0.2] = GLYPHS  # empty lines
    page = letters[chosen].transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    return np.ascontiguousarray(page[:side, :side], dtype=np.float32)


def _letters(draw: np.random.Generator, *, height: int, width: int) -> np.ndarray:
    """GLYPHS bitmaps (height, width), each of three strokes between points of a 3 x 3 grid."""
    ends = below(draw.random((GLYPHS, 3, 2, 2)), 3) * 0.5
    size = np.array([height * 0.62, width * 0.62])
    points = ends * size + np.array([height, width]) * 0.14
    start, step = points[:, :, 0], points[:, :, 1] - points[:, :, 0]
    length2 = (step**2).sum(axis=-1) + 1e-6
    y, x = np.mgrid[:height, :width] + 0.5
    dy = y - start[..., 0, None, None]
    dx = x - start[..., 1, None, None]
    sy, sx = step[..., 0, None, None], step[..., 1, None, None]
    along = np.clip((dy * sy + dx * sx) / length2[..., None, None], 0.0, 1.0)
    distance2 = (dy - along * sy) ** 2 + (dx - along * sx) ** 2
    thickness = max(1.0, 0.09 * height)
    return (distance2.min(axis=1) < thickness**2).astype(np.float64)


@cache
def _wave_table() -> np.ndarray:
    values = [round(math.sin(2 * math.pi * i / WAVE_STEPS), 6) for i in range(WAVE_STEPS)]
    return np.array(values, dtype=np.float32)
