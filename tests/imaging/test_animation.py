"""Animations: what their headers may claim, and what is written of odd ones."""

import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.imaging.zoo import XMP, exif_block, rgb_profile

from acutance.errors import InputError, RunError
from acutance.imaging.animation import read_animation
from acutance.imaging.animation_writing import write_animation
from acutance.imaging.picture import Metadata, Picture

ENDINGS = (".gif", ".webp", ".png")


def colours(count: int, *, has_alpha: bool, seed: int = 0) -> list[Picture]:
    """Frames of few colours, each unlike the one before; alpha 0 or 255 in some of them."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (5, 3), dtype=np.uint8)
    frames = []
    for index in range(count):
        pixels = palette[rng.integers(0, 5, (9, 12))]
        alpha = np.where(rng.random((9, 12)) < 0.3, 0, 255).astype(np.uint8)
        frames.append(Picture(pixels, alpha if has_alpha and index % 2 else None))
    return frames


def seen(frame: Picture) -> np.ndarray:
    """RGBA with black under what is transparent."""
    alpha = np.full(frame.pixels.shape[:2], 255) if frame.alpha is None else frame.alpha
    shown = np.where(alpha[:, :, None] > 0, frame.pixels, 0)
    return np.concatenate([shown, alpha[:, :, None]], axis=2)


def written(path: Path, frames: list[Picture], *, loop: int = 0) -> list[Picture]:
    durations = [30 + 10 * index for index in range(len(frames))]
    write_animation(path, iter(frames), durations=durations, loop=loop)
    animation = read_animation(path)
    assert animation is not None
    assert list(animation.durations) == durations
    assert animation.loop == loop
    return list(animation.frames)


@pytest.mark.parametrize("ending", ENDINGS)
@settings(deadline=None, max_examples=20)
@given(count=st.integers(2, 6), has_alpha=st.booleans(), seed=st.integers(0, 99))
def test_frames_come_back(
    tmp_path_factory: pytest.TempPathFactory, ending: str, count: int, has_alpha: bool, seed: int
) -> None:
    """Transparent pixels over opaque ones, and opaque frames between."""
    frames = colours(count, has_alpha=has_alpha, seed=seed)
    path = tmp_path_factory.mktemp("moving") / f"a{ending}"
    for frame, expected in zip(written(path, frames), frames, strict=True):
        np.testing.assert_array_equal(seen(frame), seen(expected))


@pytest.mark.parametrize("ending", [".gif", ".png"])
def test_a_frame_that_stays_and_one_that_hardly_changes(tmp_path: Path, ending: str) -> None:
    first = colours(1, has_alpha=False)[0]
    dot = first.pixels.copy()
    dot[4, 7] = 255 - dot[4, 7]
    frames = [first, first, Picture(dot), first]
    for frame, expected in zip(written(tmp_path / f"a{ending}", frames), frames, strict=True):
        np.testing.assert_array_equal(frame.pixels, expected.pixels)
    # Pillow, whose frames are those of others, sees the same
    with Image.open(tmp_path / f"a{ending}") as image:
        image.seek(2)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), dot)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("loop", [0, 1, 3])
def test_how_often_it_is_shown_is_kept(tmp_path: Path, ending: str, loop: int) -> None:
    written(tmp_path / f"a{ending}", colours(2, has_alpha=False), loop=loop)


@pytest.mark.parametrize("ending", [".webp", ".png"])
def test_metadata_of_the_first_frame_are_those_of_the_file(tmp_path: Path, ending: str) -> None:
    metadata = Metadata(icc=rgb_profile(), exif=exif_block(12, 9), xmp=XMP)
    frames = [Picture(frame.pixels, None, metadata) for frame in colours(3, has_alpha=False)]
    read = written(tmp_path / f"a{ending}", frames)[0].metadata
    assert read.icc == metadata.icc
    assert read.xmp == metadata.xmp
    assert read.exif is not None
    assert b"Zoo Optical Works" in read.exif


def test_rounded_hundredths_do_not_add_up(tmp_path: Path) -> None:
    frames = colours(5, has_alpha=False) + colours(4, has_alpha=False, seed=1)
    write_animation(tmp_path / "a.gif", frames, durations=[33] * 9)
    animation = read_animation(tmp_path / "a.gif")
    assert animation is not None
    assert set(animation.durations) == {30, 40}
    assert abs(sum(animation.durations) - 9 * 33) <= 5


def test_many_colours_are_chosen_well(tmp_path: Path) -> None:
    y, x = np.mgrid[:40, :60]
    slope = np.stack([4 * y, 3 * x, 200 - y - x], axis=2).astype(np.uint8)
    frames = [Picture(slope), Picture(slope[::-1].copy())]
    for frame, expected in zip(written(tmp_path / "a.gif", frames), frames, strict=True):
        assert np.abs(frame.pixels.astype(int) - expected.pixels).mean() < 6


@pytest.mark.parametrize("ending", ENDINGS)
def test_frames_are_asked_for_one_by_one(tmp_path: Path, ending: str) -> None:
    """No frame is kept but the last two: 40 of 0.8 MB in RGBA are never there together."""

    def large() -> Iterator[Picture]:
        for index in range(40):
            pixels = np.zeros((400, 500, 3), np.uint8)
            pixels[index * 10 : index * 10 + 10] = index
            yield Picture(pixels)

    tracemalloc.start()
    try:
        write_animation(tmp_path / f"a{ending}", large(), durations=[40] * 40)
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", ENDINGS)
def test_wrong_numbers_and_sizes_of_frames_are_refused(tmp_path: Path, ending: str) -> None:
    frames = colours(3, has_alpha=False)
    path = tmp_path / f"a{ending}"
    with pytest.raises(RunError, match="3 of 4 frames were written"):
        write_animation(path, frames, durations=[40] * 4)
    with pytest.raises(RunError, match="2 frames of 12x9 were announced"):
        write_animation(path, frames, durations=[40] * 2)
    odd = [frames[0], Picture(np.zeros((9, 13, 3), np.uint8))]
    with pytest.raises(RunError, match="frame 2 is 13x9; 2 frames of 12x9 were announced"):
        write_animation(path, odd, durations=[40] * 2)


def test_formats_that_do_not_move_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write_animation(tmp_path / "a.jpg", colours(2, has_alpha=False), durations=[40, 40])
    assert str(caught.value) == (
        f"{tmp_path / 'a.jpg'}: JPEG cannot hold an animation. Use .gif, .webp or .png."
    )


def gif(width: int, height: int, frames: int) -> bytes:
    """Frames of one pixel each, on a canvas of any size."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b";"


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_animation(path)
    return str(caught.value)


