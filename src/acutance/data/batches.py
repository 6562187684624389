"""Cut training crops out of pictures and turn them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

TURNS = 8
"""Orientations of a square: bit 0 reverses rows, bit 1 columns, bit 2 exchanges the two."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Crops and their small versions, uint8, RGB as in the files."""

    lr: np.ndarray
    """(n, h, w, 3); degraded for a luma network (n, h, w, 1), and float32 where not rounded."""
    hr: np.ndarray
    """(n, h * scale, w * scale, 3)"""
    pictures: np.ndarray
    """(n,): which picture of the pool each crop is from"""
    taught: np.ndarray | None = None
    """A teacher's results, as hr, where whole pictures were shown to it."""

    def part(self, start: int, stop: int) -> "Batch":
        """Crops `start` .. `stop` - 1."""
        taught = None if self.taught is None else self.taught[start:stop]
        return Batch(self.lr[start:stop], self.hr[start:stop], self.pictures[start:stop], taught)


def slices(size: int, *, pieces: int = 1, part: tuple[int, int] = (0, 1)) -> list[range]:
    """The places in a batch of `size` that part (rank, ranks) works off, piece after piece.

    The batch falls into `pieces`, and each of those into slices, one for each rank: so all ranks
    together have the same piece in hand as one that is alone. No two differ by more than one.
    """
    rank, ranks = part
    edges = [round(k * size / pieces) for k in range(pieces + 1)]
    return [
        range(start + (stop - start) * rank // ranks, start + (stop - start) * (rank + 1) // ranks)
        for start, stop in pairwise(edges)
        if stop > start
    ]


@dataclass(frozen=True, eq=False)
class Crops:
    """Where crops lie: picture, first row, first column (hr pixels), orientation; each (n,)."""

    pictures: np.ndarray
    tops: np.ndarray
    lefts: np.ndarray
    turns: np.ndarray

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, part: slice | list[int]) -> "Crops":
        return Crops(self.pictures[part], self.tops[part], self.lefts[part], self.turns[part])


def cut(pictures: Sequence[np.ndarray], crops: Crops, *, side: int, divide: int) -> np.ndarray:
    """The crops (n, side, side, 3), turned; rows and columns of `crops` are divided by `divide`."""
    out = np.empty((len(crops), side, side, 3), dtype=np.uint8)
    tops, lefts = (crops.tops // divide).tolist(), (crops.lefts // divide).tolist()
    chosen, turns = crops.pictures.tolist(), crops.turns.tolist()
    for i, (number, top, left) in enumerate(zip(chosen, tops, lefts, strict=True)):
        crop = pictures[number][top : top + side, left : left + side]
        turn_into(out[i], crop, turn=turns[i])
    return out


def cut_wide(pictures: Sequence[np.ndarray], crops: Crops, *, side: int, margin: int) -> np.ndarray:
    """The crops with `margin` more pixels on each side, not turned.

    Beyond a picture's edge it is mirrored, edge pixel repeated, as reducing the whole picture
    does; so crops at the edge are exact too.
    """
    wide = side + 2 * margin
    out = np.empty((len(crops), wide, wide, 3), dtype=np.uint8)
    tops, lefts = (crops.tops - margin).tolist(), (crops.lefts - margin).tolist()
    for i, (number, top, left) in enumerate(zip(crops.pictures.tolist(), tops, lefts, strict=True)):
        picture = pictures[number]
        height, width = picture.shape[:2]
        if top >= 0 and left >= 0 and top + wide <= height and left + wide <= width:
            out[i] = picture[top : top + wide, left : left + wide]
        else:
            rows, columns = _mirrored(top, wide, length=height), _mirrored(left, wide, length=width)
            out[i] = picture[rows[:, None], columns]
    return out


def turn_all(crops: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Each of the crops (n, side, side, 3) turned by its own orientation."""
    out = np.empty(crops.shape, dtype=np.uint8)
    for i, turn in enumerate(turns.tolist()):
        turn_into(out[i], crops[i], turn=turn)
    return out


def turn_into(out: np.ndarray, crop: np.ndarray, *, turn: int) -> None:
    """Copy one crop (side, side, 3) into `out`, turned."""
    if turn & 4:
        crop = crop.transpose(1, 0, 2)
    if turn & 1:
        crop = crop[::-1]
    if turn & 2:
        crop = crop[:, ::-1]
    if turn in (0, 1):
        out[...] = crop
        return
    # One channel after the other: numpy's inner loop is then a row long. All at once it would be
    # the three bytes of a pixel, four times as slow.
    for channel in range(3):
        out[:, :, channel] = crop[:, :, channel]


def _mirrored(start: int, count: int, *, length: int) -> np.ndarray:
    """Indices start .. start + count - 1, those outside 0 .. length - 1 mirrored into it."""
    index = np.arange(start, start + count) % (2 * length)
    return np.where(index < length, index, 2 * length - 1 - index)
