"""PNG files of others: every depth, colour type, filter and interlacing, in pieces of any size."""

import struct
import subprocess
import sys
import zlib
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.imaging import png_files
from tests.memory import STREAM, TOLD

from acutance.errors import InputError
from acutance.imaging.picture import Picture
from acutance.imaging.png import open_png, reader
from acutance.imaging.png.header import GREY, PALETTE

KINDS = [
    *((0, depth) for depth in (1, 2, 4, 8, 16)),
    *((3, depth) for depth in (1, 2, 4, 8)),
    *((colour, depth) for colour in (2, 4, 6) for depth in (8, 16)),
]


def noise(*shape: int, levels: int = 256, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, levels, shape)


def read(path: Path, *, rows: int = 10**6) -> Picture:
    with closing(open_png(path)) as source:
        facts, parts = source.facts, []
        while (part := source.read(rows)).height:
            parts.append(part)
    assert all(part.height == rows for part in parts[:-1])
    pixels = np.concatenate([part.pixels for part in parts])
    assert pixels.shape == (facts.height, facts.width, facts.channels)
    assert pixels.dtype == facts.dtype
    assert (parts[0].alpha is not None) == facts.has_alpha
    alpha = np.concatenate([p.alpha for p in parts]) if facts.has_alpha else None
    return Picture(pixels, alpha, facts.metadata)


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    return str(caught.value).removeprefix(f"{path} ")


def damage(path: Path, data: bytes) -> str:
    said = refusal(path, data)
    front, behind = "is damaged or cut short (", "). Get it again, or remove it."
    assert said.startswith(front)
    assert said.endswith(behind)
    return said.removeprefix(front).removesuffix(behind)


