"""Strips and tiles of TIFF files: decompressed, their predictor undone, put side by side."""

import os
import struct
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL.TiffImagePlugin import TiffImageFile

from acutance.errors import InputError
from acutance.imaging.refusals import damaged
from acutance.imaging.tiff import tags
from acutance.imaging.tiff.layout import INFLATIONS, Layout


def read_pieces(path: Path, file: BinaryIO, layout: Layout, *, first: int, stop: int) -> np.ndarray:
    """Rows of pieces `first` to `stop` as (rows, width, samples) of the kind stored, native order.

    Raises InputError where they cannot be decoded, before memory is taken for more than they
    can hold.
    """
    heights = [layout.piece_rows] * (stop - first)
    if not layout.is_tiled:  # the last strip ends with the picture; tiles are filled up
        heights[-1] = min(layout.piece_rows, layout.height - (stop - 1) * layout.piece_rows)
    heights = [rows for rows in heights for _ in range(layout.across)]
    planes = []
    for plane in range(layout.samples if layout.is_planar else 1):
        start = (plane * layout.down + first) * layout.across
        data = _read(path, file, layout, start=start, heights=heights)
        rows = _decompressed(path, data, layout, heights)
        planes.append(_side_by_side(_unpredicted(rows, layout), layout))
    band = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
    return band[: layout.height - first * layout.piece_rows, : layout.width]


def _read(
    path: Path, file: BinaryIO, layout: Layout, *, start: int, heights: list[int]
) -> list[bytes]:
    end = os.fstat(file.fileno()).st_size
    pieces = []
    for number, rows in enumerate(heights, start=start):
        size, needed = layout.sizes[number], rows * layout.piece_row_bytes
        if size * INFLATIONS[layout.compression] < needed:
            raise damaged(path, f"a strip or tile has {size} bytes for {needed} of pixels")
        if layout.compression == tags.NO_COMPRESSION:
            size = needed  # some have more
        if layout.places[number] + size > end:
            raise damaged(path, "it ends inside its pixels")
        file.seek(layout.places[number])
        pieces.append(file.read(size))
    return pieces


def _decompressed(
    path: Path, pieces: list[bytes], layout: Layout, heights: list[int]
) -> np.ndarray:
    """uint8 (rows, bytes of a row), the pieces one below the other.

    What is compressed is bytes, whatever they stand for. So that Pillow's library decodes every
    depth, and no more than the rows that are expected, they are given to it as a grey picture of
    8 bits, a byte a pixel.
    """
    if layout.compression == tags.NO_COMPRESSION:
        return np.frombuffer(b"".join(pieces), np.uint8).reshape(-1, layout.piece_row_bytes)
    data = _grey_file(pieces, layout, heights)
    try:
        with TiffImageFile(BytesIO(data)) as image:
            return np.array(image, dtype=np.uint8)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # decoders raise whatever they like on bytes they did not expect
        raise damaged(path, f"its pixels cannot be decompressed: {error}") from None


def _grey_file(pieces: list[bytes], layout: Layout, heights: list[int]) -> bytes:
    start = 8 + 8 * len(pieces)
    sizes = [len(piece) for piece in pieces]
    places = [start + sum(sizes[:number]) for number in range(len(sizes))]
    one = len(pieces) == 1
    fields = [
        (256, 4, 1, layout.piece_row_bytes),
        (257, 4, 1, sum(heights)),
        (258, 3, 1, 8),
        (259, 3, 1, layout.compression),
        (262, 3, 1, 1),
        (273, 4, len(pieces), places[0] if one else 8),
        (277, 3, 1, 1),
        (278, 4, 1, heights[0]),
        (279, 4, len(pieces), sizes[0] if one else 8 + 4 * len(pieces)),
    ]
    lists = struct.pack(f"<{2 * len(pieces)}I", *places, *sizes)
    body = b"".join(pieces)
    directory = b"".join(struct.pack("<HHII", *field) for field in fields)
    behind = start + len(body) + len(body) % 2
    return (
        struct.pack("<2sHI", b"II", 42, behind) + lists + body + bytes(len(body) % 2)
        + struct.pack("<H", len(fields)) + directory + bytes(4)
    )  # fmt: skip


def _unpredicted(rows: np.ndarray, layout: Layout) -> np.ndarray:
    """Samples (rows, piece width, samples in a piece) of the bytes."""
    shape = (len(rows), layout.piece_width, layout.piece_samples)
    native = layout.stored.newbyteorder("=")
    if layout.predictor == tags.FLOATS:
        width = layout.stored.itemsize
        sums = np.cumsum(rows.reshape(len(rows), -1, shape[2]), axis=1, dtype=np.uint8)
        mixed = sums.reshape(len(rows), width, -1).transpose(0, 2, 1)  # highest bytes came first
        return np.ascontiguousarray(mixed).view(f">f{width}").astype(native).reshape(shape)
    if layout.predictor == tags.LEFT:
        bits = np.dtype(f"{layout.stored.byteorder}u{layout.stored.itemsize}")
        values = rows.view(bits).reshape(shape)
        return np.cumsum(values, axis=1, dtype=bits.newbyteorder("=")).view(native)
    return rows.view(layout.stored).astype(native, copy=False).reshape(shape)


def _side_by_side(samples: np.ndarray, layout: Layout) -> np.ndarray:
    if not layout.is_tiled:
        return samples
    tiles = samples.reshape(
        -1, layout.across, layout.piece_rows, layout.piece_width, layout.piece_samples
    )
    return tiles.transpose(0, 2, 1, 3, 4).reshape(
        -1, layout.across * layout.piece_width, layout.piece_samples
    )
