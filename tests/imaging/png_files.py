"""PNG files made by hand: any depth, colour type, filters, interlacing, chunks."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
PASSES = [
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
]  # fmt: skip


def chunk(kind: bytes, body: bytes) -> bytes:
    return (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    )  # fmt: skip


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*pair) for pair in (*chunks, (b"IEND", b"")))


def header(
    width: int, height: int, *, depth: int = 8, colour: int = 2, interlace: int = 0
) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)


def picture(
    values: np.ndarray,
    *,
    depth: int,
    colour: int,
    filters: Sequence[int] = (0,),
    interlace: int = 0,
    extra: Sequence[tuple[bytes, bytes]] = (),
    piece: int = 1000,
) -> bytes:
    """A file of `values` (H, W, samples), whose rows are filtered by `filters` in turn."""
    height, width, _ = values.shape
    steps = PASSES if interlace else [(0, 0, 1, 1)]
    data = b""
    for left, top, across, down in steps:
        part = values[top::down, left::across]
        if part.size:
            data += filtered(packed(part, depth), filters, max(depth * SAMPLES[colour] // 8, 1))
    stream = zlib.compress(data)
    pieces = [(b"IDAT", stream[at : at + piece]) for at in range(0, len(stream), piece)]
    return png(
        header(width, height, depth=depth, colour=colour, interlace=interlace), *extra, *pieces
    )


def packed(values: np.ndarray, depth: int) -> list[bytes]:
    """Each row as bytes."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in values]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in values]
    bits = (values[:, :, 0, None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]


def filtered(rows: list[bytes], filters: Sequence[int], distance: int) -> bytes:
    """Section 9.2 of the standard, byte by byte."""
    result, above = bytearray(), bytes(len(rows[0]))
    for number, row in enumerate(rows):
        kind = filters[number % len(filters)]
        result.append(kind)
        for at, value in enumerate(row):
            a = row[at - distance] if at >= distance else 0
            b = above[at]
            c = above[at - distance] if at >= distance else 0
            nearest = min((a, b, c), key=lambda x, p=a + b - c: abs(p - x))
            result.append((value - [0, a, b, (a + b) // 2, nearest][kind]) % 256)
        above = row
    return bytes(result)
