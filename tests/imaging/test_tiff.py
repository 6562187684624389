"""TIFF files: of others in every depth and arrangement, of our own read by others."""

import struct
import subprocess
import sys
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.memory import STREAM, TOLD

from acutance.errors import InputError, RunError
from acutance.imaging.picture import Metadata, Picture
from acutance.imaging.tiff import open_tiff, reader, tiff_sink, writer

DTYPES = [np.uint8, np.uint16, np.float32]


def noise(*shape: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return random.normal(0.5, 1, shape).astype(dtype)
    return random.integers(0, np.iinfo(dtype).max + 1, shape, dtype)


def read(path: Path, *, rows: int = 10**6) -> Picture:
    source = open_tiff(path)
    assert source is not None
    with closing(source):
        facts, parts = source.facts, []
        while (part := source.read(rows)).height:
            parts.append(part)
    assert all(part.height == rows for part in parts[:-1])
    pixels = np.concatenate([part.pixels for part in parts])
    assert pixels.shape == (facts.height, facts.width, facts.channels)
    assert pixels.dtype == facts.dtype
    alpha = None
    if facts.has_alpha:
        alpha = np.concatenate([part.alpha for part in parts])
        assert (alpha.shape, alpha.dtype) == (pixels.shape[:2], pixels.dtype)
    return Picture(pixels, alpha, facts.metadata)


def write(
    path: Path, picture: Picture, *, rows: int = 10**6, compression: int | None = None
) -> None:
    with closing(tiff_sink(path, picture.facts, compression=compression)) as sink:
        for top in range(0, picture.height, rows):
            alpha = None if picture.alpha is None else picture.alpha[top : top + rows]
            sink.write(Picture(picture.pixels[top : top + rows], alpha))


def refusal(path: Path, data: bytes | bytearray) -> str:
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path} ")
    return str(caught.value).removeprefix(f"{path} ")


def damage(path: Path, data: bytes | bytearray) -> str:
    said = refusal(path, data)
    front, behind = "is damaged or cut short (", "). Get it again, or remove it."
    assert said.startswith(front)
    assert said.endswith(behind)
    return said.removeprefix(front).removesuffix(behind)


@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_what_tifffile_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tifffile = pytest.importorskip("tifffile")
    draw = data.draw
    dtype = draw(st.sampled_from([*DTYPES, np.float16, np.float64]))
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    channels, has_alpha = draw(st.sampled_from([1, 3])), draw(st.booleans())
    samples = channels + has_alpha
    values = noise(height, width, samples, dtype=dtype, seed=draw(st.integers(0, 9)))
    is_planar = draw(st.booleans()) and samples > 1
    tile = (draw(st.sampled_from([16, 32])), draw(st.sampled_from([16, 48])))
    is_compressed = draw(st.booleans())
    can_predict = is_compressed and np.dtype(dtype).kind == "u"
    shaped = values.transpose(2, 0, 1) if is_planar else values
    path = tmp_path_factory.mktemp("theirs") / "a.tif"
    tifffile.imwrite(
        path,
        shaped[:, :, 0] if samples == 1 else shaped,
        byteorder=draw(st.sampled_from("<>")),
        bigtiff=draw(st.booleans()),
        photometric="rgb" if channels == 3 else "minisblack",
        planarconfig=None if samples == 1 else "separate" if is_planar else "contig",
        extrasamples=["unassalpha"] if has_alpha else None,
        compression=draw(st.sampled_from(["zlib", "lzma"])) if is_compressed else None,
        predictor=draw(st.booleans()) if can_predict else None,
        rowsperstrip=draw(st.sampled_from([None, 1, 7, 40])),
        tile=draw(st.sampled_from([None, tile])),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_BAND_BYTES", draw(st.sampled_from([1, 500, 2**20])))
        patch.setattr("acutance.imaging.tiff.layout._LARGE_STRIP", draw(st.sampled_from([1, 300])))
        picture = read(path, rows=draw(st.integers(1, 41)))
    expected = values.astype(np.float32) if np.dtype(dtype).kind == "f" else values
    assert picture.pixels.dtype == expected.dtype
    np.testing.assert_array_equal(picture.pixels, expected[:, :, :channels])
    assert (picture.alpha is not None) == has_alpha
    if picture.alpha is not None:
        np.testing.assert_array_equal(picture.alpha, expected[:, :, -1])


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("rows", [None, 6])
def test_large_strips_without_compression_are_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planar: str, rows: int | None
) -> None:
    """Also where the last strip is shorter and each sample has strips of its own."""
    tifffile = pytest.importorskip("tifffile")
    monkeypatch.setattr("acutance.imaging.tiff.layout._LARGE_STRIP", 100)
    monkeypatch.setattr(reader, "_BAND_BYTES", 1)
    values = noise(16, 20, 3, dtype=np.uint16)
    shaped = values.transpose(2, 0, 1) if planar == "separate" else values
    tifffile.imwrite(
        tmp_path / "a.tif", shaped, photometric="rgb", planarconfig=planar, rowsperstrip=rows
    )
    np.testing.assert_array_equal(read(tmp_path / "a.tif", rows=3).pixels, values)


