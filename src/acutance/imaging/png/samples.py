"""Decoded PNG rows as samples: small depths unpacked, palettes and transparent colours applied."""

import numpy as np

from acutance.imaging.png.chunks import Layout
from acutance.imaging.png.header import COLOUR, GREY, PALETTE, Header


def read_samples(rows: np.ndarray, header: Header, *, width: int) -> np.ndarray:
    """uint8 (rows, bytes) as (rows, width, samples), of the header's dtype, not scaled yet."""
    count = len(rows)
    if header.depth == 16:
        values = np.ascontiguousarray(rows).view(">u2").astype(np.uint16)
    elif header.depth == 8:
        values = rows
    else:
        values = _unpacked(rows, header.depth)[:, :width]
    return values.reshape(count, width, header.samples)


def has_alpha(layout: Layout) -> bool:
    return layout.header.samples in (2, 4) or _key(layout) is not None


def store_samples(
    samples: np.ndarray, layout: Layout, *, pixels: np.ndarray, alpha: np.ndarray | None
) -> None:
    """Fill `pixels` (rows, width, 1 or 3) and `alpha` (rows, width).

    Raises IndexError for an index that the palette does not have.
    """
    header, key = layout.header, _key(layout)
    if header.colour == PALETTE:
        colours = np.frombuffer(layout.palette or b"", dtype=np.uint8).reshape(-1, 3)
        pixels[:] = colours[samples[:, :, 0]]
        if alpha is not None:
            opacities = np.full(256, 255, dtype=np.uint8)
            opacities[: len(key or b"")] = np.frombuffer(key or b"", dtype=np.uint8)
            alpha[:] = opacities[samples[:, :, 0]]
        return
    pixels[:] = samples[:, :, : pixels.shape[2]]
    if alpha is not None and key is not None:
        # a sample has as many bits as the header says; what is above them is not compared
        colour = np.frombuffer(key, dtype=">u2") & (2**header.depth - 1)
        alpha[:] = np.where((samples == colour).all(axis=2), 0, np.iinfo(header.dtype).max)
    elif alpha is not None:
        alpha[:] = samples[:, :, -1]
    if header.depth < 8:
        pixels *= 255 // (2**header.depth - 1)


def _key(layout: Layout) -> bytes | None:
    """The chunk tRNS, where it is one of its colour type (section 11.3.1.1)."""
    key, header = layout.transparency, layout.header
    if key is None:
        return None
    fits = {
        GREY: len(key) == 2,
        COLOUR: len(key) == 6,
        PALETTE: 0 < len(key) <= 256,
    }
    return key if fits.get(header.colour, False) else None


def _unpacked(rows: np.ndarray, depth: int) -> np.ndarray:
    """The samples of 1, 2 or 4 bits in each byte, the highest first."""
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    spread = rows[:, :, None] >> shifts & np.uint8(2**depth - 1)
    return spread.reshape(len(rows), -1)
