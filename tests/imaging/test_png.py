"""PNG files of our own making, read by others."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from acutance.imaging import png
from acutance.imaging.png import encode_png


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Every chunk of a file, its checksum verified."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack_from(">I", data, at + 8 + length)[0]
        found.append((kind, body))
        at += length + 12
    return found


def decode(data: bytes) -> np.ndarray:
    """By Pillow; the whole stream's checksum, which Pillow leaves unread, by zlib."""
    stream = b"".join(body for kind, body in chunks(data) if kind == b"IDAT")
    zlib.decompress(stream)
    values = np.asarray(Image.open(BytesIO(data)))
    return values[:, :, None] if values.ndim == 2 else values


@settings(deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.integers(1, 4),
    band_bytes=st.sampled_from([1, 100, 1000, 10**6]),
    seed=st.integers(0, 99),
)
def test_others_read_what_was_written(
    height: int, width: int, channels: int, band_bytes: int, seed: int
) -> None:
    """In one band, in bands of several rows, and in one for each row."""
    values = noise(height, width, channels, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png, "_BAND_BYTES", band_bytes)
        np.testing.assert_array_equal(decode(encode_png(values)), values)


@pytest.mark.parametrize("level", [0, 255])
def test_the_checksum_of_many_bands_is_that_of_the_whole(level: int) -> None:
    """Large enough for every sum to pass its modulus many times."""
    values = np.full((900, 3000, 3), level, np.uint8)
    values[::7, ::5] = noise(129, 600, 3)
    data = encode_png(values)
    assert sum(kind == b"IDAT" for kind, _ in chunks(data)) > 4
    np.testing.assert_array_equal(decode(data), values)


def test_a_view_is_written_as_its_copy() -> None:
    values = noise(60, 80, 4)[3:50:2, ::-1, :3]
    assert encode_png(values) == encode_png(values.copy())


def test_a_slope_with_grain_is_not_much_larger_than_pillow_makes_it() -> None:
    """Ours gives size for speed, within 1.2 times."""
    y, x = np.mgrid[:400, :600]
    slope = np.stack([100 + 90 * np.sin(x / 37 + y / 53)] * 3, axis=2) + noise(400, 600, 3) % 6
    values = slope.astype(np.uint8)
    theirs = BytesIO()
    Image.fromarray(values).save(theirs, format="PNG")
    assert len(encode_png(values)) <= 1.2 * len(theirs.getvalue())
