"""What of a video has to be in the result as it was in the source."""

import random
from fractions import Fraction

import numpy as np
import pytest
from tests.upscaling.video.clips import (
    RATE,
    TWICE,
    Clip,
    frames_of,
    packets_of,
    soft_frame,
    times_of,
    twice,
    write_clip,
)

from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.task import Upscaler
from acutance.upscaling.video import work
from acutance.upscaling.video.colour import Colour, to_picture
from acutance.upscaling.video.enlarge import enlarge_video

KINDS = (".mp4", ".mov", ".mkv")
WHOLE = Clip(rotation=90, colour=(6, 1, 6, 6))


@pytest.fixture(scope="module", params=KINDS)
def whole(av, request, tmp_path_factory):
    """Source and target of a clip with everything in it, and what was said."""
    folder = tmp_path_factory.mktemp("whole")
    source = write_clip(av, folder / f"source{request.param}", WHOLE)
    target = folder / f"target{request.param}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "SEGMENT_S", 6 / RATE)  # seams behind frames 6, 12 and 18
        said = enlarge_video(source, target, Upscaler(), TWICE, Output())
    assert {path.name for path in folder.iterdir()} == {source.name, target.name}
    return source, target, said


@pytest.fixture
def enlarged(make_clip, short_segments, tmp_path):
    """Make a clip, enlarge it; gives source, target and what was said."""

    def make(clip: Clip, *, kind: str = ".mp4", to: str | None = None, **output):
        source = make_clip(f"source{kind}", clip)
        target = tmp_path / f"target{to or kind}"
        return (
            source,
            target,
            enlarge_video(source, target, Upscaler(), TWICE, Output(**output)),
        )

    return make


def test_frames_are_the_enlarged_ones_at_the_same_times(av, whole):
    source, target, said = whole
    frames = frames_of(av, target)
    assert (said.width, said.height, said.frames, said.notes) == (128, 96, 20, ())
    assert [(frame.width, frame.height) for frame in frames] == [(128, 96)] * 20
    assert times_of(av, target) == times_of(av, source)
    for number in (0, 5, 6, 19):  # both sides of a seam too
        expected = twice(soft_frame(number)).astype(float)
        shown = to_picture(frames[number], Colour(*WHOLE.colour), deep=False).pixels.astype(float)
        assert np.abs(shown - expected).mean() < 2.5  # two codings at a high quality


@pytest.mark.parametrize("kind", [".mp4", ".mkv"])
def test_times_of_a_variable_rate_are_kept(av, enlarged, kind):
    draw = random.Random(1)
    times, now = [], 0
    for _ in range(30):
        times.append(now)
        now += draw.choice((1, 7, 40, 41, 333, 2500))  # in ms: bursts and a still
    clip = Clip(times=times, time_base=Fraction(1, 1000), sound=False)
    _, target, _ = enlarged(clip, kind=kind)
    assert times_of(av, target) == [Fraction(t, 1000) for t in times]


def test_sound_is_copied_to_the_byte(av, whole):
    source, target, _ = whole
    assert packets_of(av, target, "audio") == packets_of(av, source, "audio")
    assert len(packets_of(av, source, "audio")) > 30


def test_subtitles_are_copied(av, enlarged):
    source, target, said = enlarged(Clip(subtitles=True), kind=".mkv")
    lines = packets_of(av, target, "subtitles")
    assert lines == packets_of(av, source, "subtitles")
    assert [time for _, time in lines] == [0, Fraction(1, 5), Fraction(2, 5)]
    assert said.notes == ()


def test_what_a_container_cannot_hold_is_named(enlarged):
    _, _, said = enlarged(Clip(subtitles=True), kind=".mkv", to=".mp4")
    assert said.notes == (
        "stream 2 (subtitle, ass, fra) is dropped: this kind of file cannot hold it",
    )


