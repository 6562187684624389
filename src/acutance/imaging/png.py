"""Write PNG in bands on several threads: many times as fast as the usual writer.

Of the time to upscale a picture of 12 megapixels the usual writer took about half.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acutance.imaging.parallel import map_in_threads

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> PNG's code: alpha is 4, colour 2
# One filter for all rows and the fastest level: on the photographs of Set5 and Set14 1.12 times the
# size of level 6 with filters chosen by row, on their enlargements 1.16 times.
_AVERAGE_FILTER = 3
_LEVEL = 1
_BAND_BYTES = 2**20
_ADLER_MODULUS = 65521


@dataclass(frozen=True)
class _Band:
    """A chunk of the file, and the checksum and size of what was compressed into it."""

    chunk: bytes
    adler: int
    size: int


def encode_png(values: np.ndarray, *, text: Mapping[str, str] | None = None) -> bytes:
    """uint8 (H, W, C) as a PNG file; C: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha.

    `text` goes into the file by keyword, such as "Description", in Latin-1.

    W3C: Portable Network Graphics (3rd edition, 2025). Bands of rows are filtered and deflated
    apart from each other and joined into one stream: all but the last end on a byte boundary
    without ending the stream, and the checksum of the whole follows from those of the bands.
    """
    height, width, channels = values.shape
    rows = max(_BAND_BYTES // (width * channels), 1)

    def compress(top: int) -> _Band:
        filtered = _filter_rows(values, top, stop=min(top + rows, height))
        deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL)
        ending = zlib.Z_SYNC_FLUSH if top + rows < height else zlib.Z_FINISH
        head = b"\x78\x01" if top == 0 else b""  # zlib's header: window of 32 KiB, fastest
        body = head + deflate.compress(filtered.data) + deflate.flush(ending)
        return _Band(_chunk(b"IDAT", body), zlib.adler32(filtered.data), filtered.size)

    bands = map_in_threads(compress, range(0, height, rows))
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", header),
            *(_chunk(b"tEXt", f"{k}\0{v}".encode("latin-1")) for k, v in (text or {}).items()),
            *(band.chunk for band in bands),
            _chunk(b"IDAT", struct.pack(">I", _joined_adler(bands))),
            _chunk(b"IEND", b""),
        ]
    )


def _filter_rows(values: np.ndarray, top: int, *, stop: int) -> np.ndarray:
    """Rows `top` to `stop`, each sample less the mean of those left and above (section 9.2)."""
    width, channels = values.shape[1:]
    rows = values[top:stop].reshape(stop - top, width * channels)
    above = np.empty_like(rows)
    above[0] = values[top - 1].reshape(-1) if top > 0 else 0
    above[1:] = rows[:-1]
    left = np.zeros_like(rows)
    left[:, channels:] = rows[:, :-channels]
    mean = left & above  # floor((a + b) / 2) without leaving 8 bits: (a & b) + (a ^ b) / 2
    above ^= left
    above >>= 1
    mean += above
    filtered = np.empty((len(rows), width * channels + 1), dtype=np.uint8)
    filtered[:, 0] = _AVERAGE_FILTER
    np.subtract(rows, mean, out=filtered[:, 1:])
    return filtered


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _joined_adler(bands: list[_Band]) -> int:
    """Adler-32 of all bands one after the other (RFC 1950, sections 2.2 and 9).

    It is a sum of bytes A, from 1, and a sum B of all A so far, from 0. A band that comes after
    others starts from their A instead of 1, so each of its bytes adds A - 1 to B once more.
    """
    total, total_of_totals = 1, 0
    for band in bands:
        own, own_of_totals = band.adler & 0xFFFF, band.adler >> 16
        total_of_totals += own_of_totals + (total - 1) * band.size
        total += own - 1
    return total_of_totals % _ADLER_MODULUS << 16 | total % _ADLER_MODULUS
