"""The frames of a video in the order in which they are shown, from its start or from a point."""

import zlib
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from acutance.errors import InputError
from acutance.imaging.picture import Picture
from acutance.upscaling.video.colour import to_picture
from acutance.upscaling.video.source import VideoFacts, facts_of, opened, video_stream

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

_SEEK_EARLIER_S = 2  # decoders give frames in another order than files store them


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame, and in ticks when and how long it is shown."""

    pts: int
    duration: int
    picture: Picture
    repeated: bool  # it stands for one that could not be decoded


@dataclass(frozen=True)
class Point:
    """Up to where a video has been worked on, and what its last frame looked like."""

    frames: int
    pts: int
    checksum: int


@dataclass(frozen=True, eq=False)
class _Raw:
    pts: int | None  # ticks of the file's own clock
    duration: int
    frame: "VideoFrame | None"  # None: it could not be decoded


def checksum(picture: Picture) -> int:
    """Tells two pictures apart."""
    return zlib.crc32(picture.pixels.tobytes())


def read_facts(path: Path) -> VideoFacts:
    """Open the video and decode its first frame. Raises InputError for what cannot be enlarged."""
    with opened(path) as container:
        stream = video_stream(container, path)
        for raw in _raws(container, stream, path):
            if raw.frame is not None:
                return facts_of(path, container, stream, raw.frame)
    raise InputError(f"No frame of {path} can be decoded. It is damaged or holds none.")


def shots(path: Path, facts: VideoFacts, after: Point | None = None) -> Iterator[Shot]:
    """The frames from the first, or those behind `after`, with timestamps that increase.

    A frame that cannot be decoded is replaced by the one before it, so that their number stays
    right. A picture that changes its size is an InputError that says when.

    The way to `after` is short where the file can be searched and the frame found there is the
    one that is meant, pixel by pixel; else everything before it is decoded again.
    """
    if after is not None:
        with opened(path) as container:
            stream = video_stream(container, path)
            found = _behind(container, stream, path, facts, after)
            if found is not None:
                yield from _pictures(found, path, facts, skip=1)
                return
    with opened(path) as container:
        stream = video_stream(container, path)
        raws = _raws(container, stream, path)
        yield from _pictures(raws, path, facts, skip=after.frames if after else 0)


def _pictures(raws: Iterator[_Raw], path: Path, facts: VideoFacts, *, skip: int) -> Iterator[Shot]:
    """All but the first `skip`; before the first that can be decoded there are none."""
    last: VideoFrame | None = None
    pts: int | None = None
    number = 0
    for raw in raws:
        last = raw.frame or last
        if last is None:
            continue
        pts = _next_pts(raw.pts, pts, facts)
        number += 1
        if number <= skip:
            continue
        if (last.width, last.height) != (facts.width, facts.height):
            raise InputError(
                f"{path} changes its size from {facts.width}x{facts.height} to "
                f"{last.width}x{last.height} at {float(pts * facts.time_base):.2f} s. "
                "Cut it there, and upscale the parts."
            )
        picture = to_picture(last, facts.colour, deep=facts.deep)
        yield Shot(pts, raw.duration or facts.step, picture, raw.frame is None)


def _next_pts(said: int | None, before: int | None, facts: VideoFacts) -> int:
    """Files without timestamps go by their rate; of two alike the later is a tick later."""
    if said is None:
        return 0 if before is None else before + facts.step
    pts = said - facts.offset
    return pts if before is None else max(pts, before + 1)


def _behind(
    container: "InputContainer",
    stream: "VideoStream",
    path: Path,
    facts: VideoFacts,
    after: Point,
) -> Iterator[_Raw] | None:
    """The frame at `after` and those behind it, if a search leads there beyond doubt."""
    from av.error import FFmpegError

    target = after.pts + facts.offset
    try:
        container.seek(target - round(_SEEK_EARLIER_S / facts.time_base), stream=stream)
    except FFmpegError:
        return None
    raws = _raws(container, stream, path)
    for raw in raws:
        if raw.pts is None or raw.pts > target:
            return None
        if raw.pts == target:
            if raw.frame is None:
                return None
            picture = to_picture(raw.frame, facts.colour, deep=facts.deep)
            return chain([raw], raws) if checksum(picture) == after.checksum else None
    return None


def _raws(container: "InputContainer", stream: "VideoStream", path: Path) -> Iterator[_Raw]:
    """Frames, with those that could not be decoded in their place by time."""
    from av.error import FFmpegError

    lost: list[int] = []
    for packet in _packets(container, stream):
        if packet.has_sidedata("encryption_info"):
            raise InputError(f"{path} is encrypted (DRM): its pictures cannot be read.")
        try:
            frames = stream.decode(packet)
        except FFmpegError:
            if packet.pts is not None:
                insort(lost, packet.pts)
            continue
        for frame in frames:
            yield from _lost_before(frame.pts, lost)
            yield _Raw(frame.pts, frame.duration, frame)
    yield from _lost_before(None, lost)


def _lost_before(pts: int | None, lost: list[int]) -> Iterator[_Raw]:
    """Those whose time has come, all at the end; one that came out after all was not lost."""
    while lost and (pts is None or lost[0] <= pts):
        time = lost.pop(0)
        if time != pts:
            yield _Raw(time, 0, None)


def _packets(container: "InputContainer", stream: "VideoStream") -> "Iterator[Packet]":
    """Up to the end, or to where the file cannot be read further."""
    from av.error import FFmpegError

    try:
        yield from container.demux(stream)
    except FFmpegError:
        return
