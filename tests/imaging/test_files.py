"""Picture files: what is read is what was written, and what cannot be read says why."""

import os
import re
import struct
import tracemalloc
import zlib
from contextlib import closing, suppress
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.imaging.zoo import ink_profile

from acutance.errors import InputError, RunError
from acutance.imaging import files
from acutance.imaging.depth import as_depth
from acutance.imaging.files import (
    open_sink,
    open_source,
    picture_paths,
    read_picture,
    read_rgb,
    storable,
    write_picture,
)
from acutance.imaging.picture import Facts, Picture

LOSSLESS = (".png", ".webp", ".tif")
ENDINGS = (*LOSSLESS, ".jpg")
ALL = (*ENDINGS, ".avif", ".bmp", ".gif")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def slope(height: int, width: int) -> np.ndarray:
    """Smooth enough for JPEG to keep, and unlike itself however it is turned."""
    y, x = np.mgrid[:height, :width]
    return np.stack([8 * y, 6 * x, 255 - 3 * (x + y)], axis=2).astype(np.uint8)


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in (*chunks, (b"IEND", b"")):
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        parts.append(struct.pack(">I", len(body)) + kind + body + checksum)
    return b"".join(parts)


def png_header(width: int, height: int, depth: int, colour: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


def tiff(width: int, height: int, bits: tuple[int, ...], body: bytes) -> bytes:
    """A little-endian TIFF 6.0 file of one strip, sections 2 to 4 and 6."""
    inline = bits if len(bits) < 3 else None
    where_bits = 8 + 2 + 10 * 12 + 4
    fields = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, len(bits), inline[0] if inline else where_bits),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if len(bits) == 3 else 1),
        (273, 4, 1, where_bits + 2 * len(bits)),
        (277, 3, 1, len(bits)),
        (278, 4, 1, height),
        (279, 4, 1, len(body)),
        (284, 3, 1, 1),
    ]
    directory = struct.pack("<H", len(fields)) + b"".join(
        struct.pack("<HHII", *field) for field in fields
    )
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + struct.pack(
        f"<{len(bits)}H", *bits
    ) + body  # fmt: skip


@cache
def encoded(ending: str) -> bytes:
    """A valid 24x20 colour file of the format."""
    content = BytesIO()
    settings = {".webp": {"lossless": True}, ".jpg": {"quality": 95}, ".avif": {"max_threads": 1}}
    name = {".tif": "TIFF", ".jpg": "JPEG"}.get(ending, ending[1:].upper())
    Image.fromarray(slope(20, 24)).save(content, format=name, **settings.get(ending, {}))
    return content.getvalue()


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_picture(path)
    return str(caught.value)


@pytest.mark.parametrize("ending", LOSSLESS)
@settings(deadline=None)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    channels=st.sampled_from([1, 3]),
    has_alpha=st.booleans(),
    seed=st.integers(0, 99),
)
def test_what_is_read_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    ending: str,
    height: int,
    width: int,
    channels: int,
    has_alpha: bool,
    seed: int,
) -> None:
    path = tmp_path_factory.mktemp("round") / f"picture{ending}"
    alpha = noise(height, width, seed=seed + 100) if has_alpha else None
    if alpha is not None:
        alpha[0, 0] = 200  # WebP drops an alpha channel that is opaque everywhere
    written = Picture(noise(height, width, channels, seed=seed), alpha)
    if ending == ".webp" and channels == 1:  # WebP has no grey: it comes back as equal channels
        written = Picture(np.repeat(written.pixels, 3, axis=2), alpha)
    write_picture(path, written)
    read = read_picture(path)
    np.testing.assert_array_equal(read.pixels, written.pixels)
    assert (read.alpha is None) == (alpha is None)
    if read.alpha is not None:
        np.testing.assert_array_equal(read.alpha, alpha)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_keeps_a_smooth_picture_within_three_steps(tmp_path: Path, channels: int) -> None:
    pixels = slope(30, 40)[:, :, :channels]
    write_picture(tmp_path / "a.jpg", Picture(pixels))
    read = read_picture(tmp_path / "a.jpg")
    assert read.pixels.shape == pixels.shape
    assert np.abs(read.pixels.astype(int) - pixels).max() <= 3
    assert (read.height, read.width, read.is_grey) == (30, 40, channels == 1)


