"""One frame after the other through the network."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from acutance.imaging.picture import Picture
from acutance.upscaling.enlarging import alike
from acutance.upscaling.settings import Enlargement, Size
from acutance.upscaling.task import Upscaler

_PROBE_SIDE, _PROBE_SAMPLES = 48, 96
_PROBE_SCALE = Fraction(2)  # of what has no scale of its own


class Frames:
    """Enlarges frame after frame; one that is like the one before it costs nothing."""

    def __init__(self, upscaler: Upscaler, how: Enlargement) -> None:
        self.upscaler, self.how = upscaler, how
        self._enlarge = alike(upscaler, how)
        self._last: tuple[np.ndarray, Picture] | None = None

    def __call__(self, picture: Picture) -> Picture:
        """The larger picture."""
        if self._last is None or not np.array_equal(self._last[0], picture.pixels):
            self._last = (picture.pixels, self._enlarge(picture))
        return self._last[1]

    def probe(self) -> tuple[int, ...]:
        """Samples of a known picture, enlarged: tells models apart whose cards are alike."""
        noise = np.random.default_rng(0).integers(0, 256, (_PROBE_SIDE, _PROBE_SIDE, 3))
        size = Size() if self.upscaler.scale is not None else Size(scale=_PROBE_SCALE)
        how = replace(self.how, size=size)
        larger = alike(self.upscaler, how)(Picture(noise.astype(np.uint8)))
        return tuple(larger.pixels[larger.height // 2].reshape(-1)[:_PROBE_SAMPLES].tolist())


def even(picture: Picture) -> Picture:
    """With its last row or column repeated where their number is odd: coded chroma has half."""
    odd_rows, odd_columns = picture.height % 2, picture.width % 2
    if not odd_rows and not odd_columns:
        return picture
    return Picture(np.pad(picture.pixels, ((0, odd_rows), (0, odd_columns), (0, 0)), mode="edge"))