def test_rotation_is_a_tag_as_before(av, whole):
    source, target, _ = whole
    assert [frames_of(av, path)[0].rotation for path in (source, target)] == [90, 90]


def test_a_turn_by_180_degrees_is_kept(av, enlarged):
    _, target, _ = enlarged(Clip(rotation=180, times=(0,)))
    assert abs(frames_of(av, target)[0].rotation) == 180


@pytest.mark.parametrize("colour", [(1, 1, 1, 1), (5, 2, 5, 6), (9, 1, 9, 14)])
def test_colour_tags_are_kept(av, enlarged, colour):
    _, target, _ = enlarged(Clip(colour=colour, times=(0,), sound=False))
    frame = frames_of(av, target)[0]
    found = (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)
    assert found == colour


def test_the_shape_of_samples_rate_title_chapters_and_language_are_kept(av, whole):
    source, target, _ = whole
    with av.open(str(source)) as before, av.open(str(target)) as after:
        film = after.streams.video[0]
        found = (film.colorspace, film.color_range, film.color_primaries, film.color_trc)
        assert found == WHOLE.colour
        assert film.sample_aspect_ratio == Fraction(4, 3)
        assert film.average_rate == 25
        assert after.metadata["title"] == "A title"
        chapters = after.chapters()
        assert [c["metadata"]["title"] for c in chapters] == ["Part 1", "Part 2"]
        assert [c["start"] * c["time_base"] for c in chapters] == [0, Fraction(2, 5)]
        assert after.streams.audio[0].language == before.streams.audio[0].language


def test_what_made_it_stands_in_the_comment(av, whole, enlarged):
    with av.open(str(whole[1])) as container:
        comment = {name.lower(): word for name, word in container.metadata.items()}["comment"]
        assert comment.startswith("acutance ")
        assert comment.endswith(", bicubic, x2")
    _, target, _ = enlarged(Clip(times=(0,), sound=False), tag=False)
    with av.open(str(target)) as container:
        assert "comment" not in container.metadata


def test_strip_leaves_no_words(av, enlarged):
    _, target, _ = enlarged(Clip(), kind=".mkv", metadata="strip", tag=False)
    with av.open(str(target)) as container:
        assert "title" not in container.metadata
        assert container.chapters() == []
        assert container.streams.audio[0].language == "deu"  # a player chooses by it


def test_more_bits_stay_more_bits(av, enlarged):
    if "libx265" not in av.codecs_available:
        pytest.skip("this PyAV has no encoder for 10 bits in MP4")
    clip = Clip(pixel_format="yuv420p10le", colour=(9, 1, 9, 16), times=(0, 512, 1024))
    _, target, said = enlarged(clip)
    frame = frames_of(av, target)[0]
    assert (frame.format.name, frame.color_trc) == ("yuv420p10le", 16)
    assert said.notes == (
        "its light is HDR: kept and marked so, but the display's data are not copied",
    )


def test_a_webm_says_what_it_lost(av, enlarged):
    _, target, said = enlarged(Clip(times=(0, 512, 1024)), to=".webm")
    assert len(frames_of(av, target)) == 3
    assert [note.split(",")[0] for note in said.notes] == [
        "stream 1 (audio",
        "this kind of file counts milliseconds: timestamps are rounded to them",
        "its samples are 4/3 times as wide as high",
    ]


def test_an_odd_size_is_made_even_and_said(av, make_clip, tmp_path):
    source = make_clip("odd.mkv", Clip(size=(33, 21), codec="ffv1", options=(), sound=False))
    target = tmp_path / "large.mkv"
    said = enlarge_video(
        source, target, Upscaler(), Enlargement(size=Size(scale=Fraction(3))), Output()
    )
    assert (said.width, said.height) == (100, 64)
    assert any(note.startswith("99x63 is odd") for note in said.notes)
    last = frames_of(av, target)[0].to_ndarray(format="gray")
    assert np.abs(last[:, -1].astype(int) - last[:, -2]).mean() < 4
