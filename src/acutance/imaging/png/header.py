"""The header of a PNG file, section 11.2.1: size, depth and kind of colour."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acutance.imaging.refusals import damaged

GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
_DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    COLOUR: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    COLOUR_ALPHA: (8, 16),
}
_LAYOUT = ">IIBBBBB"


@dataclass(frozen=True)
class Header:
    width: int
    height: int
    depth: int  # bits of one sample
    colour: int
    interlaced: bool = False

    @property
    def samples(self) -> int:
        """Samples of one pixel: the index of a palette is one."""
        return _SAMPLES[self.colour]

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint16 if self.depth == 16 else np.uint8)

    @property
    def pixel_bytes(self) -> int:
        """Distance that filters look back, at least 1 (section 9.2)."""
        return max(self.depth * self.samples // 8, 1)

    def row_bytes(self, width: int) -> int:
        """Bytes of a row of `width` pixels without its filter."""
        return (width * self.depth * self.samples + 7) // 8

    def packed(self) -> bytes:
        return struct.pack(
            _LAYOUT, self.width, self.height, self.depth, self.colour, 0, 0, self.interlaced
        )


def read_header(path: Path, body: bytes) -> Header:
    """Check every field: nothing that follows can be trusted to fit otherwise."""
    if len(body) != 13:
        raise damaged(path, f"its header has {len(body)} bytes, not 13")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(_LAYOUT, body)
    if not (0 < width < 2**31 and 0 < height < 2**31):
        raise damaged(path, f"it claims to be {width}x{height} pixels")
    if depth not in _DEPTHS.get(colour, ()):
        raise damaged(path, f"it claims {depth} bits of the colour type {colour}")
    if compression or filtering or interlace > 1:
        raise damaged(
            path, f"unknown methods in its header: {compression}, {filtering}, {interlace}"
        )
    return Header(width, height, depth, colour, bool(interlace))
