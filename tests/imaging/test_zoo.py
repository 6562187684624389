"""Every file of the zoo, read, written in its own format and read again, is what it was."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.imaging.zoo import DPI, MAKER_NOTE, XMP, Specimen, exif_block, zoo

from acutance.imaging.animation import read_animation
from acutance.imaging.animation_writing import write_animation
from acutance.imaging.files import open_source, read_picture, write_picture
from acutance.imaging.picture import Picture

ZOO = zoo()
STILL = [specimen for specimen in ZOO if not specimen.frames]
MOVING = [specimen for specimen in ZOO if specimen.frames]
NO_GREY = (".webp", ".avif")  # of these the zoo has none
LOSSY = (".jpg", ".avif")


def by_name(specimen: Specimen) -> str:
    return specimen.name


def exif_tags(block: bytes | None) -> dict[str, dict[int, object]]:
    """Every tag as Pillow reads it, but for pointers and what says how the picture lies."""
    if block is None:
        return {}
    exif = Image.Exif()
    exif.load(block)
    main = {tag: value for tag, value in exif.items() if tag not in (0x8769, 0x8825, 0x0112)}
    camera = dict(exif.get_ifd(0x8769))
    return {"main": main, "camera": camera, "place": dict(exif.get_ifd(0x8825))}


def assert_same(picture: Picture, specimen: Specimen, *, tolerance: float) -> None:
    expected = specimen.pixels
    assert picture.pixels.dtype == expected.dtype
    assert picture.pixels.shape == expected.shape
    assert (picture.alpha is None) == (specimen.alpha is None)
    if tolerance == 0:
        np.testing.assert_array_equal(picture.pixels, expected)
    else:
        assert np.abs(picture.pixels.astype(float) - expected).mean() <= tolerance
    if picture.alpha is not None and specimen.alpha is not None:
        assert picture.alpha.dtype == specimen.alpha.dtype
        off = np.abs(picture.alpha.astype(float) - specimen.alpha)
        assert off.max() <= 2 * tolerance


def assert_notes(picture: Picture, specimen: Specimen) -> None:
    metadata = picture.metadata
    assert metadata.icc == specimen.icc
    assert exif_tags(metadata.exif) == exif_tags(specimen.exif)
    assert metadata.xmp == specimen.xmp
    assert (metadata.dpi is None) == (specimen.dpi is None)
    if metadata.dpi is not None:
        assert metadata.dpi == pytest.approx(specimen.dpi, abs=0.02)
    assert dict(metadata.text) == specimen.text


@pytest.mark.parametrize("specimen", STILL, ids=by_name)
def test_what_is_read_is_what_its_maker_put_in(specimen: Specimen, tmp_path: Path) -> None:
    path = tmp_path / specimen.name
    path.write_bytes(specimen.data)
    picture = read_picture(path)
    assert_same(picture, specimen, tolerance=specimen.tolerance)
    assert_notes(picture, specimen)


@pytest.mark.parametrize("specimen", STILL, ids=by_name)
def test_what_is_written_in_the_same_format_is_read_again(
    specimen: Specimen, tmp_path: Path
) -> None:
    path, copy = tmp_path / specimen.name, tmp_path / f"copy{specimen.ending}"
    path.write_bytes(specimen.data)
    write_picture(copy, read_picture(path))
    again = read_picture(copy)
    more = 2 if specimen.ending in LOSSY else 0
    assert_same(again, specimen, tolerance=specimen.tolerance + more)
    assert_notes(again, specimen)


@pytest.mark.parametrize("specimen", STILL, ids=by_name)
def test_rows_are_those_of_the_whole(specimen: Specimen, tmp_path: Path) -> None:
    path = tmp_path / specimen.name
    path.write_bytes(specimen.data)
    whole = read_picture(path)
    with closing(open_source(path)) as source:
        assert (source.facts.width, source.facts.height) == (whole.width, whole.height)
        assert source.facts.dtype == whole.pixels.dtype
        assert source.facts.channels == whole.pixels.shape[2]
        assert source.facts.has_alpha == (whole.alpha is not None)
        assert source.held > 0
        parts = [source.read(4) for _ in range(-(-whole.height // 4))]
        assert source.read(1).height == 0
    np.testing.assert_array_equal(np.concatenate([p.pixels for p in parts]), whole.pixels)
    if whole.alpha is not None:
        alphas = [part.alpha for part in parts if part.alpha is not None]
        np.testing.assert_array_equal(np.concatenate(alphas), whole.alpha)


@pytest.mark.parametrize("ending", [".png", ".webp", ".tif", ".jpg", ".avif"])
@pytest.mark.parametrize("origin", ["notes16.png", "notes.jpg"])
def test_metadata_go_from_format_to_format(origin: str, ending: str, tmp_path: Path) -> None:
    specimen = next(s for s in ZOO if s.name == origin)
    path, copy = tmp_path / origin, tmp_path / f"copy{ending}"
    path.write_bytes(specimen.data)
    picture = read_picture(path)
    write_picture(copy, Picture(picture.pixels, None, picture.metadata))
    again = read_picture(copy).metadata
    assert again.icc == specimen.icc
    assert again.xmp == XMP
    assert again.dpi == pytest.approx(DPI, abs=0.02)
    was, now = exif_tags(specimen.exif), exif_tags(again.exif)
    assert now["camera"] == was["camera"]
    assert now["place"] == was["place"]
    assert was["main"].items() <= now["main"].items()


@pytest.mark.parametrize("ending", [".png", ".webp", ".jpg", ".avif"])
def test_a_maker_note_stays_where_its_offsets_count_from(ending: str, tmp_path: Path) -> None:
    block = exif_block(9, 8)
    specimen = next(s for s in ZOO if s.name == "notes.jpg")
    (tmp_path / "a.jpg").write_bytes(specimen.data)
    picture = read_picture(tmp_path / "a.jpg")
    write_picture(tmp_path / f"b{ending}", picture)
    written = read_picture(tmp_path / f"b{ending}").metadata.exif
    assert written is not None
    assert written.index(MAKER_NOTE) == block.index(MAKER_NOTE)


@pytest.mark.parametrize("specimen", MOVING, ids=by_name)
def test_frames_are_read_and_written_whole(specimen: Specimen, tmp_path: Path) -> None:
    path, copy = tmp_path / specimen.name, tmp_path / f"copy{specimen.ending}"
    path.write_bytes(specimen.data)
    read = read_animation(path)
    assert read is not None
    assert (read.width, read.height) == (15, 11)
    write_animation(copy, read.frames, durations=read.durations, loop=read.loop)
    for file in (path, copy):
        animation = read_animation(file)
        assert animation is not None
        assert animation.durations == specimen.durations
        assert animation.loop == 0
        frames = list(animation.frames)
        assert len(frames) == len(specimen.frames)
        for frame, expected in zip(frames, specimen.frames, strict=True):
            alpha = np.full((11, 15), 255) if frame.alpha is None else frame.alpha
            np.testing.assert_array_equal(alpha, expected[:, :, 3])
            seen = alpha > 0
            np.testing.assert_array_equal(frame.pixels[seen], expected[:, :, :3][seen])


@pytest.mark.parametrize("specimen", STILL, ids=by_name)
def test_one_picture_is_no_animation(specimen: Specimen, tmp_path: Path) -> None:
    path = tmp_path / specimen.name
    path.write_bytes(specimen.data)
    assert read_animation(path) is None
