"""The filters of PNG rows, which take off what the neighbours foretell (section 9)."""

import zlib

import numpy as np
from PIL import Image

NONE, SUB, UP, AVERAGE, PAETH = range(5)
_BLOCK_BYTES = 2**17  # filtered at once: the few arrays of it fit into a core's cache
# bytes of a pixel -> Pillow's mode whose pixels have as many
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def filter_rows(
    rows: np.ndarray, previous: np.ndarray, *, pixel_bytes: int, choose: bool
) -> np.ndarray:
    """uint8 (rows, bytes) as (rows, 1 + bytes), each row behind the number of its filter.

    `previous` is the row before the first, zeros where there is none. The filter is the average,
    or if `choose`, for each row the one with the least sum of absolute values (section 12.7).
    """
    count, size = rows.shape
    filtered = np.empty((count, size + 1), dtype=np.uint8)
    step = max(_BLOCK_BYTES // size, 1)
    for top in range(0, count, step):
        block = rows[top : top + step]
        above = np.concatenate([previous[None] if top == 0 else rows[top - 1 : top], block[:-1]])
        left = np.zeros_like(block)
        left[:, pixel_bytes:] = block[:, :-pixel_bytes]
        if choose:
            _choose(block, left, above, pixel_bytes, out=filtered[top : top + step])
        else:
            filtered[top : top + step, 0] = AVERAGE
            mean = _mean(left, above)
            np.subtract(block, mean, out=filtered[top : top + step, 1:])
    return filtered


def _mean(left: np.ndarray, above: np.ndarray) -> np.ndarray:
    """floor((a + b) / 2) without leaving 8 bits: (a & b) + (a ^ b) / 2. Takes `above` over."""
    mean = left & above
    above ^= left
    above >>= 1
    mean += above
    return mean


def _choose(
    block: np.ndarray, left: np.ndarray, above: np.ndarray, pixel_bytes: int, *, out: np.ndarray
) -> None:
    corner = np.zeros_like(block)
    corner[:, pixel_bytes:] = above[:, :-pixel_bytes]
    best = np.full(len(block), np.iinfo(np.int64).max)
    foretold = {
        NONE: lambda: np.zeros_like(block),
        SUB: lambda: left,
        UP: lambda: above,
        PAETH: lambda: _paeth(left, above, corner),
        AVERAGE: lambda: _mean(left, above),  # the last: it takes `above` over
    }
    for number, foretell in foretold.items():
        rest = block - foretell()
        cost = np.minimum(rest, 0 - rest).sum(axis=1, dtype=np.int64)  # |rest| as signed bytes
        better = cost < best
        best[better] = cost[better]
        out[better, 0] = number
        out[better, 1:] = rest[better]


def _paeth(left: np.ndarray, above: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """The neighbour next to left + above - corner; of equals left, then above (section 9.4)."""
    a, b, c = (x.astype(np.int16) for x in (left, above, corner))
    to_left, to_above = np.abs(b - c), np.abs(a - c)
    to_corner = np.abs(a + b - 2 * c)
    use_left = (to_left <= to_above) & (to_left <= to_corner)
    return np.where(use_left, left, np.where(to_above <= to_corner, above, corner))


def unfilter_rows(filtered: np.ndarray, previous: np.ndarray, *, pixel_bytes: int) -> np.ndarray:
    """uint8 (rows, 1 + bytes) as (rows, bytes): undoes what each row's first byte names.

    The numbers must be 0 to 4. `previous` is the decoded row before the first.

    Each row hangs on the one above and each pixel on the one to its left, so this is Pillow's
    decoder in C: the rows go to it behind `previous` as an unfiltered row, wrapped by deflate
    without compression. It knows pixels of up to 4 bytes. Since filters work byte by byte, the
    first halves of pixels of 6 or 8 bytes are a picture for itself, and so are the second.
    """
    count, size = len(filtered), filtered.shape[1] - 1
    if not filtered[:, 0].any():
        return filtered[:, 1:]
    halves = 2 if pixel_bytes > 4 else 1
    part = pixel_bytes // halves
    width = size // pixel_bytes
    lines = np.empty((halves, count + 1, 1 + width * part), dtype=np.uint8)
    lines[:, 0, 0] = NONE
    lines[:, 1:, 0] = filtered[:, 0]
    _halved(lines, part)[:, 0] = _whole(previous[None], halves, part)[:, 0]
    _halved(lines, part)[:, 1:] = _whole(filtered[:, 1:], halves, part)
    image = Image.frombytes(
        _MODES[part], (width, halves * (count + 1)), zlib.compress(lines.data, 0), "zip",
        _MODES[part], 0,
    )  # fmt: skip
    decoded = np.frombuffer(image.tobytes(), dtype=np.uint8).reshape(halves, count + 1, -1)
    if halves == 1:
        return decoded[0, 1:]
    parts = decoded[:, 1:].reshape(halves, count, width, part)
    return parts.transpose(1, 2, 0, 3).reshape(count, size)


def _halved(lines: np.ndarray, part: int) -> np.ndarray:
    halves, count, size = lines.shape
    return lines[:, :, 1:].reshape(halves, count, (size - 1) // part, part, copy=False)


def _whole(rows: np.ndarray, halves: int, part: int) -> np.ndarray:
    """(rows, bytes) seen as (halves, rows, pixels, bytes of a half)."""
    count, size = rows.shape
    pixels = rows.reshape(count, size // (halves * part), halves, part, copy=False)
    return pixels.transpose(2, 0, 1, 3)