def test_a_lower_jpeg_quality_makes_a_smaller_file(tmp_path: Path) -> None:
    picture = Picture(noise(40, 40, 3))
    write_picture(tmp_path / "high.jpg", picture)
    write_picture(tmp_path / "low.jpg", picture, quality=30)
    assert (tmp_path / "low.jpg").stat().st_size < (tmp_path / "high.jpg").stat().st_size / 2


def test_read_rgb_replicates_grey_and_drops_alpha(tmp_path: Path) -> None:
    grey = noise(5, 4, 1)
    write_picture(tmp_path / "grey.png", Picture(grey, noise(5, 4)))
    np.testing.assert_array_equal(read_rgb(tmp_path / "grey.png"), np.repeat(grey, 3, axis=2))
    colour = noise(5, 4, 3)
    write_picture(tmp_path / "colour.png", Picture(colour, noise(5, 4)))
    np.testing.assert_array_equal(read_rgb(tmp_path / "colour.png"), colour)


# Exif 2.32, 4.6.4 A: what the stored row 0 and the stored column 0 show
ROW_AND_COLUMN_SHOW = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """How a camera stores `upright` under that tag, pixel by pixel from the standard's table."""
    height, width, _ = upright.shape
    turned = orientation >= 5
    shape = (width, height, 3) if turned else upright.shape
    result = np.empty(shape, dtype=np.uint8)
    row_shows, column_shows = ROW_AND_COLUMN_SHOW[orientation]
    for row in range(shape[0]):
        for column in range(shape[1]):
            at = {}
            for side, step in ((row_shows, row), (column_shows, column)):
                axis = "y" if side in ("top", "bottom") else "x"
                length = height if axis == "y" else width
                at[axis] = length - 1 - step if side in ("bottom", "right") else step
            result[row, column] = upright[at["y"], at["x"]]
    return result


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path: Path, ending: str, orientation: int) -> None:
    upright = slope(17, 24)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{ending}"
    settings = {".webp": {"lossless": True}, ".jpg": {"quality": 95, "subsampling": 0}}
    Image.fromarray(stored(upright, orientation)).save(path, exif=exif, **settings.get(ending, {}))
    read = read_picture(path).pixels
    assert read.shape == upright.shape
    tolerance = 3 if ending == ".jpg" else 0  # lossy; a wrong turn is off by more than 100
    assert np.abs(read.astype(int) - upright).max() <= tolerance
    assert read.flags.c_contiguous
    assert read.flags.writeable


def test_damaged_exif_does_not_hide_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(slope(4, 5)).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(read_picture(path).pixels, slope(4, 5))


def test_palettes_are_expanded(tmp_path: Path) -> None:
    palette = noise(4, 3)
    indices = noise(6, 7) % 4
    image = Image.frombytes("P", (7, 6), indices.tobytes())
    image.putpalette(palette.tobytes())
    image.save(tmp_path / "plain.png")
    picture = read_picture(tmp_path / "plain.png")
    np.testing.assert_array_equal(picture.pixels, palette[indices])
    assert picture.alpha is None
    opacities = bytes([255, 128, 0, 7])
    image.save(tmp_path / "clear.png", transparency=opacities)
    picture = read_picture(tmp_path / "clear.png")
    np.testing.assert_array_equal(picture.pixels, palette[indices])
    np.testing.assert_array_equal(picture.alpha, np.frombuffer(opacities, np.uint8)[indices])


def test_a_colour_declared_transparent_becomes_alpha(tmp_path: Path) -> None:
    pixels = noise(4, 4, 3)
    Image.fromarray(pixels).save(
        tmp_path / "key.png", transparency=tuple(int(v) for v in pixels[1, 2])
    )
    picture = read_picture(tmp_path / "key.png")
    assert picture.alpha is not None
    assert picture.alpha[1, 2] == 0
    assert picture.alpha.sum() == 255 * 15
    np.testing.assert_array_equal(picture.pixels, pixels)


