"""PNG files of our own making, read by others."""

import struct
import zlib
from contextlib import closing, suppress
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from acutance.errors import InputError, RunError
from acutance.imaging.picture import Facts, Metadata, Picture
from acutance.imaging.png import encode_png, open_png, png_sink, writer


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
        patch.setattr(writer, "_BAND_BYTES", band_bytes)
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


def write(path: Path, picture: Picture, *, rows: int, compression: int | None = None) -> None:
    with closing(png_sink(path, picture.facts, compression=compression)) as sink:
        for top in range(0, picture.height, rows):
            alpha = None if picture.alpha is None else picture.alpha[top : top + rows]
            sink.write(Picture(picture.pixels[top : top + rows], alpha))


def read(path: Path) -> Picture:
    with closing(open_png(path)) as source:
        return source.read(source.facts.height)


@settings(deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.sampled_from([1, 3]),
    has_alpha=st.booleans(),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    rows=st.integers(1, 41),
    compression=st.sampled_from([None, *range(10)]),
    band_bytes=st.sampled_from([1, 100, 1000, 10**6]),
)
def test_rows_written_in_pieces_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    height: int,
    width: int,
    channels: int,
    has_alpha: bool,
    dtype: type,
    rows: int,
    compression: int | None,
    band_bytes: int,
) -> None:
    path = tmp_path_factory.mktemp("pieces") / "a.png"
    levels = np.iinfo(dtype).max + 1
    values = np.random.default_rng(height).integers(0, levels, (height, width, 4), dtype)
    written = Picture(values[:, :, :channels], values[:, :, 3] if has_alpha else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "_BAND_BYTES", band_bytes)
        write(path, written, rows=rows, compression=compression)
    picture = read(path)
    assert picture.pixels.dtype == dtype
    np.testing.assert_array_equal(picture.pixels, written.pixels)
    np.testing.assert_array_equal(picture.alpha, written.alpha)
    if dtype is np.uint8:
        theirs = decode(path.read_bytes())
        np.testing.assert_array_equal(theirs[:, :, :channels], written.pixels)


def smooth(dtype: type) -> Picture:
    y, x = np.mgrid[:300, :400]
    slope = np.stack([x / 400, y / 300, np.sin(x / 37 + y / 53) ** 2], axis=2)
    slope = slope * np.iinfo(dtype).max * 0.9 + noise(300, 400, 3) % 4
    return Picture(slope.astype(dtype))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_more_compression_makes_a_smaller_file(tmp_path: Path, dtype: type) -> None:
    sizes = []
    for compression in (0, None, 4, 6, 9):
        write(tmp_path / "a.png", smooth(dtype), rows=50, compression=compression)
        np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, smooth(dtype).pixels)
        sizes.append((tmp_path / "a.png").stat().st_size)
    # some bytes of zlib's own choosing are no matter
    assert all(more <= 1.001 * less for less, more in pairwise(sizes))
    assert sizes[-1] < 0.97 * sizes[1]


def test_filters_are_chosen_as_pillow_chooses_them(tmp_path: Path) -> None:
    """zlib's level 6 with filters by least sum is what Pillow does: nearly the same size."""
    picture = smooth(np.uint8)
    theirs = BytesIO()
    Image.fromarray(picture.pixels).save(theirs, format="PNG", compress_level=6)
    write(tmp_path / "a.png", picture, rows=50, compression=6)
    assert abs((tmp_path / "a.png").stat().st_size / len(theirs.getvalue()) - 1) < 0.03


def test_metadata_comes_back(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    metadata = Metadata(
        icc=bytes(range(256)) * 9,
        exif=exif.tobytes()[6:],
        xmp="<x:xmpmeta>é</x:xmpmeta>".encode(),
        dpi=(300.0, 72.0),
        text={"Title": "café", "Author": "写", "a  long\0 key " + "y" * 99: "a\0b"},
    )
    write(tmp_path / "a.png", Picture(noise(3, 4, 3), None, metadata), rows=3)
    again = read(tmp_path / "a.png").metadata
    assert (again.icc, again.exif, again.xmp) == (metadata.icc, metadata.exif, metadata.xmp)
    assert again.dpi == metadata.dpi
    assert dict(again.text) == {
        "Title": "café", "Author": "写", ("a long key " + "y" * 99)[:79]: "a b"
    }  # fmt: skip
    with Image.open(tmp_path / "a.png") as theirs:
        assert theirs.info["icc_profile"] == metadata.icc
        assert theirs.getexif()[0x010F] == "a camera"
        assert theirs.info["dpi"] == pytest.approx((300, 72), abs=0.01)
        assert theirs.info["XML:com.adobe.xmp"] == metadata.xmp.decode()


def test_missing_rows_are_an_error(tmp_path: Path) -> None:
    picture = Picture(noise(10, 4, 3))
    sink = png_sink(tmp_path / "a.png", picture.facts, compression=None)
    sink.write(Picture(picture.pixels[:7]))
    with pytest.raises(
        RunError, match=r"^3 of the picture's 10 rows were not written to its file.$"
    ):
        sink.close()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (Picture(noise(11, 4, 3)), "More than the picture's 10 rows were written to its file."),
        (
            Picture(noise(2, 5, 3)),
            "The rows for a file must be uint8 of shape (2, 4, 3), not uint8 of shape (2, 5, 3).",
        ),
        (
            Picture(np.zeros((2, 4, 3), np.uint16)),
            "The rows for a file must be uint8 of shape (2, 4, 3), not uint16 of shape (2, 4, 3).",
        ),
        (
            Picture(noise(2, 4, 3), noise(2, 4)),
            "The rows for a file must all have alpha or none, as its facts say.",
        ),
    ],
    ids=["too many", "shape", "dtype", "alpha"],
)
def test_rows_that_do_not_fit_are_an_error(tmp_path: Path, rows: Picture, message: str) -> None:
    sink = png_sink(tmp_path / "a.png", Picture(noise(10, 4, 3)).facts, compression=None)
    with pytest.raises(RunError) as caught:
        sink.write(rows)
    assert str(caught.value) == message
    with suppress(RunError):
        sink.close()


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            Facts(4, 4, 3, np.dtype(np.float32), False),
            ": PNG holds 8 or 16 bits a channel, not float32.",
        ),
        (
            Facts(4, 0, 3, np.dtype(np.uint8), False),
            ": 4x0 is not a size that PNG can hold: 1 to 2147483647 pixels a side.",
        ),
    ],
    ids=["float", "empty"],
)
def test_what_png_cannot_hold_is_refused(tmp_path: Path, facts: Facts, message: str) -> None:
    with pytest.raises(InputError) as caught:
        png_sink(tmp_path / "a.png", facts, compression=None)
    assert str(caught.value) == f"{tmp_path / 'a.png'}{message}"
    assert not list(tmp_path.iterdir())
