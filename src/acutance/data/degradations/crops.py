"""Degrade the crops of a batch, each by its own draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from acutance.data.degradations.chain import degrade
from acutance.data.degradations.expression import Chain
from acutance.data.streams import Stream, generator
from acutance.imaging.colour import luma, to_uint8


@dataclass(frozen=True)
class Degrading:
    """A chain, and whether it acts on Y alone, rounded to 8 bits: what a luma network is shown."""

    chain: Chain
    grey: bool = False

    def __call__(self, hr: np.ndarray, *, scale: int, draw: np.random.Generator) -> np.ndarray:
        """lr (h, w, 1 or 3) of one picture, uint8 (H, W, 3)."""
        shown = to_uint8(luma(hr))[:, :, None] if self.grey else hr
        return degrade(shown, self.chain, scale=scale, draw=draw)


def draw_for(name: str, *, seed: int, number: int = 0) -> np.random.Generator:
    """The draws of a whole picture: they depend on its name alone, not on what stands beside it.

    `number` counts the versions of one picture.
    """
    key = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
    return generator(seed, Stream.DEGRADE_PICTURE, step=key, part=number)


def margin_of(scale: int) -> int:
    """hr pixels that are degraded on each side of a crop beyond it: at least 16, 4 of lr.

    Half a block of the codecs, and about what kernels reach: at the edge of a crop there is what
    there is at any place in a picture. Twice as many would double the work on small crops.
    """
    unit = 4 * scale
    return -(-16 // unit) * unit


def degrade_crops(
    wide: np.ndarray, degrading: Degrading, *, scale: int, draws: Sequence[np.random.Generator]
) -> np.ndarray:
    """lr of the crops `wide`, uint8 (n, S, S, 3), which have `margin_of(scale)` on each side.

    Gives (n, s, s, 1 or 3) without the margins.
    """
    edge = margin_of(scale) // scale
    made = [degrading(hr, scale=scale, draw=d) for hr, d in zip(wide, draws, strict=True)]
    return np.stack([lr[edge:-edge, edge:-edge] for lr in made])