def test_one_bit_pictures_become_black_and_white(tmp_path: Path) -> None:
    bits = noise(5, 9) > 127
    Image.fromarray(bits).save(tmp_path / "bits.png")
    picture = read_picture(tmp_path / "bits.png")
    np.testing.assert_array_equal(picture.pixels[:, :, 0], np.where(bits, 255, 0))


def test_cmyk_jpeg_becomes_rgb_by_the_plain_formula(tmp_path: Path) -> None:
    inks = np.full((16, 16, 4), (0, 255, 255, 0), dtype=np.uint8)  # magenta and yellow: red
    Image.frombytes("CMYK", (16, 16), inks.tobytes()).save(tmp_path / "red.jpg", quality=100)
    pixels = read_picture(tmp_path / "red.jpg").pixels
    assert pixels.shape == (16, 16, 3)
    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= 2


def test_content_decides_and_not_the_ending(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(slope(6, 5)))
    renamed = (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read_picture(renamed).pixels, slope(6, 5))


def test_names_may_hold_any_letters(tmp_path: Path) -> None:
    path = tmp_path / "été 写真 🌄" / "Ünïcode ☃.png"
    write_picture(path, Picture(slope(6, 5)))
    np.testing.assert_array_equal(read_picture(path).pixels, slope(6, 5))
    assert picture_paths([tmp_path]) == [path]


def deep(dtype: type, *shape: int) -> np.ndarray:
    """Every depth's darkest, brightest and middle levels, and some between."""
    rng = np.random.default_rng(0)
    if dtype is np.float32:
        values = rng.uniform(-0.2, 1.2, shape).astype(np.float32)
    else:
        values = rng.integers(0, 2**16, shape, dtype=np.uint16)
        values.flat[:4] = 0, 65535, 128, 129  # the last two are below and above a half of 8 bits
    return values


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_16_bits_stay_16_bits(tmp_path: Path, ending: str, channels: int, has_alpha: bool) -> None:
    pixels = deep(np.uint16, 7, 9, channels)
    alpha = deep(np.uint16, 7, 9) if has_alpha else None
    write_picture(tmp_path / f"a{ending}", Picture(pixels, alpha))
    read = read_picture(tmp_path / f"a{ending}")
    assert read.pixels.dtype == np.uint16
    np.testing.assert_array_equal(read.pixels, pixels)
    assert (read.alpha is None) == (alpha is None)
    if read.alpha is not None:
        np.testing.assert_array_equal(read.alpha, alpha)


def test_floats_stay_floats_in_tiff(tmp_path: Path) -> None:
    pixels = deep(np.float32, 7, 9, 3)
    write_picture(tmp_path / "a.tif", Picture(pixels))
    read = read_picture(tmp_path / "a.tif").pixels
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("name", ["a.webp", "a.bmp", "a.jpg", "a.avif", "a.gif"])
def test_16_bits_are_rounded_with_a_note_where_8_are_held(tmp_path: Path, name: str) -> None:
    pixels = np.repeat(np.repeat(deep(np.uint16, 2, 2, 1), 8, axis=0), 8, axis=1)
    nearest = np.round(pixels / 257)
    write_picture(tmp_path / name, Picture(pixels), quality=None)
    read = read_picture(tmp_path / name).pixels
    assert read.dtype == np.uint8
    tolerance = 3 if name in ("a.jpg", "a.avif") else 0
    assert np.abs(read - nearest).max() <= tolerance
    facts = Facts(16, 16, 1, np.dtype(np.uint16), False)
    _, notes = storable(tmp_path / name, facts)
    format = {".jpg": "JPEG"}.get(Path(name).suffix, Path(name).suffix[1:].upper())
    assert notes[0] == f"{format} cannot hold 16 bits: rounded to 8 bits"


