"""Colours under transparent pixels, so that no dark fringe appears where they are enlarged."""

import numpy as np

BLEED = 8  # lr pixels that colour spreads into what is transparent
_FULL = 1 / 16  # alpha in [0, 1] from which a pixel keeps its own colour


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


def _sum_of_nine(planes: np.ndarray) -> np.ndarray:
    padded = np.pad(planes, ((1, 1), (1, 1), (0, 0)))
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
