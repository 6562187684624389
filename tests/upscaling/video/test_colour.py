"""Colours are those of the file: by its own matrix and range, through both conversions."""

import numpy as np
import pytest
from tests.upscaling.video.clips import LUMA, TWICE, Clip, by_the_standard, frames_of, twice

from acutance.imaging.picture import Picture
from acutance.upscaling.settings import Output
from acutance.upscaling.video.colour import Colour, ToFrame, to_picture
from acutance.upscaling.video.enlarge import enlarge_video

BARS = np.array(
    [
        [255, 255, 255], [255, 255, 0], [0, 255, 255], [0, 255, 0],
        [255, 0, 255], [255, 0, 0], [0, 0, 255], [0, 0, 0],
        [191, 191, 191], [191, 128, 64], [64, 128, 191], [20, 40, 60],
    ],
    dtype=np.uint8,
)  # fmt: skip
MATRICES = [(matrix, full) for matrix in LUMA for full in (False, True)]


def bars(width: int = 16) -> np.ndarray:
    return np.repeat(np.repeat(BARS[None], width, axis=1), 32, axis=0)


def middles(pixels: np.ndarray, width: int) -> np.ndarray:
    """(bar, channel) at the middle of each bar, far from where chroma is shared."""
    return pixels[pixels.shape[0] // 2, width // 2 :: width].astype(float)


@pytest.mark.parametrize(("matrix", "full"), MATRICES)
def test_a_frame_is_what_the_standard_says(av, matrix, full):
    colour = Colour(matrix, 2 if full else 1, 2, 2)
    frame = ToFrame(Picture(bars()), colour, "yuv444p")(Picture(bars()))
    found = middles(frame.to_ndarray(channel_last=True), 16)
    expected = by_the_standard(BARS.astype(float), matrix, full=full)
    assert np.abs(found - expected).max() <= 1.1  # libswscale's own rounding, of full range most
    same = {5: (5, 6), 6: (5, 6)}.get(matrix, (matrix,))  # two numbers of one matrix
    assert frame.colorspace in same
    assert frame.color_range == colour.range


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(("matrix", "full"), MATRICES)
def test_there_and_back_is_no_shift(av, matrix, full, deep):
    colour = Colour(matrix, 2 if full else 1, 2, 2)
    pixels = bars().astype(np.uint16) * 257 if deep else bars()
    frame = ToFrame(Picture(pixels), colour, "yuv420p10le" if deep else "yuv420p")(Picture(pixels))
    back = to_picture(frame, colour, deep=deep).pixels
    assert back.dtype == pixels.dtype
    off = middles(back / (257 if deep else 1), 16) - BARS
    assert np.abs(off).max() <= 2
    assert np.abs(off.mean(axis=0)).max() <= 0.6


@pytest.mark.parametrize(("matrix", "full"), [(1, False), (6, False), (6, True), (9, False)])
def test_colour_bars_come_out_as_they_went_in(
    av, make_clip, bicubic, tmp_path, monkeypatch, matrix, full
):
    from tests.upscaling.video import clips

    monkeypatch.setattr(clips, "soft_frame", lambda _number, _size: bars())
    clip = Clip(times=(0, 512), size=(192, 32), colour=(matrix, 2 if full else 1, 1, 1))
    source = make_clip("bars.mp4", clip)
    target = tmp_path / "large.mp4"
    enlarge_video(source, target, bicubic, TWICE, Output(quality=100))
    before = frames_of(av, source)[0].to_ndarray(format="yuv420p")[:32]
    after = frames_of(av, target)[0].to_ndarray(format="yuv420p")[:64]
    off = middles(after[..., None], 32) - middles(before[..., None], 16)
    assert np.abs(off).max() <= 2, "luma moves"
    small, large = frames_of(av, source)[0], frames_of(av, target)[0]
    for plane in (1, 2):
        off = _plane(large, plane)[16, 8::16] - _plane(small, plane)[8, 4::8]
        assert np.abs(off).max() <= 2, "chroma moves"


def test_chroma_stays_where_luma_is(av, make_clip, bicubic, tmp_path, monkeypatch):
    """A ramp of blue: half a pixel of shift of its chroma would be two levels."""
    from tests.upscaling.video import clips

    ramp = np.zeros((48, 64, 3), dtype=np.uint8)
    ramp[..., 2] = 4 * np.arange(64)
    monkeypatch.setattr(clips, "soft_frame", lambda _number, _size: ramp)
    source = make_clip("ramp.mp4", Clip(times=(0,), sound=False, options=(("crf", "0"),)))
    target = tmp_path / "large.mp4"
    enlarge_video(source, target, bicubic, TWICE, Output(quality=100))
    blue = _plane(frames_of(av, target)[0], 1)[24]
    expected = by_the_standard(twice(ramp), 1, full=False)[24, ::2, 1]
    assert abs(float((blue - expected)[8:-8].mean())) < 0.25  # a pixel is 0.9 levels


def _plane(frame, number: int) -> np.ndarray:
    plane = frame.planes[number]
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width].astype(int)


def test_a_file_without_a_matrix_is_shown_as_before(av, make_clip, bicubic, tmp_path):
    """480 rows are taken for BT.601; the 960 that come out would be taken for BT.709."""
    clip = Clip(times=(0,), size=(64, 480), colour=(2, 1, 2, 2), sound=False)
    target = tmp_path / "large.mp4"
    said = enlarge_video(make_clip("a.mp4", clip), target, bicubic, TWICE, Output())
    assert frames_of(av, target)[0].colorspace == 6
    assert said.notes == (
        "it does not say its colour matrix: taken and marked as BT.601, by its size",
    )