def test_floats_become_16_bits_in_png_with_a_note(tmp_path: Path) -> None:
    pixels = deep(np.float32, 7, 9, 3)
    pixels[0, 0, 0] = np.nan
    write_picture(tmp_path / "a.png", Picture(pixels))
    read = read_picture(tmp_path / "a.png").pixels
    assert read.dtype == np.uint16
    expected = np.clip(np.nan_to_num(pixels.astype(np.float64), nan=0.0), 0, 1) * 65535
    assert np.abs(read - expected).max() <= 0.51
    _, notes = storable(tmp_path / "a.png", Facts(9, 7, 3, np.dtype(np.float32), False))
    assert notes == ("PNG cannot hold float: rounded to 16 bits and clipped to 0..1",)


def test_read_rgb_rounds_to_8_bits(tmp_path: Path) -> None:
    pixels = deep(np.uint16, 7, 9, 3)
    write_picture(tmp_path / "a.png", Picture(pixels))
    read = read_rgb(tmp_path / "a.png")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, np.round(pixels / 257))


def test_8_bits_through_16_come_back(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    wide = as_depth(levels, np.dtype(np.uint16))
    assert (wide.min(), wide.max()) == (0, 65535)
    np.testing.assert_array_equal(as_depth(wide, np.dtype(np.uint8)), levels)
    unit = as_depth(levels, np.dtype(np.float32))
    assert (unit.min(), unit.max()) == (0, 1)
    np.testing.assert_array_equal(as_depth(unit, np.dtype(np.uint8)), levels)


def test_the_hand_made_tiff_is_good_at_8_bits(tmp_path: Path) -> None:
    """Else the tests of damaged files would pass for another reason."""
    pixels = noise(3, 2, 3)
    (tmp_path / "a.tif").write_bytes(tiff(2, 3, (8, 8, 8), pixels.tobytes()))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, pixels)


def huge(ending: str) -> bytes:
    """A small file whose header claims more pixels than any memory holds."""
    if ending == ".png":
        return png(png_header(60_000, 50_000, 8, 2), (b"IDAT", zlib.compress(bytes(100))))
    if ending == ".tif":
        return tiff(60_000, 50_000, (8, 8, 8), bytes(100))
    data = bytearray(encoded(ending))
    if ending == ".jpg":
        frame = data.index(b"\xff\xc0")
        data[frame + 5 : frame + 9] = struct.pack(">HH", 50_000, 60_000)
    else:
        at = data.index(b"VP8L") + 9  # width - 1 and height - 1 in 14 bits each
        alpha_and_version = data[at + 3] & 0xF0
        data[at : at + 4] = struct.pack("<I", 16_382 | 16_382 << 14)
        data[at + 3] |= alpha_and_version
    return bytes(data)


