"""From strips of levels to rows of a picture; the mean colour before and after."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from acutance.imaging.picture import Picture
from acutance.upscaling.strips import Strip

CAST_BOUND = 1.0  # levels of 255: a change of the mean colour that is worth a word


class Tally:
    """The mean colour of what has been seen of a picture; what is transparent counts less."""

    def __init__(self, channels: int) -> None:
        self._sum = np.zeros(channels)
        self._weight = 0.0

    def add(self, pixels: np.ndarray, alpha: np.ndarray | None, *, white: float) -> None:
        """Pixels (h, w, c) and alpha (h, w) of which `white` is the largest value."""
        if alpha is None:
            self._sum += pixels.sum(axis=(0, 1), dtype=np.float64) / white
            self._weight += pixels.shape[0] * pixels.shape[1]
        else:
            seen = np.asarray(alpha, dtype=np.float64) / white
            self._sum += [np.vdot(pixels[:, :, c] / white, seen) for c in range(pixels.shape[2])]
            self._weight += float(seen.sum())

    @property
    def mean(self) -> np.ndarray:
        """Per channel, in levels of 255."""
        return 255 * self._sum / max(self._weight, 1e-9)


def without_cast(
    strips: Iterator[Strip], before: Tally, *, folder: Path, channels: int
) -> Iterator[Strip]:
    """The strips less what their mean colour differs from `before`, once all of them are there.

    They wait in a file of `folder` that has no name, so a kill leaves nothing.
    """
    after = Tally(channels)
    with tempfile.TemporaryFile(dir=folder) as spool:
        shapes = []
        for strip in strips:
            alpha = None if strip.alpha is None else strip.alpha[:, :, 0]
            after.add(np.clip(strip.colours, 0, 255), alpha, white=255)
            for planes in (strip.colours, strip.alpha):
                if planes is not None:
                    spool.write(np.ascontiguousarray(planes, dtype=np.float32).data)
            shapes.append((strip.colours.shape, None if strip.alpha is None else strip.alpha.shape))
        spool.seek(0)
        cast = (after.mean - before.mean).astype(np.float32)
        for shape, alpha_shape in shapes:
            colours = _read(spool, shape) - cast
            yield Strip(colours, None if alpha_shape is None else _read(spool, alpha_shape))


def _read(spool: BinaryIO, shape: tuple[int, ...]) -> np.ndarray:
    planes = np.empty(shape, dtype=np.float32)
    spool.readinto(planes.data)  # pyright: ignore[reportAttributeAccessIssue]
    return planes


def as_picture(strip: Strip) -> Picture:
    """A strip that has the depth of the picture, as rows of it."""
    return Picture(strip.colours, None if strip.alpha is None else strip.alpha[:, :, 0])
