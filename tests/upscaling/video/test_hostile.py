"""Files that are no videos, or broken ones: a message that says what, where and what to do."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.upscaling.video.clips import RATE, TWICE, Clip, frames_of, soft_frame, times_of

from acutance.errors import InputError, MissingPackageError
from acutance.upscaling.settings import Output, Size
from acutance.upscaling.video import enlarge as module
from acutance.upscaling.video.enlarge import as_stored, enlarge_video
from acutance.upscaling.video.shots import read_facts


@pytest.fixture
def refused(av, bicubic, tmp_path):
    """The message with which a source is refused."""

    def say(source: Path, to: str = "target.mp4", output: Output = Output()) -> str:  # noqa: B008
        before = set(tmp_path.iterdir())
        with pytest.raises(InputError) as caught:
            enlarge_video(source, tmp_path / to, bicubic, TWICE, output)
        assert set(tmp_path.iterdir()) == before, "something is left behind"
        return str(caught.value).replace(f"{tmp_path}/", "")

    return say


def test_what_is_not_there(refused, tmp_path):
    assert refused(tmp_path / "a.mp4") == "There is no video at a.mp4. Give the path of a file."


def test_an_empty_file(refused, tmp_path):
    (tmp_path / "a.mp4").touch()
    assert refused(tmp_path / "a.mp4") == "a.mp4 is empty. Copy or download it again."


@pytest.mark.parametrize("content", [b"\0" * 4096, b"hello " * 999, b"\x00\x00\x00\x18ftypmp42"])
def test_what_is_no_video(refused, tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    assert refused(tmp_path / "a.mp4").startswith("a.mp4 cannot be read as a video (")


def test_sound_alone(av, refused, tmp_path):
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    assert refused(path) == "a.wav holds no video, only audio. Give a file that has pictures."


def test_an_encrypted_file(make_clip, refused):
    key = "0123456789abcdef0123456789abcdef"
    options = (
        ("encryption_scheme", "cenc-aes-ctr"), ("encryption_key", key), ("encryption_kid", key),
    )  # fmt: skip
    source = make_clip("a.mp4", Clip(sound=False, container_options=options))
    assert refused(source) == "a.mp4 is encrypted (DRM): its pictures cannot be read."


def test_a_playlist_opens_no_address(refused, tmp_path):
    (tmp_path / "a.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    assert "a.m3u8" in refused(tmp_path / "a.m3u8")


def test_targets_that_cannot_be(make_clip, refused, tmp_path):
    source = make_clip("a.mp4", Clip(times=(0,), sound=False))
    assert refused(source, "b.avi") == (
        "b.avi ends in '.avi', which is not a kind of video that can be written. "
        "Use one of .mp4, .m4v, .mov, .mkv, .webm."
    )
    assert refused(source, "a.mp4", Output(overwrite=True)) == (
        "a.mp4 is the video to be enlarged. Give another name."
    )
    (tmp_path / "c.mp4").write_bytes(b"mine")
    assert refused(source, "c.mp4") == (
        "c.mp4 exists already. Use --overwrite to replace it, or give another name."
    )
    assert (tmp_path / "c.mp4").read_bytes() == b"mine"


def test_without_the_package(bicubic, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'acutance\[video\]'"):
        enlarge_video(tmp_path / "a.mp4", tmp_path / "b.mp4", bicubic, TWICE, Output())


def test_without_an_encoder(av, make_clip, refused, monkeypatch):
    source = make_clip("a.mp4", Clip(times=(0,), sound=False))
    monkeypatch.setattr(av, "codecs_available", {"h264"})
    assert refused(source) == (
        "The installed PyAV can encode none of libx264, libopenh264, mpeg4, which .mp4 needs. "
        "Install the wheel from PyPI (pip install av), or choose another ending."
    )


def test_the_encoder_of_last_resort(av, make_clip, bicubic, tmp_path, monkeypatch):
    source = make_clip("a.mp4", Clip(times=(0, 512, 1024), sound=False))
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    enlarge_video(source, tmp_path / "b.mp4", bicubic, TWICE, Output())
    monkeypatch.undo()
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    shown = frames_of(av, tmp_path / "b.mp4")[2].to_ndarray(format="gray").astype(float)
    small = frames_of(av, source)[2].to_ndarray(format="gray").astype(float)
    assert abs(shown.mean() - small.mean()) < 1
    assert np.abs(shown - np.kron(small, np.ones((2, 2)))).mean() < 4


def test_a_frame_that_is_lost_is_replaced_by_the_one_before(av, make_clip, bicubic, tmp_path):
    """MJPEG, whose frames stand alone: the third is overwritten by zeros."""
    clip = Clip(
        codec="mjpeg", pixel_format="yuvj420p", options=(), sound=False, colour=(5, 2, 1, 1)
    )
    source = make_clip("a.mkv", clip)
    with av.open(str(source)) as container:
        third = [packet for packet in container.demux(video=0) if packet.size][2]
        damaged = bytes(third)
    content = source.read_bytes()
    assert content.count(damaged) == 1
    source.write_bytes(content.replace(damaged, bytes(len(damaged))))
    said = enlarge_video(source, tmp_path / "b.mp4", bicubic, TWICE, Output())
    assert said.frames == 20
    assert said.notes[-1] == (
        "1 frames could not be decoded, the first at 0.08 s: the one before is shown instead"
    )
    frames = [
        frame.to_ndarray(format="gray").astype(int) for frame in frames_of(av, tmp_path / "b.mp4")
    ]
    assert np.abs(frames[2] - frames[1]).mean() < 1 < np.abs(frames[3] - frames[2]).mean()


def test_a_file_that_breaks_off_gives_what_there_is(av, make_clip, bicubic, tmp_path):
    source = make_clip("a.mkv", Clip(sound=False))
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 2 // 3])
    said = enlarge_video(source, tmp_path / "b.mkv", bicubic, TWICE, Output())
    assert 3 <= said.frames < 20
    assert said.notes == (f"only {said.frames} of about 20 frames could be read: it breaks off",)
    assert len(frames_of(av, tmp_path / "b.mkv")) == said.frames


def test_a_change_of_size_says_when(av, bicubic, tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        film = container.add_stream("mjpeg", rate=RATE)
        film.width, film.height, film.pix_fmt = 64, 48, "yuvj420p"
        for n, size in enumerate([(64, 48)] * 3 + [(32, 48)] * 3):
            frame = av.VideoFrame.from_ndarray(soft_frame(n, size)).reformat(format="yuvj420p")
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = *size, "yuvj420p"
            encoder.time_base = Fraction(1, RATE)
            frame.pts, frame.time_base = n, Fraction(1, RATE)
            for packet in encoder.encode(frame):
                packet.stream = film
                container.mux(packet)
    with pytest.raises(InputError, match=r"changes its size from 64x48 to 32x48 at 0\.12 s\. Cut"):
        enlarge_video(path, tmp_path / "b.mkv", bicubic, TWICE, Output())


def test_a_broadcast_clock_begins_at_zero(av, make_clip, bicubic, tmp_path):
    """MPEG-TS counts from anywhere; sound and pictures keep their distance."""
    source = make_clip("a.ts", Clip(container_options=(("output_ts_offset", "1000"),)))
    shown = times_of(av, source)
    assert shown[0] >= 1000
    enlarge_video(source, tmp_path / "b.mp4", bicubic, TWICE, Output())
    found = times_of(av, tmp_path / "b.mp4")
    assert [t - found[0] for t in found] == [t - shown[0] for t in shown]
    assert 0 <= found[0] < Fraction(1, 10)
    with av.open(str(source)) as before, av.open(str(tmp_path / "b.mp4")) as after:
        gaps = []
        for container in (before, after):
            film, sound = container.streams.video[0], container.streams.audio[0]
            gaps.append(film.start_time * film.time_base - sound.start_time * sound.time_base)
    assert abs(gaps[0] - gaps[1]) < Fraction(1, 40_000)


def test_a_stream_without_timestamps_goes_by_its_rate(av, make_clip, bicubic, tmp_path):
    source = make_clip("a.h264", Clip(sound=False))
    enlarge_video(source, tmp_path / "b.mp4", bicubic, TWICE, Output())
    times = times_of(av, tmp_path / "b.mp4")
    assert [t - times[0] for t in times] == [Fraction(n, RATE) for n in range(20)]


def test_a_size_is_meant_as_it_is_seen(make_clip):
    turned = read_facts(make_clip("a.mp4", Clip(rotation=90, times=(0,), sound=False)))
    plain = read_facts(make_clip("b.mp4", Clip(times=(0,), sound=False)))
    asked = Size(width=1080), Size(fit=(1080, 1920))
    assert [as_stored(size, turned) for size in asked] == [
        Size(height=1080),
        Size(fit=(1920, 1080)),
    ]
    assert [as_stored(size, plain) for size in asked] == list(asked)


@pytest.mark.parametrize(("most", "what"), [(4096, "000000.safetensors"), (8192, "whole.mkv")])
def test_no_room_for_a_segment_or_for_the_whole(make_clip, tmp_path, most, what):
    resource = pytest.importorskip("resource")
    make_clip("a.mkv", Clip(options=(("crf", "30"),)))
    command = [sys.executable, "-m", "acutance", "upscale", "a.mkv", "-o", "b.mkv", "--quiet"]
    done = subprocess.run(
        [*command, "-m", "bicubic", "--scale", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(f"acutance: Cannot write .b.mkv.parts/{what}: ")
    assert done.stderr.endswith("the same command again.\n") or "is kept: give the" in done.stderr
    assert not (tmp_path / "b.mkv").exists()