@pytest.mark.parametrize("ending", ENDINGS)
def test_absurd_sizes_are_refused_from_the_header(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"huge{ending}"
    path.write_bytes(huge(ending))
    claim = "larger than" if ending == ".webp" else "60000x50000, more than"
    assert refusal(path) == (
        f"{path} claims to be {claim} the 178 million pixels that are read. "
        "Cut it into smaller pictures, or remove it if it cannot be that large."
    )


def test_a_large_picture_below_the_limit_is_read_without_a_warning(tmp_path: Path) -> None:
    """Pillow warns from 89 million pixels on; warnings are errors in these tests."""
    image = Image.new("1", (12_000, 8_000))
    image.save(tmp_path / "large.png")
    assert read_picture(tmp_path / "large.png").pixels.shape == (8_000, 12_000, 1)


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    missing = tmp_path / "missing.png"
    assert refusal(missing) == f"{missing} does not exist. Check the name."
    assert refusal(tmp_path) == f"{tmp_path} is a folder, not a picture. Name a file in it."
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    assert refusal(empty) == f"{empty} is empty (0 bytes). Get it again, or remove it."
    text = tmp_path / "text.png"
    text.write_text("This is not a picture.")
    assert refusal(text) == (
        f"{text} is not a PNG, JPEG, WebP, TIFF, AVIF, BMP or GIF picture. "
        "Convert it to one of these, or remove it."
    )
    cut = tmp_path / "cut.png"
    cut.write_bytes(encoded(".png")[:60])
    assert refusal(cut) == (
        f"{cut} is damaged or cut short (it ends inside the chunk IDAT). "
        "Get it again, or remove it."
    )
    missing_dimension = tmp_path / "flat.png"
    missing_dimension.write_bytes(png(png_header(0, 5, 8, 2), (b"IDAT", zlib.compress(b""))))
    assert f"{missing_dimension} is damaged or cut short" in refusal(missing_dimension)


@pytest.mark.parametrize("name", ["frames.png", "frames.webp", "frames.gif"])
def test_animations_are_refused_with_a_word_on_who_takes_them(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(noise(8, 8, 3, seed=seed)) for seed in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    assert refusal(tmp_path / name) == (
        f"{tmp_path / name} is an animation; one picture is needed. "
        "Save the one you want as a file of its own; 'acutance upscale' takes animations whole."
    )


@pytest.mark.parametrize("name", ["a.tif", "a.avif", "palette.tif"])
def test_pages_and_sequences_are_refused(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(noise(8, 8, 3, seed=seed)) for seed in range(3)]
    if name == "palette.tif":  # decoded by Pillow, the others are not
        frames = [frame.quantize(8) for frame in frames]
    settings = {"max_threads": 1} if name == "a.avif" else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **settings)
    assert refusal(tmp_path / name) == (
        f"{tmp_path / name} holds 3 pictures (an animation or pages); one is needed. "
        "Save the one you want as a file of its own."
    )


@pytest.mark.parametrize("length", range(1, 12))
def test_an_animation_cut_short_behind_its_first_frame_is_refused(
    tmp_path: Path, length: int
) -> None:
    """Whether it is one is asked of the header of the second frame."""
    whole = encoded(".gif")
    (tmp_path / "a.gif").write_bytes(whole[:-1] + b",\0\0\0\0\1\0\1\0\0\2\2"[:length])
    assert str(tmp_path / "a.gif") in refusal(tmp_path / "a.gif")


def test_of_a_cameras_several_views_the_main_one_is_read(tmp_path: Path) -> None:
    views = [Image.fromarray(slope(16, 16)), Image.fromarray(255 - slope(16, 16))]
    views[0].save(tmp_path / "views.jpg", format="MPO", save_all=True, append_images=views[1:])
    pixels = read_picture(tmp_path / "views.jpg").pixels
    assert np.abs(pixels.astype(int) - slope(16, 16)).mean() < 4


def test_colour_modes_without_a_rule_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "lab.tif"
    Image.new("LAB", (4, 4)).save(path)
    assert refusal(path) == (
        f"{path} is in the colour mode LAB, which is not read. Convert it to RGB."
    )


@pytest.mark.parametrize("ending", ALL)
@settings(deadline=None)
@given(data=st.data())
def test_a_file_cut_short_is_refused(
    tmp_path_factory: pytest.TempPathFactory, ending: str, data: st.DataObject
) -> None:
    whole = encoded(ending)
    # end markers (and the padding of BMP's last row): without them every pixel is there
    last = len(whole) - {".jpg": 3, ".gif": 3}.get(ending, 1)
    path = tmp_path_factory.mktemp("cut") / f"cut{ending}"
    path.write_bytes(whole[: data.draw(st.integers(0, last))])
    assert str(path) in refusal(path)


@pytest.mark.parametrize("ending", ALL)
@settings(deadline=None)
@given(data=st.data())
def test_damaged_bytes_never_end_in_another_error(
    tmp_path_factory: pytest.TempPathFactory, ending: str, data: st.DataObject
) -> None:
    damaged = bytearray(encoded(ending))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / f"damaged{ending}"
    path.write_bytes(damaged)
    with suppress(InputError):
        pixels = read_picture(path).pixels
        if ending == ".png":  # its checksums leave no room for a wrong picture
            np.testing.assert_array_equal(pixels, slope(20, 24))


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_picture(path, Picture(slope(4, 4)))
    with pytest.raises(InputError) as caught:
        write_picture(path, Picture(noise(4, 4, 3)))
    assert str(caught.value) == (
        f"{path} exists already. Use --overwrite to replace it, or give another name."
    )
    np.testing.assert_array_equal(read_picture(path).pixels, slope(4, 4))
    write_picture(path, Picture(noise(4, 4, 3)), overwrite=True)
    np.testing.assert_array_equal(read_picture(path).pixels, noise(4, 4, 3))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("name", "picture", "message"),
    [
        (
            "a.heic",
            Picture(slope(4, 4)),
            "ends in '.heic', which is not a picture format that can be written. "
            "Use one of .png, .jpg, .jpeg, .webp, .tif, .tiff, .avif, .bmp, .gif.",
        ),
        (
            "a.jpg",
            Picture(slope(4, 4), noise(4, 4)),
            ": JPEG cannot keep transparency. Write .png or .webp instead, "
            "or remove the alpha channel first.",
        ),
        (
            "a.bmp",
            Picture(slope(4, 4), noise(4, 4)),
            ": BMP cannot keep transparency. Write .png or .webp instead, "
            "or remove the alpha channel first.",
        ),
        (
            "a.webp",
            Picture(np.zeros((1, 16_384, 3), np.uint8)),
            ": 16384x1 is more than the 16383 pixels a side that WEBP can hold. "
            "Write .png or .tif instead.",
        ),
        (
            "a.png",
            Picture(np.zeros((4, 4), np.uint8)),
            ": pixels must be uint8, uint16 or float32 of shape (H, W, 1 or 3), "
            "not uint8 of shape (4, 4).",
        ),
        (
            "a.png",
            Picture(slope(4, 4), noise(4, 5)),
            ": alpha must be uint8 of shape (4, 4) like the pixels, not uint8 of shape (4, 5).",
        ),
    ],
    ids=["ending", "alpha", "alpha of bmp", "size", "pixels", "alpha shape"],
)
def test_what_cannot_be_written_is_refused_with_advice(
    tmp_path: Path, name: str, picture: Picture, message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        write_picture(tmp_path / name, picture)
    assert not list(tmp_path.iterdir())


def test_folders_are_searched_in_natural_order(tmp_path: Path) -> None:
    wanted = ["1.png", "2.JPG", "10.webp", "deep/er/3.tiff", "deep/er/20.tif"]
    for name in [*wanted, ".hidden.png", ".cache/4.png", "notes.txt", "deep/readme.md"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = picture_paths([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == wanted


def test_sources_keep_their_order_and_count_once(tmp_path: Path) -> None:
    for name in ("b/1.png", "a/2.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    first, second = tmp_path / "b/1.png", tmp_path / "a/2.png"
    assert picture_paths([first, tmp_path / "a", tmp_path]) == [first, second]


def test_a_folder_without_pictures_and_a_missing_source_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        picture_paths([tmp_path])
    assert str(caught.value) == (
        f"{tmp_path} holds no pictures (.png, .jpg, .jpeg, .webp, .tif, .tiff, .avif, .bmp, .gif). "
        "Name another folder."
    )
    with pytest.raises(InputError) as caught:
        picture_paths([tmp_path / "none"])
    assert str(caught.value) == f"{tmp_path / 'none'} does not exist. Check the name."


def test_a_sink_that_is_closed_too_early_says_so(tmp_path: Path) -> None:
    facts = Facts(4, 8, 3, np.dtype(np.uint8), False)
    for name in ("a.webp", "a.jpg", "a.gif"):
        sink = open_sink(tmp_path / name, facts)
        sink.write(Picture(slope(5, 4)))
        with pytest.raises(RunError, match=re.escape("5 of 8 rows were written")):
            sink.close()


def test_a_sink_takes_no_memory_before_its_first_rows(tmp_path: Path) -> None:
    """So that whoever opened it may ask how much it will be, and refuse."""
    tracemalloc.start()
    try:
        sink = open_sink(tmp_path / "a.jpg", Facts(60_000, 10_000, 3, np.dtype(np.uint8), False))
        assert sink.held > 60_000 * 10_000 * 3
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_what_an_encoder_cannot_do_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("no such codec")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(RunError, match=re.escape("AVIF cannot be encoded (no such codec)")):
        write_picture(tmp_path / "a.avif", Picture(slope(4, 4)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "width", "height", "message"),
    [
        ("a.jpg", 65_501, 1, "the 65500 pixels a side that JPEG can hold"),
        ("a.gif", 1, 65_536, "the 65535 pixels a side that GIF can hold"),
        ("a.avif", 32_769, 1, "the 32768 pixels a side that AVIF can hold"),
        ("a.avif", 20_000, 20_000, "the 268 million pixels that AVIF can hold"),
        ("a.bmp", 40_000, 40_000, "the 1073 million pixels that BMP can hold"),
        ("a.png", 2**17, 2**16, "the 4294 million pixels that PNG can hold"),
    ],
)
def test_sizes_that_a_format_cannot_hold_are_refused_up_front(
    tmp_path: Path, name: str, width: int, height: int, message: str
) -> None:
    facts = Facts(width, height, 3, np.dtype(np.uint8), False)
    with pytest.raises(InputError, match=message):
        open_sink(tmp_path / name, facts)
    assert not list(tmp_path.iterdir())


def test_the_format_asked_for_wins_over_the_ending(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.out", Picture(slope(6, 5)), format="webp")
    assert (tmp_path / "a.out").read_bytes()[8:12] == b"WEBP"
    np.testing.assert_array_equal(read_picture(tmp_path / "a.out").pixels, slope(6, 5))


def test_a_quality_makes_webp_and_avif_smaller(tmp_path: Path) -> None:
    picture = Picture(noise(40, 40, 3))
    for ending in (".webp", ".avif"):
        write_picture(tmp_path / f"high{ending}", picture)
        write_picture(tmp_path / f"low{ending}", picture, quality=20)
        high, low = ((tmp_path / f"{n}{ending}").stat().st_size for n in ("high", "low"))
        assert low < high / 2


def test_half_transparent_pixels_of_a_gif_are_all_or_nothing(tmp_path: Path) -> None:
    alpha = np.array([[0, 127, 128, 255]], np.uint8)
    write_picture(tmp_path / "a.gif", Picture(np.full((1, 4, 3), 9, np.uint8), alpha))
    read = read_picture(tmp_path / "a.gif")
    np.testing.assert_array_equal(read.alpha, [[0, 0, 255, 255]])
    np.testing.assert_array_equal(read.pixels, np.full((1, 4, 3), 9))


def test_what_became_of_ink_is_said(tmp_path: Path) -> None:
    inks = Image.new("CMYK", (4, 4))
    notes = {
        "plain": ("CMYK without a profile became RGB by the plain formula",),
        "profile": ("CMYK became sRGB through the profile of its inks",),
        "damaged": ("CMYK became RGB by the plain formula, for its profile cannot be used",),
    }
    profiles = {"plain": b"", "profile": ink_profile(), "damaged": b"x" * 300}
    for name, profile in profiles.items():
        inks.save(tmp_path / f"{name}.jpg", icc_profile=profile)
        with closing(open_source(tmp_path / f"{name}.jpg")) as source:
            assert source.facts.notes == notes[name]
            assert source.facts.metadata.icc is None
            assert source.read(4).pixels.mean() > 250


def test_only_what_is_read_in_rows_may_be_larger_than_what_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.zeros((3000, 2000, 3), np.uint8)
    write_picture(tmp_path / "rows.png", Picture(values))
    whole = png(  # interlaced
        (b"IHDR", struct.pack(">IIBBBBB", 2000, 3000, 8, 2, 0, 0, 1)),
        (b"IDAT", zlib.compress(bytes(100))),
    )
    (tmp_path / "whole.png").write_bytes(whole)
    monkeypatch.setattr(files, "MOST_PIXELS", 10**6)
    with closing(open_source(tmp_path / "rows.png")) as source:
        np.testing.assert_array_equal(source.read(100).pixels, values[:100])
    for name in ("rows", "whole"):
        assert "2000x3000, more than the 1 million pixels" in refusal(tmp_path / f"{name}.png")
    with pytest.raises(InputError, match="2000x3000, more than the 1 million pixels"):
        open_source(tmp_path / "whole.png")
    monkeypatch.setattr(files, "MOST_STREAMED", 2 * 10**6)
    with pytest.raises(InputError, match="2000x3000, more than the 2 million pixels"):
        open_source(tmp_path / "rows.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png is a pipe or a device"):
        open_source(tmp_path / "a.png")