@pytest.mark.parametrize(
    "compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma"]
)
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16", "I;16B", "F"])
def test_what_pillow_writes_is_read(tmp_path: Path, mode: str, compression: str) -> None:
    dtype = {"I;16": "<u2", "I;16B": ">u2", "F": "<f4"}.get(mode, "u1")
    samples = len(mode) if mode in ("LA", "RGB", "RGBA") else 1
    values = np.repeat(noise(37, 20, samples, dtype=np.dtype(dtype).type), 2, axis=1)
    image = Image.frombytes(mode, (40, 37), values.astype(dtype).tobytes())
    predictor = {"tiff_lzw": 2, "tiff_adobe_deflate": 2}.get(compression, 1)
    info = {317: 3 if mode == "F" and predictor == 2 else predictor} if predictor > 1 else {}
    image.save(tmp_path / "a.tif", compression=compression, tiffinfo=info, strip_size=700)
    picture = read(tmp_path / "a.tif", rows=5)
    channels = samples - (samples + 1) % 2
    np.testing.assert_array_equal(picture.pixels, values[:, :, :channels])
    if samples in (2, 4):
        np.testing.assert_array_equal(picture.alpha, values[:, :, -1])


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.sampled_from([1, 3]),
    has_alpha=st.booleans(),
    dtype=st.sampled_from(DTYPES),
    rows=st.integers(1, 41),
    compression=st.sampled_from([None, 0, 1, 9]),
    strip_bytes=st.sampled_from([1, 500, 2**18]),
    is_big=st.booleans(),
)
def test_what_is_written_is_read_by_us_and_by_others(
    tmp_path_factory: pytest.TempPathFactory,
    height: int,
    width: int,
    channels: int,
    has_alpha: bool,
    dtype: type,
    rows: int,
    compression: int | None,
    strip_bytes: int,
    is_big: bool,
) -> None:
    tifffile = pytest.importorskip("tifffile")
    path = tmp_path_factory.mktemp("ours") / "a.tif"
    values = noise(height, width, 4, dtype=dtype)
    written = Picture(values[:, :, :channels], values[:, :, 3] if has_alpha else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "_STRIP_BYTES", strip_bytes)
        patch.setattr(writer, "_LARGEST", 0 if is_big else 2**32)
        write(path, written, rows=rows, compression=compression)
    picture = read(path)
    np.testing.assert_array_equal(picture.pixels, written.pixels)
    np.testing.assert_array_equal(picture.alpha, written.alpha)
    if dtype is np.float32 and compression != 0:  # tifffile has no float predictor of its own
        if channels == 1 and not has_alpha and not is_big:
            with Image.open(path) as theirs:
                np.testing.assert_array_equal(np.asarray(theirs), written.pixels[:, :, 0])
        return
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff == is_big
        theirs = file.asarray().reshape(height, width, channels + has_alpha)
        assert not has_alpha or file.pages[0].extrasamples == (2,)
    np.testing.assert_array_equal(theirs[:, :, :channels], written.pixels)


def test_more_compression_makes_a_smaller_file(tmp_path: Path) -> None:
    y, x = np.mgrid[:300, :400]
    slope = np.stack([x / 400, y / 300, np.sin(x / 37 + y / 53) ** 2], axis=2)
    for dtype in DTYPES:
        most = 1 if dtype is np.float32 else np.iinfo(dtype).max
        sizes = []
        for compression in (0, None, 9):
            write(
                tmp_path / "a.tif", Picture((slope * most).astype(dtype)), compression=compression
            )
            sizes.append((tmp_path / "a.tif").stat().st_size)
        assert sizes[2] < sizes[1] < 0.8 * sizes[0]