def test_bombs_are_refused_by_their_headers(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gif"
    path.write_bytes(gif(65_535, 65_535, 100_000))
    assert refusal(path) == (
        f"{path} claims 9 frames or more of 65535x65535 pixels, above the 34359 million pixels "
        "that are read of an animation. Cut it into shorter ones, or remove it if it cannot be "
        "that long."
    )
    path.write_bytes(gif(65_535, 65_535, 2))
    assert "65535x65535, more than the 178 million pixels" in refusal(path)
    path.write_bytes(gif(4, 4, 3))
    animation = read_animation(path)
    assert animation is not None
    assert len(list(animation.frames)) == 3


def test_a_png_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_animation(path, colours(3, has_alpha=False), durations=[40] * 3)
    data = path.read_bytes()
    last = data.rindex(b"fdAT") - 4
    path.write_bytes(data[:last])
    assert "is damaged or cut short" in refusal(path)


MOVING: dict[str, bytes] = {}


def moving(ending: str, folder: Path) -> bytes:
    """A valid file of three frames."""
    if ending not in MOVING:
        write_animation(folder / f"a{ending}", colours(3, has_alpha=True), durations=[40] * 3)
        MOVING[ending] = (folder / f"a{ending}").read_bytes()
    return MOVING[ending]


@pytest.mark.parametrize("ending", ENDINGS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_damaged_animations_never_end_in_another_error(
    tmp_path_factory: pytest.TempPathFactory, ending: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    damaged = bytearray(moving(ending, folder))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = folder / f"b{ending}"
    path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    with suppress(InputError):
        animation = read_animation(path)
        for _ in animation.frames if animation else ():
            pass


def test_a_first_picture_that_is_no_frame_is_left_out(tmp_path: Path) -> None:
    still, *moving = (Image.fromarray(f.pixels) for f in colours(4, has_alpha=False))
    content = BytesIO()
    still.save(content, "PNG", save_all=True, append_images=moving, default_image=True)
    (tmp_path / "a.png").write_bytes(content.getvalue())
    animation = read_animation(tmp_path / "a.png")
    assert animation is not None
    frames = list(animation.frames)
    assert len(frames) == 3
    for frame, expected in zip(frames, moving, strict=True):
        np.testing.assert_array_equal(frame.pixels, np.asarray(expected))
