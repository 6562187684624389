"""Transparency: colours that do not fringe, and alpha that stays full and clear where it was."""

import numpy as np

from acutance.imaging.tiles import Part, Window

BLEED = 8  # lr pixels that colour spreads into what is transparent
_FULL = 1 / 16  # alpha in [0, 1] from which a pixel keeps its own colour
_AROUND = 2  # lr pixels

Sizes = tuple[tuple[int, int], tuple[int, int]]  # (H, W) of the source and of the result


def bled(levels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Levels (h, w, c) whose transparent pixels have the colours of the nearest visible ones.

    Editors write any colour, mostly black, where alpha (h, w) in 0..255 is 0; an enlargement mixes
    it into the edge. Colour spreads by one pixel a step, as the mean of the coloured pixels among
    the eight neighbours; a pixel nearly transparent is mixed with them. A pixel is told by those
    within BLEED of it.
    """
    weight = np.clip(alpha / (255 * _FULL), 0, 1).astype(np.float32)[:, :, None]
    if weight.min() >= 1:
        return levels
    colour, known = levels * weight, weight
    for _ in range(BLEED):
        around, count = _sum_of_nine(colour), _sum_of_nine(known)
        room = 1 - known
        share = np.divide(room, count, out=np.zeros_like(count), where=count > 0)
        colour = colour + around * share
        known = np.where(count > 0, np.float32(1), known)
    return colour + (1 - known) * levels


def settled(made: np.ndarray, window: Window, alpha: Part, *, sizes: Sizes) -> np.ndarray:
    """Alpha that a network `made` (h, w, 1), full where the source is full all around, or clear.

    All around is within 2 lr pixels, what bicubic sees: a network alone would leave 254 there.
    """
    places = [
        ((2 * np.arange(span.start, span.stop) + 1) * n_in // (2 * n_out)) - seen.start
        for span, seen, n_in, n_out in zip(
            (window.rows, window.columns),
            (alpha.window.rows, alpha.window.columns),
            *sizes,
            strict=True,
        )
    ]
    plane = alpha.values[:, :, 0]
    there = np.ix_(*places)
    made[_around(plane, np.minimum)[there] >= 255] = 255
    made[_around(plane, np.maximum)[there] <= 0] = 0
    return made


def _around(plane: np.ndarray, choose: np.ufunc) -> np.ndarray:
    """The least or the most within _AROUND pixels of each, (h, w)."""
    for axis in (0, 1):
        turned = plane.swapaxes(0, axis)
        padded = np.pad(turned, ((_AROUND, _AROUND), (0, 0)), mode="edge")
        chosen = padded[: len(turned)]
        for shift in range(1, 2 * _AROUND + 1):
            chosen = choose(chosen, padded[shift : shift + len(turned)])
        plane = chosen.swapaxes(0, axis)
    return plane


def _sum_of_nine(planes: np.ndarray) -> np.ndarray:
    padded = np.pad(planes, ((1, 1), (1, 1), (0, 0)))
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
