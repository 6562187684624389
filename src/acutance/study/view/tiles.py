"""A picture or a map at every halving, and pieces of it as files that a browser shows."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

TILE_PX = 512
JPEG_QUALITY = 90  # of what is shown smaller than it is; pixels themselves are PNG, exact
STEPS = 64  # of a map's unit that a number holds: halves of halves of a level survive
# Black, violet, orange, white: brightness grows evenly, so it reads the same in grey.
_HEAT_ENDS = ((0, 0, 0), (64, 16, 112), (184, 48, 88), (244, 136, 32), (255, 255, 224))


@dataclass(frozen=True, eq=False)
class Levels:
    """Halvings of a picture uint8 (H, W, 3), or of a map uint16 (H, W) or (H, W, 3).

    The first is the whole, the last fits into one tile. A map's numbers are STEPS for each level
    of 255; with one channel it is shown as heat.
    """

    arrays: tuple[np.ndarray, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole."""
        height, width = self.arrays[0].shape[:2]
        return width, height

    @property
    def bytes_held(self) -> int:
        """Of memory."""
        return sum(array.nbytes for array in self.arrays)

    def has(self, place: "Place") -> bool:
        """Whether there is a piece there."""
        if not 0 <= place.level < len(self.arrays) or min(place.x, place.y) < 0:
            return False
        height, width = self.arrays[place.level].shape[:2]
        return place.x * TILE_PX < width and place.y * TILE_PX < height


@dataclass(frozen=True)
class Place:
    """A piece: TILE_PX a side, at column x and row y of the halving `level`."""

    level: int
    x: int
    y: int


def levels_of(whole: np.ndarray) -> Levels:
    """All halvings of a picture or map, each the mean of 2 x 2 of the one before."""
    arrays = [np.ascontiguousarray(whole)]
    while max(arrays[-1].shape[:2]) > TILE_PX:
        arrays.append(_half(arrays[-1]))
    return Levels(tuple(arrays))


def tile(levels: Levels, place: Place, gain: int = 1) -> tuple[bytes, str]:
    """The piece at a place that `levels` has, and what kind of file it is.

    Full size is PNG, what is halved is JPEG. A map is brightened by `gain`.
    """
    array = levels.arrays[place.level]
    rows = slice(place.y * TILE_PX, (place.y + 1) * TILE_PX)
    part = array[rows, place.x * TILE_PX : (place.x + 1) * TILE_PX]
    pixels = part if part.dtype == np.uint8 else painted(part, gain)
    return _as_jpeg(pixels) if place.level else as_png(pixels)


def painted(part: np.ndarray, gain: int) -> np.ndarray:
    """A map as uint8 (H, W, 3): differences in their colours, one channel as heat."""
    bright = np.minimum(part.astype(np.uint32) * gain // STEPS, 255).astype(np.uint8)
    return bright if bright.ndim == 3 else HEAT[bright]


def as_png(pixels: np.ndarray) -> tuple[bytes, str]:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue(), "image/png"


def _as_jpeg(pixels: np.ndarray) -> tuple[bytes, str]:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue(), "image/jpeg"


def _half(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return np.asarray(Image.fromarray(array).reduce(2))
    height, width = array.shape[:2]
    pad = [(0, height % 2), (0, width % 2), *[(0, 0)] * (array.ndim - 2)]
    even = np.pad(array, pad, mode="edge") if height % 2 or width % 2 else array
    rows = even[0::2].astype(np.uint32) + even[1::2]
    return ((rows[:, 0::2] + rows[:, 1::2] + 2) // 4).astype(array.dtype)


def _heat() -> np.ndarray:
    places = np.linspace(0, 255, len(_HEAT_ENDS))
    ends = np.array(_HEAT_ENDS, dtype=float)
    lines = [np.interp(np.arange(256), places, ends[:, c]) for c in range(3)]
    return np.rint(np.stack(lines, axis=1)).astype(np.uint8)


HEAT = _heat()  # (256, 3): brightness -> colour