def hand_made(fields: dict[int, tuple[int, tuple[int, ...]]], body: bytes) -> bytes:
    """A little-endian file of one directory; fields: tag -> kind (3 or 4) and values."""
    start = 8 + 2 + 12 * len(fields) + 4
    lines, values = b"", b""
    for tag, (kind, numbers) in sorted(fields.items()):
        value = struct.pack(f"<{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        field = value.ljust(4, b"\0")
        if len(value) > 4:
            field = struct.pack("<I", start + len(body) + len(values))
            values += value
        lines += struct.pack("<HHI", tag, kind, len(numbers)) + field
    head = b"II*\0" + struct.pack("<IH", 8, len(fields))
    return head + lines + bytes(4) + body + values


def described(values: np.ndarray, **changes: tuple[int, ...]) -> bytes:
    """An uncompressed file of `values` (H, W, samples) as its directory would say, or otherwise."""
    height, width, samples = values.shape
    body = values.astype(values.dtype.newbyteorder("<")).tobytes()
    fields = {
        "width": (256, 4, (width,)), "height": (257, 4, (height,)),
        "bits": (258, 3, (8 * values.dtype.itemsize,) * samples), "compression": (259, 3, (1,)),
        "colour": (262, 3, (2 if samples > 2 else 1,)), "order": (266, 3, (1,)),
        "places": (273, 4, (0,)), "orientation": (274, 3, (1,)), "samples": (277, 3, (samples,)),
        "rows": (278, 4, (height,)), "sizes": (279, 4, (len(body),)), "planar": (284, 3, (1,)),
        "predictor": (317, 3, (1,)), "extra": (338, 3, (2,)), "format": (339, 3, (1,) * samples),
    }  # fmt: skip
    made = {
        tag: (kind, changes.get(name, numbers)) for name, (tag, kind, numbers) in fields.items()
    }
    made[273] = (4, changes.get("places", (8 + 2 + 12 * len(made) + 4,)))
    return hand_made(made, body)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_alpha_is_divided_out(tmp_path: Path, dtype: type) -> None:
    full = np.iinfo(dtype).max
    alpha = np.array([[0, full // 2, full]], dtype)
    colours = np.array([[[9, 9, 9], [full // 4, full // 2, 0], [1, 2, full]]], dtype)
    values = np.concatenate([colours, alpha[:, :, None]], axis=2)
    (tmp_path / "a.tif").write_bytes(described(values, extra=(1,)))
    picture = read(tmp_path / "a.tif")
    half = round(full // 4 * full / (full // 2))
    np.testing.assert_array_equal(picture.pixels[0], [[0, 0, 0], [half, full, 0], [1, 2, full]])
    np.testing.assert_array_equal(picture.alpha, alpha)


def test_white_is_zero_is_inverted(tmp_path: Path) -> None:
    values = noise(3, 4, 1, dtype=np.uint16)
    (tmp_path / "a.tif").write_bytes(described(values, colour=(0,)))
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, 65535 - values)


def test_a_fourth_sample_without_a_meaning_is_left_out(tmp_path: Path) -> None:
    values = noise(3, 4, 4, dtype=np.uint16)
    (tmp_path / "a.tif").write_bytes(described(values, extra=(0,)))
    picture = read(tmp_path / "a.tif")
    assert picture.alpha is None
    np.testing.assert_array_equal(picture.pixels, values[:, :, :3])


@pytest.mark.parametrize("stored", range(1, 9))
def test_turned_pictures_are_given_upright(tmp_path: Path, stored: int) -> None:
    values = noise(5, 7, 4, dtype=np.uint16)
    (tmp_path / "a.tif").write_bytes(described(values, orientation=(stored,)))
    picture = read(tmp_path / "a.tif", rows=2)
    turns = {
        1: values, 2: values[:, ::-1], 3: values[::-1, ::-1], 4: values[::-1],
        5: values.transpose(1, 0, 2), 6: np.rot90(values, -1),
        7: np.rot90(values, 2).transpose(1, 0, 2), 8: np.rot90(values),
    }  # fmt: skip
    np.testing.assert_array_equal(picture.pixels, turns[stored][:, :, :3])
    np.testing.assert_array_equal(picture.alpha, turns[stored][:, :, 3])


def exif_block(order: str) -> bytes:
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F] = "a camera"
    exif[0x0132] = "2026:01:02 03:04:05"
    exif.get_ifd(0x8769)[0x829A] = 0.004
    exif.get_ifd(0x8769)[0x9003] = "2026:01:02 03:04:05"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 12.5)
    return exif.tobytes()[6:]


def exif_content(block: bytes | None) -> dict[str, dict]:
    exif = Image.Exif()
    exif.load(block or b"")
    first = {tag: value for tag, value in exif.items() if tag not in (0x8769, 0x8825)}
    return {"first": first, "exif": exif.get_ifd(0x8769), "gps": exif.get_ifd(0x8825)}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_big", [False, True])
def test_metadata_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, is_big: bool
) -> None:
    monkeypatch.setattr(writer, "_LARGEST", 0 if is_big else 2**32)
    block = exif_block(order)
    metadata = Metadata(
        icc=bytes(range(256)) * 9 + b"x",
        exif=block,
        xmp="<x:xmpmeta>é</x:xmpmeta>".encode(),
        dpi=(300.0, 72.5),
        text={"Description": "a café", "Unknown": "lost"},
    )
    path = tmp_path / "a.tif"
    write(path, Picture(noise(9, 8, 3), None, metadata))
    again = read(path).metadata
    assert (again.icc, again.xmp, again.dpi) == (metadata.icc, metadata.xmp, metadata.dpi)
    wanted = exif_content(block)
    assert wanted["exif"]
    assert wanted["gps"]
    found = exif_content(again.exif)
    assert found["first"].pop(270)
    assert found == wanted
    with Image.open(path) as theirs:
        assert theirs.info["icc_profile"] == metadata.icc
        assert theirs.info["dpi"] == metadata.dpi
        assert theirs.getexif()[0x010F] == "a camera"
        assert theirs.getexif().get_ifd(0x8769)[0x9003] == "2026:01:02 03:04:05"


def test_exif_of_a_tiff_of_pillow_is_read(tmp_path: Path) -> None:
    block = exif_block("<")
    Image.fromarray(noise(9, 8, 3)).save(tmp_path / "a.tif", exif=block, dpi=(100, 200))
    metadata = read(tmp_path / "a.tif").metadata
    assert exif_content(metadata.exif) == exif_content(block)
    assert metadata.dpi == (100.0, 200.0)


def test_damaged_exif_does_not_hide_the_picture(tmp_path: Path) -> None:
    values = noise(4, 5, 1)
    data = hand_made(
        {256: (4, (5,)), 257: (4, (4,)), 258: (3, (8,)), 262: (3, (1,)), 273: (4, (110,)),
         278: (4, (4,)), 279: (4, (20,)), 34665: (4, (2**31,))}, values.tobytes(),
    )  # fmt: skip
    (tmp_path / "a.tif").write_bytes(data)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, values)


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr", "LAB"])
def test_other_colours_of_8_bits_are_left_to_others(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (4, 4)).save(tmp_path / "a.tif")
    assert open_tiff(tmp_path / "a.tif") is None


def test_jpeg_in_tiff_is_left_to_others(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.tif", compression="jpeg")
    assert open_tiff(tmp_path / "a.tif") is None


ADVICE = "Save it as grey or RGB with 8, 16 or 32 (float) bits, compressed by deflate or not."


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"colour": (5,)}, "the colour kind 5"),
        ({"compression": (34712,)}, "the compression 34712"),
        ({"format": (2, 2, 2)}, "numbers of this kind"),
        ({"bits": (16, 8, 16)}, "channels of different depths"),
        ({"predictor": (3,)}, "the predictor 3"),
        ({"order": (2,)}, "bits in reversed order"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_more_bits_of_other_kinds_are_refused(tmp_path: Path, changes: dict, problem: str) -> None:
    said = refusal(tmp_path / "a.tif", described(noise(4, 5, 3, dtype=np.uint16), **changes))
    assert said == f"has {problem}, which is not read with 16 bits per channel. {ADVICE}"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"width": (0,)}, "it claims to be 0x4 pixels"),
        ({"height": (2**31,)}, "it claims to be 5x2147483648 pixels"),
        ({"samples": (2,)}, "it claims 2 samples of 3 channels"),
        ({"rows": (0,)}, "pieces of 5x0 pixels"),
        ({"rows": (1,)}, "1 of 4 strips or tiles"),
        ({"places": (2**31,)}, "it ends inside its pixels"),
        ({"sizes": (119,)}, "a strip or tile has 119 bytes for 120 of pixels"),
        ({"width": (50_000,), "height": (60_000,), "rows": (60_000,)},
         "a strip or tile has 120 bytes for 18000000000 of pixels"),
        ({"compression": (8,)}, "its pixels cannot be decompressed: decoder error -2"),
        ({"width": ()}, "the tag 256 is not a number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict, reason: str) -> None:
    data = described(noise(4, 5, 3, dtype=np.uint16), **changes)
    assert damage(tmp_path / "a.tif", data) == reason


def test_pages_are_refused_and_smaller_versions_are_not_pages(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    path = tmp_path / "a.tif"
    pixels = noise(16, 16, 3, dtype=np.uint16)
    with tifffile.TiffWriter(path) as file:
        file.write(pixels, photometric="rgb")
        file.write(pixels[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(read(path).pixels, pixels)
    with tifffile.TiffWriter(path, append=True) as file:
        file.write(pixels, photometric="rgb")
    assert refusal(path, path.read_bytes()) == (
        "holds 2 pictures (an animation or pages); one is needed. "
        "Save the one you want as a file of its own."
    )


def test_directories_in_a_ring_end(tmp_path: Path) -> None:
    data = bytearray(described(noise(4, 5, 3)))
    struct.pack_into("<I", data, 8 + 2 + 12 * 15, 8)
    (tmp_path / "a.tif").write_bytes(data)
    assert read(tmp_path / "a.tif").height == 4


def good(compression: str) -> bytes:
    encoded = BytesIO()
    pixels = Image.fromarray(np.repeat(noise(20, 12, 3), 2, axis=1))
    exif = exif_block("<") if compression == "raw" else b""  # Pillow cannot write both
    pixels.save(encoded, format="TIFF", compression=compression, exif=exif)
    return encoded.getvalue()


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_damaged_bytes_end_in_a_refusal_or_a_picture(
    tmp_path_factory: pytest.TempPathFactory, compression: str, data: st.DataObject
) -> None:
    damaged = bytearray(good(compression))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "a.tif"
    path.write_bytes(damaged[: data.draw(st.integers(0, 2 * len(damaged)))])
    with suppress(InputError):
        source = open_tiff(path)
        if source is not None:
            with closing(source):
                facts = source.facts
                if facts.width * facts.height < 10**7:  # else it is for callers to decide
                    source.read(facts.height)


def test_missing_and_wrong_rows_are_an_error(tmp_path: Path) -> None:
    picture = Picture(noise(10, 4, 3))
    sink = tiff_sink(tmp_path / "a.tif", picture.facts, compression=None)
    sink.write(Picture(picture.pixels[:7]))
    with pytest.raises(RunError, match=r"^The rows for a file must be uint8"):
        sink.write(Picture(noise(2, 4, 1)))
    with pytest.raises(RunError, match=r"^3 of the picture's 10 rows were not written"):
        sink.close()


@TOLD
def test_memory_does_not_depend_on_the_height(tmp_path: Path) -> None:
    """48 MB in one strip, uncompressed, through a reader and a writer."""
    rows = np.zeros((4000, 2000, 3), np.uint16)
    rows[::3, ::5] = 200
    (tmp_path / "a.tif").write_bytes(described(rows))
    command = [sys.executable, "-c", STREAM, str(tmp_path / "a.tif"), str(tmp_path / "b.tif")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    held, used = map(int, said.split())
    assert used < held + 2**22 < rows.nbytes / 2  # 4 MiB: what Pillow is itself
    np.testing.assert_array_equal(read(tmp_path / "b.tif").pixels, rows)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_a_directory_of_any_kinds_and_values_ends_in_a_refusal_or_a_picture(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """What a fuzzer that knows the format does: every field may be of every kind and length."""
    values = noise(4, 5, 3)
    content = bytearray(described(values))
    extra = data.draw(st.sampled_from([34665, 34853, 282, 296, 254, 700, 34675, 270]))
    struct.pack_into("<H", content, 10 + 12 * 14, extra)  # in the place of the sample format
    for _ in range(data.draw(st.integers(1, 3))):
        line = 10 + 12 * data.draw(st.integers(0, 14))
        kind = data.draw(st.integers(0, 19))
        count = data.draw(st.sampled_from([0, 1, 2, 4, 2**28, 2**32 - 1]))
        field = data.draw(st.binary(min_size=4, max_size=4) | st.just(b"\0\0\xc0\x7f"))
        struct.pack_into("<HI4s", content, line + 2, kind, count, field)
    path = tmp_path_factory.mktemp("fields") / "a.tif"
    path.write_bytes(content)
    with suppress(InputError):
        source = open_tiff(path)
        if source is not None:
            with closing(source):
                if source.facts.width * source.facts.height < 10**7:
                    source.read(source.facts.height)