@pytest.mark.parametrize(("colour", "depth"), KINDS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_every_kind_is_read_as_it_was_made(
    tmp_path_factory: pytest.TempPathFactory, colour: int, depth: int, data: st.DataObject
) -> None:
    height, width = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
    samples = png_files.SAMPLES[colour]
    values = noise(height, width, samples, levels=2**depth, seed=data.draw(st.integers(0, 9)))
    filters = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
    palette = noise(2**depth, 3, seed=5).astype(np.uint8) if colour == PALETTE else None
    path = tmp_path_factory.mktemp("kind") / "a.png"
    extra = [(b"PLTE", palette.tobytes())] if palette is not None else []
    path.write_bytes(
        png_files.picture(
            values, depth=depth, colour=colour, filters=filters, extra=extra,
            interlace=data.draw(st.integers(0, 1)), piece=data.draw(st.sampled_from([1, 7, 1000])),
        )
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_BAND_BYTES", data.draw(st.sampled_from([1, 100, 2**20])))
        patch.setattr(reader, "_INFLATED_PIECE", data.draw(st.sampled_from([1, 50, 2**18])))
        picture = read(path, rows=data.draw(st.integers(1, 21)))
    assert picture.pixels.dtype == (np.uint16 if depth == 16 else np.uint8)
    if palette is not None:
        expected = palette[values[:, :, 0]]
    elif colour == GREY and depth < 8:
        expected = values * 255 // (2**depth - 1)
    else:
        expected = values[:, :, : samples - (samples + 1) % 2]
    np.testing.assert_array_equal(picture.pixels, expected)
    assert (picture.alpha is not None) == (colour in (4, 6))
    if picture.alpha is not None:
        np.testing.assert_array_equal(picture.alpha, values[:, :, -1])


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_what_pillow_writes_is_read(tmp_path: Path, mode: str, interlace: int) -> None:
    """Smooth, so that Pillow chooses all filters."""
    y, x = np.mgrid[:61, :83]
    values = np.stack([2 * x + y, 3 * y, 255 - x - y, x * y // 7], axis=2) % 256
    grey16 = (values[:, :, 0] * 257).astype(np.uint16)
    colours = Image.fromarray(values.astype(np.uint8), "RGBA")
    image = Image.fromarray(grey16) if mode == "I;16" else colours.convert("RGB").convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(colours.getchannel(3))
    image.save(tmp_path / "a.png")
    picture = read(tmp_path / "a.png", rows=10)
    wanted = np.asarray(image.convert("RGB") if mode == "P" else image)
    wanted = wanted * np.uint8(255) if mode == "1" else wanted
    stacked = picture.pixels
    if picture.alpha is not None:
        stacked = np.concatenate([stacked, picture.alpha[:, :, None]], axis=2)
    np.testing.assert_array_equal(stacked.reshape(wanted.shape), wanted)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey_becomes_alpha(tmp_path: Path, depth: int) -> None:
    values = noise(9, 9, 1, levels=2**depth)
    key = int(values[4, 4, 0])
    above = 0xFFFF << depth & 0xFFFF  # what is above the depth is not compared
    extra = [(b"tRNS", struct.pack(">H", key | above))]
    path = tmp_path / "a.png"
    path.write_bytes(png_files.picture(values, depth=depth, colour=0, extra=extra))
    picture = read(path)
    assert picture.alpha is not None
    opaque = 65535 if depth == 16 else 255
    np.testing.assert_array_equal(picture.alpha, np.where(values[:, :, 0] == key, 0, opaque))


@pytest.mark.parametrize("depth", [8, 16])
def test_a_transparent_colour_becomes_alpha_where_every_sample_is_equal(
    tmp_path: Path, depth: int
) -> None:
    values = noise(3, 3, 3, levels=2**depth)
    values[0, 0] = values[1, 1]
    values[2, 2] = [*values[1, 1, :2], (values[1, 1, 2] + 1) % 256]
    extra = [(b"tRNS", struct.pack(">3H", *values[1, 1]))]
    path = tmp_path / "a.png"
    path.write_bytes(png_files.picture(values, depth=depth, colour=2, extra=extra))
    picture = read(path)
    assert picture.alpha is not None
    assert np.argwhere(picture.alpha == 0).tolist() == [[0, 0], [1, 1]]
    assert picture.alpha.max() == (65535 if depth == 16 else 255)


def test_a_palette_has_its_own_opacities_and_the_rest_is_opaque(tmp_path: Path) -> None:
    values = noise(6, 7, 1, levels=4)
    palette = noise(4, 3).astype(np.uint8)
    extra = [(b"PLTE", palette.tobytes()), (b"tRNS", bytes([0, 128]))]
    path = tmp_path / "a.png"
    path.write_bytes(png_files.picture(values, depth=2, colour=3, extra=extra))
    picture = read(path)
    np.testing.assert_array_equal(picture.pixels, palette[values[:, :, 0]])
    np.testing.assert_array_equal(
        picture.alpha, np.array([0, 128, 255, 255], np.uint8)[values[:, :, 0]]
    )


def test_metadata_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    xmp = "<x:xmpmeta>é</x:xmpmeta>"
    extra = [
        (b"iCCP", b"name\0\0" + zlib.compress(b"a profile")),
        (b"pHYs", struct.pack(">IIB", 11811, 5906, 1)),
        (b"tEXt", b"Title\0caf\xe9"),
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"long")),
        (b"iTXt", "Author\0\0\0de\0Autor\0Zoë 写".encode()),
        (b"iTXt", b"Packed\0\1\0\0\0" + zlib.compress("ü".encode())),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode()),
        (b"eXIf", exif.tobytes()[6:]),
        (b"prVt", b"nobody knows"),
        (b"zTXt", b"Broken\0\0not deflate"),
    ]
    path = tmp_path / "a.png"
    path.write_bytes(png_files.picture(noise(2, 2, 3), depth=8, colour=2, extra=extra))
    metadata = read(path).metadata
    assert metadata.icc == b"a profile"
    assert metadata.dpi == (300.0, 150.0)
    assert metadata.exif == exif.tobytes()[6:]
    assert metadata.xmp == xmp.encode()
    assert dict(metadata.text) == {
        "Title": "café", "Comment": "long", "Author": "Zoë 写", "Packed": "ü"
    }  # fmt: skip


def test_exif_of_old_writers_is_found(tmp_path: Path) -> None:
    block = b"II*\0\x08\0\0\0\0\0"
    old = b"\nexif\n      16\n" + b"".join(
        [
            (b"Exif\0\0" + block).hex().encode()[:20],
            b"\n",
            (b"Exif\0\0" + block).hex().encode()[20:],
        ]
    )
    extra = [(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(old + b"\n"))]
    path = tmp_path / "a.png"
    path.write_bytes(png_files.picture(noise(2, 2, 3), depth=8, colour=2, extra=extra))
    assert read(path).metadata.exif == block
    assert not read(path).metadata.text


@pytest.mark.parametrize("stored", range(1, 9))
@pytest.mark.parametrize("behind", [False, True])
def test_turned_pictures_are_given_upright(tmp_path: Path, stored: int, behind: bool) -> None:
    values = noise(5, 7, 4, levels=65536)
    exif = Image.Exif()
    exif[0x0112] = stored
    block = exif.tobytes()[6:]
    notes = [(b"pHYs", struct.pack(">IIB", 11811, 5906, 1))]
    path = tmp_path / "a.png"
    data = png_files.picture(
        values, depth=16, colour=6, extra=notes if behind else [*notes, (b"eXIf", block)]
    )
    end = png_files.chunk(b"IEND", b"")
    path.write_bytes(
        data.removesuffix(end) + png_files.chunk(b"eXIf", block) + end if behind else data
    )
    picture = read(path, rows=2)
    turns = {
        1: values, 2: values[:, ::-1], 3: values[::-1, ::-1], 4: values[::-1],
        5: values.transpose(1, 0, 2), 6: np.rot90(values, -1),
        7: np.rot90(values, 2).transpose(1, 0, 2), 8: np.rot90(values),
    }  # fmt: skip
    np.testing.assert_array_equal(picture.pixels, turns[stored][:, :, :3])
    np.testing.assert_array_equal(picture.alpha, turns[stored][:, :, 3])
    assert picture.metadata.dpi == ((300.0, 150.0) if stored < 5 else (150.0, 300.0))
    again = Image.Exif()
    again.load(picture.metadata.exif)
    assert again[0x0112] == 1


GOOD = noise(20, 24, 3)


def good(**changes) -> bytes:
    return png_files.picture(GOOD, **{"depth": 8, "colour": 2, "filters": [1, 2, 3, 4]} | changes)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_file_cut_short_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = good(interlace=data.draw(st.integers(0, 1)))
    path = tmp_path_factory.mktemp("cut") / "a.png"
    refusal(path, whole[: data.draw(st.integers(0, len(whole) - 1))])


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_flipped_bits_are_refused_or_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(good(extra=[(b"tEXt", b"a\0b"), (b"pHYs", bytes(9))]))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.mktemp("flipped") / "a.png"
    path.write_bytes(damaged)
    with suppress(InputError):
        np.testing.assert_array_equal(read(path).pixels, GOOD)


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_damage_under_right_checksums_ends_in_a_refusal_or_a_picture(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """What a fuzzer that knows checksums does."""
    chunks = [
        png_files.header(24, 20),
        (b"PLTE", noise(16, 3).astype(np.uint8).tobytes()),
        (b"tRNS", bytes(6)),
        (b"iCCP", b"name\0\0" + zlib.compress(b"a profile")),
        (b"eXIf", b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"),
        (b"pHYs", struct.pack(">IIB", 11811, 5906, 1)),
        (b"iTXt", b"Packed\0\1\0\0\0" + zlib.compress(b"u")),
        (b"IDAT", zlib.compress(png_files.filtered(png_files.packed(GOOD, 8), [1, 2, 3, 4], 3))),
    ]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(chunks) - 1))
        kind, body = chunks[at]
        changed = bytearray(body)
        where = data.draw(st.integers(0, len(changed) - 1))
        changed[where] = data.draw(st.integers(0, 255))
        chunks[at] = kind, bytes(changed[: where + data.draw(st.integers(1, len(changed)))])
    path = tmp_path_factory.mktemp("hostile") / "a.png"
    path.write_bytes(png_files.png(*chunks))
    with suppress(InputError):
        read(path)


HEADER = png_files.header(2, 2)
PIXELS = (b"IDAT", zlib.compress(bytes(14)))
INFLATING = "its pixels cannot be inflated: Error -3 while decompressing data"


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([PIXELS], "the chunk IDAT where its header should be the first"),
        ([HEADER], "it has no chunk IDAT, the pixels"),
        ([HEADER, HEADER, PIXELS], "the chunk IHDR where its header should be the first"),
        ([png_files.header(0, 5), PIXELS], "it claims to be 0x5 pixels"),
        ([png_files.header(5, 2**31), PIXELS], "it claims to be 5x2147483648 pixels"),
        ([png_files.header(2, 2, depth=4), PIXELS], "it claims 4 bits of the colour type 2"),
        ([png_files.header(2, 2, depth=16, colour=3), PIXELS],
         "it claims 16 bits of the colour type 3"),
        ([png_files.header(2, 2, colour=5), PIXELS], "it claims 8 bits of the colour type 5"),
        ([png_files.header(2, 2, interlace=2), PIXELS], "unknown methods in its header: 0, 0, 2"),
        ([(b"IHDR", bytes(12)), PIXELS], "its header has 12 bytes, not 13"),
        ([png_files.header(2, 3), PIXELS], "its pixels end too early"),
        ([png_files.header(2, 1), PIXELS], "it has more pixels than its header says"),
        ([HEADER, (b"IDAT", PIXELS[1][:-4])], "its pixels have no end"),
        ([HEADER, (b"IDAT", PIXELS[1][:-1] + b"x")],
         f"{INFLATING}: incorrect data check"),
        ([HEADER, (b"IDAT", b"not deflate, for sure")],
         f"{INFLATING}: incorrect header check"),
        ([HEADER, (b"IDAT", zlib.compress(b"\5" * 14))], "the unknown filter 5"),
        ([HEADER, PIXELS, (b"tIME", b""), PIXELS], "its chunks IDAT do not follow each other"),
        ([png_files.header(2, 2, colour=3), PIXELS], "a palette of 0 bytes"),
        ([png_files.header(2, 2, colour=3), (b"PLTE", bytes(4)), PIXELS], "a palette of 4 bytes"),
        ([png_files.header(3, 2, colour=3), (b"PLTE", bytes(3)),
          (b"IDAT", zlib.compress(b"\0\0\0\1" * 2))],
         "a colour that its palette does not have"),
        ([HEADER, (b"iCCP", b"a\0\0junk"), PIXELS], "its colour profile cannot be inflated"),
        ([HEADER, (b"a1cd", b""), PIXELS], "b'a1cd' where the name of a chunk should be"),
        ([png_files.header(2**31 - 1, 2**31 - 1), PIXELS],
         "it claims to be 2147483647x2147483647 pixels, which the 11 bytes of them cannot hold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_said(
    tmp_path: Path, chunks: list[tuple[bytes, bytes]], reason: str
) -> None:
    assert damage(tmp_path / "a.png", png_files.png(*chunks)) == reason


def test_a_chunk_that_must_be_understood_and_is_not_is_refused(tmp_path: Path) -> None:
    """Apple's variant of PNG: its pixels are stored otherwise."""
    assert refusal(tmp_path / "a.png", png_files.png(HEADER, (b"CgBI", bytes(4)), PIXELS)) == (
        "has the chunk CgBI, which is not of the PNG standard. "
        "Save it as plain PNG with an image editor."
    )


def test_a_wrong_checksum_anywhere_is_found(tmp_path: Path) -> None:
    data = good(extra=[(b"prVt", b"nobody knows")], piece=500)
    at = 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        at += size + 12
        changed = bytearray(data)
        changed[at - 1] ^= 1
        said = damage(tmp_path / "a.png", bytes(changed))
        assert said == f"wrong checksum in the chunk {kind.decode()}"


def test_bytes_behind_the_pixels_are_no_harm(tmp_path: Path) -> None:
    """Some writers fill the last chunk up."""
    path = tmp_path / "a.png"
    path.write_bytes(png_files.png(HEADER, (PIXELS[0], PIXELS[1] + b"padding")))
    assert not read(path).pixels.any()


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
def test_a_bomb_beside_the_pixels_is_refused_without_memory(tmp_path: Path, kind: bytes) -> None:
    bomb = zlib.compress(bytes(2**24 + 1))
    front = {b"iCCP": b"a\0\0", b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0"}[kind]
    said = refusal(tmp_path / "a.png", png_files.png(HEADER, (kind, front + bomb), PIXELS))
    assert said == (
        "holds more than 16 MiB of text and colour profiles beside its pixels. "
        "Save it without them, or remove it."
    )


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not exist. Check the name.$"):
        open_png(tmp_path / "none.png")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        open_png(tmp_path)


@TOLD
def test_memory_does_not_depend_on_the_height(tmp_path: Path) -> None:
    """72 MB of pixels through a reader and a writer: no more than both say that they hold."""
    rows = np.zeros((6000, 4000, 3), np.uint8)
    rows[::3, ::5] = 200
    encoded = BytesIO()
    Image.fromarray(rows).save(encoded, format="PNG", compress_level=1)
    (tmp_path / "a.png").write_bytes(encoded.getvalue())
    command = [sys.executable, "-c", STREAM, str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    held, used = map(int, said.split())
    assert used < held < rows.nbytes / 2
    np.testing.assert_array_equal(read(tmp_path / "b.png").pixels, rows)
