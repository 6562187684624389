"""Killed at any instant, the same command goes on: same bytes, and nothing done twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.upscaling.video.clips import RATE, TWICE, WIDTH, Clip, frames_of

from acutance.imaging.picture import Picture
from acutance.upscaling.settings import Enlargement, Output
from acutance.upscaling.task import Upscaler
from acutance.upscaling.video import frames, parts, shots, work
from acutance.upscaling.video.enlarge import enlarge_video

COMMAND = """
import sys, time
from fractions import Fraction
from pathlib import Path
from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.task import Upscaler
from acutance.upscaling.video import frames, work
from acutance.upscaling.video.enlarge import enlarge_video

source, target = map(Path, sys.argv[1:])
work.SEGMENT_S = 6 / 25
alike = frames.alike
def slowly(upscaler, how):
    enlarge = alike(upscaler, how)
    def one(picture):
        time.sleep(0.2)
        return enlarge(picture)
    return one
frames.alike = slowly
how = Enlargement(size=Size(scale=Fraction(2)))
enlarge_video(source, target, Upscaler(), how, Output())
"""


class StoppedError(Exception):
    """What a kill is, within one process."""


@pytest.fixture
def frames_done(monkeypatch) -> Callable[..., list[int]]:
    """Counts from here on the frames that are enlarged, and may stop behind some."""
    alike = frames.alike

    def count(stop_after: int | None = None, *, darker: bool = False) -> list[int]:
        done: list[int] = []

        def counting(upscaler: Upscaler, how: Enlargement) -> Callable[[Picture], Picture]:
            enlarge = alike(upscaler, how)

            def counted(picture: Picture) -> Picture:
                if picture.width == WIDTH:  # not the picture that tells models apart
                    if stop_after is not None and len(done) >= stop_after:
                        raise StoppedError
                    done.append(picture.width)
                larger = enlarge(picture)
                return Picture(larger.pixels // 2) if darker else larger

            return counted

        monkeypatch.setattr(frames, "alike", counting)
        return done

    return count


@pytest.fixture
def source(make_clip) -> Path:
    return make_clip("source.mp4")


def run(source: Path, target: Path, **output: object):
    return enlarge_video(source, target, Upscaler(), TWICE, Output(**output))  # pyright: ignore[reportArgumentType]


def test_a_killed_process_leaves_parts_and_the_next_one_goes_on(
    av, source, short_segments, frames_done, tmp_path
):
    undisturbed, target = tmp_path / "undisturbed.mp4", tmp_path / "target.mp4"
    command = [sys.executable, "-c", COMMAND, str(source), str(target)]
    killed = subprocess.Popen(command, stderr=subprocess.PIPE)
    second = parts.segment_path(parts.parts_folder(target), 1)
    deadline = time.monotonic() + 60
    while not second.exists() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    finished = len(parts.finished(parts.parts_folder(target))) * short_segments
    assert 12 <= finished < 20
    run(source, undisturbed)
    done = frames_done()
    run(source, target)
    assert len(done) == 20 - finished
    assert target.read_bytes() == undisturbed.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "source.mp4", "target.mp4", "undisturbed.mp4",
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "stop"), [(".mp4", 5), (".mp4", 13), (".mkv", 7), (".mkv", 19)])
def test_nothing_finished_is_done_twice(
    make_clip, short_segments, frames_done, tmp_path, kind, stop
):
    source = make_clip(f"source{kind}", Clip(sound=False))
    whole, target = tmp_path / f"whole{kind}", tmp_path / f"target{kind}"
    run(source, whole)
    frames_done(stop)
    with pytest.raises(StoppedError):
        run(source, target)
    finished = len(parts.finished(parts.parts_folder(target))) * short_segments
    assert finished >= (stop - 4) // short_segments * short_segments  # a few frames run ahead
    done = frames_done()
    said = run(source, target)
    assert len(done) == 20 - finished
    assert said.frames == 20
    assert target.read_bytes() == whole.read_bytes()


def test_joining_alone_is_repeated_where_all_segments_are_there(
    source, short_segments, frames_done, tmp_path, monkeypatch
):
    def no_room(*_: object) -> None:
        raise StoppedError

    target = tmp_path / "target.mp4"
    with monkeypatch.context() as patch:
        patch.setattr(parts, "publish", no_room)
        with pytest.raises(StoppedError):
            run(source, target)
    done = frames_done()
    run(source, target)
    assert done == []
    assert target.exists()


def test_the_way_back_is_a_search_and_gives_the_same_frames(av, make_clip, monkeypatch):
    """Closed groups of 4 frames, so that a search can land behind the start."""
    monkeypatch.setattr(shots, "_SEEK_EARLIER_S", 0.1)
    options = (("crf", "10"), ("g", "4"), ("sc_threshold", "0"))
    source = make_clip("source.mkv", Clip(sound=False, options=options))
    facts = shots.read_facts(source)
    all_shots = list(shots.shots(source, facts))
    for n in (1, 8, 15, 19):
        last = all_shots[n - 1]
        point = shots.Point(n, last.pts, shots.checksum(last.picture))
        rest = list(shots.shots(source, facts, point))
        assert [shot.pts for shot in rest] == [shot.pts for shot in all_shots[n:]]
        for again, before in zip(rest, all_shots[n:], strict=True):
            assert np.array_equal(again.picture.pixels, before.picture.pixels)


def test_a_search_that_lands_on_another_picture_is_not_trusted(av, make_clip, monkeypatch):
    source = make_clip("source.mkv", Clip(sound=False))
    facts = shots.read_facts(source)
    all_shots = list(shots.shots(source, facts))
    point = shots.Point(8, all_shots[7].pts, checksum=0)
    decoded = []
    monkeypatch.setattr(
        shots, "_pictures", lambda *_, skip: decoded.append(skip) or iter(())
    )  # how many frames are decoded again from the start
    list(shots.shots(source, facts, point))
    assert decoded == [8]


@pytest.mark.parametrize("change", ["source", "quality", "model"])
def test_parts_of_another_work_are_not_used(
    av, source, short_segments, frames_done, tmp_path, change
):
    target = tmp_path / "target.mp4"
    frames_done(13)
    with pytest.raises(StoppedError):
        run(source, target)
    done = frames_done()
    if change == "source":
        os.utime(source, ns=(1, 1))
    if change == "model":
        done = frames_done(darker=True)
    said = run(source, target, quality=50 if change == "quality" else None)
    assert len(done) == 20
    assert said.frames == 20
    assert said.notes == ("unfinished work with another source, model or settings was discarded",)
    if change == "model":
        assert frames_of(av, target)[0].to_ndarray(format="gray").mean() < 100


def test_a_damaged_segment_is_made_again(source, short_segments, frames_done, tmp_path):
    whole, target = tmp_path / "whole.mp4", tmp_path / "target.mp4"
    run(source, whole)
    frames_done(19)
    with pytest.raises(StoppedError):
        run(source, target)
    first = parts.segment_path(parts.parts_folder(target), 0)
    first.write_bytes(first.read_bytes()[:100])
    frames_done()
    run(source, target)
    assert target.read_bytes() == whole.read_bytes()


def test_frames_that_repeat_are_enlarged_once(av, make_clip, frames_done, tmp_path, monkeypatch):
    from tests.upscaling.video import clips

    still = clips.soft_frame(0)
    monkeypatch.setattr(clips, "soft_frame", lambda *_: still)
    source = make_clip("still.mkv", Clip(codec="ffv1", options=(), sound=False))
    done = frames_done()
    said = run(source, tmp_path / "target.mp4")
    assert (said.frames, len(done)) == (20, 1)


def test_a_segment_is_never_longer_than_its_bound():
    assert work.SEGMENT_S * RATE < work.SEGMENT_FRAMES
