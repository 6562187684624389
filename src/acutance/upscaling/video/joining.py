"""Put the result together: the new pictures, and all else of the source packet by packet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from acutance.errors import RunError
from acutance.upscaling.video.encoders import Coding, set_up
from acutance.upscaling.video.segment import read_packets, read_pts
from acutance.upscaling.video.source import VideoFacts, opened, video_stream
from acutance.upscaling.video.tags import Metadata, container_words, kept

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

_MP4 = (".mp4", ".m4v", ".mov")
_FIRST_PACKETS = 20  # more than encoders put before the one that is shown first
_SAY_ASPECT = ("libx264", "libx265", "mpeg4")  # in the pictures themselves
_MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Joint:
    """What is joined: the source, how its pictures were coded anew, and where they are."""

    source: Path
    facts: VideoFacts
    coding: Coding
    segments: Sequence[Path]
    metadata: Metadata
    made_by: str | None  # what is said of that in the file's comment


class _RefusedError(Exception):
    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def join(joint: Joint, target: Path) -> tuple[str, ...]:
    """Write `target`; gives what of the source it could not hold, and why."""
    from av.error import FFmpegError

    refused: set[int] = set()
    while True:
        try:
            return _write(joint, target, refused)
        except _RefusedError as stream:  # only its packets showed that the file cannot hold it
            refused.add(stream.index)
        except (FFmpegError, OSError) as error:  # of the disk, often when the file is closed
            raise RunError(
                f"Cannot write {target}: {error.strerror}. The finished work is kept: give the "
                "same command again when there is room, or choose the ending .mkv."
            ) from error


def _write(joint: Joint, target: Path, refused: set[int]) -> tuple[str, ...]:
    import av
    from av.container.core import Flags

    options = _options(joint, target)
    with (
        opened(joint.source) as given,
        av.open(f"file:{target}", "w", container_options=options) as made,
    ):
        made.flags |= (
            Flags.bitexact.value
        )  # neither date nor random number: equal runs, equal bytes
        made.metadata.update(container_words(given.metadata, joint.metadata, joint.made_by))
        if joint.metadata != "strip":
            made.set_chapters(given.chapters())
        film = video_stream(given, joint.source)
        streams, notes = _add_streams(given, made, film, joint, refused)
        made.start_encoding()
        for packet in _interleaved(given, film, streams, joint):
            _mux(made, packet, streams, film)
    return notes + _of_the_container(joint, target)


def _of_the_container(joint: Joint, target: Path) -> tuple[str, ...]:
    """What this kind of file cannot say as exactly as the source."""
    if target.suffix.lower() in _MP4:
        return ()
    notes: list[str] = []
    if (joint.facts.time_base / _MILLISECOND).denominator > 1:
        notes.append("this kind of file counts milliseconds: timestamps are rounded to them")
    first = min(read_pts(joint.segments[0])) * joint.facts.time_base
    with opened(target) as made:
        stream = video_stream(made, target)
        found = min(
            packet.pts * packet.time_base
            for packet in islice(made.demux(stream), _FIRST_PACKETS)
            if packet.pts is not None
        )
    if found - first > _MILLISECOND:  # no time before zero, where the sound of MP4 often begins
        late = float(found - first)
        notes.append(f"everything, sound and pictures alike, begins {late:.3f} s later")
    if joint.coding.encoder.name not in _SAY_ASPECT and joint.coding.aspect not in (None, 1):
        notes.append(
            f"its samples are {joint.coding.aspect} times as wide as high, which is lost in this "
            "kind of file. Use .mp4 or .mov to keep it"
        )
    return tuple(notes)


def _options(joint: Joint, target: Path) -> dict[str, str]:
    """Of MP4: the index in front, so that it plays while it loads; a late start told in ticks."""
    if target.suffix.lower() not in _MP4:
        return {}
    return {"movflags": "faststart", "movie_timescale": str(joint.facts.time_base.denominator)}


def _add_streams(
    given: "InputContainer",
    made: "OutputContainer",
    film: "VideoStream",
    joint: Joint,
    refused: set[int],
) -> "tuple[dict[int, Stream], tuple[str, ...]]":
    """For each stream of the source its twin in the result, in the same order."""
    streams: dict[int, Stream] = {}
    notes: list[str] = []
    has_chapters = bool(given.chapters())
    for stream in given.streams:
        if stream.index == film.index:
            twin = _add_film(made, joint)
        elif stream.index not in refused and _can_hold(made.format.name, stream):
            twin = _add_copy(made, stream)
        else:
            if not (stream.type == "data" and has_chapters):  # their names, as MP4 keeps them
                notes.append(f"{_name(stream)} is dropped: this kind of file cannot hold it")
            continue
        twin.metadata.update(kept(stream.metadata, metadata=joint.metadata))
        twin.disposition = stream.disposition
        streams[stream.index] = twin
    return streams, tuple(notes)


def _add_film(made: "OutputContainer", joint: Joint) -> "VideoStream":
    """The stream of the new pictures: its encoder is opened for its header and never used."""
    coding = joint.coding
    stream = cast(
        "VideoStream",
        made.add_stream(coding.encoder.name, rate=coding.rate, time_base=coding.time_base),
    )
    set_up(stream.codec_context, coding)
    if coding.encoder.name == "libx265" and made.format.name in ("mp4", "mov"):
        stream.codec_context.codec_tag = "hvc1"  # the one that Apple's players know
    if joint.facts.matrix is not None:
        stream.set_display_matrix(joint.facts.matrix)
    return stream


def _add_copy(made: "OutputContainer", stream: "Stream") -> "Stream":
    return made.add_stream_from_template(stream, opaque=True)


def _can_hold(container: str, stream: "Stream") -> bool:
    """Whether a file of this kind with only this stream in it can be begun."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(BytesIO(), "w", format=container) as trial:
            _add_copy(trial, stream)
            trial.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


def _name(stream: "Stream") -> str:
    context = stream.codec_context
    codec = context.codec.canonical_name if context is not None else "unknown"
    language = f", {stream.language}" if stream.language else ""
    return f"stream {stream.index} ({stream.type}, {codec}{language})"


def _mux(
    made: "OutputContainer", packet: "Packet", streams: "dict[int, Stream]", film: "VideoStream"
) -> None:
    from av.error import ArgumentError, InvalidDataError

    index = next(i for i, twin in streams.items() if twin is packet.stream)
    try:
        made.mux_one(packet)
    except (InvalidDataError, ArgumentError) as error:
        if index == film.index:
            raise
        raise _RefusedError(index) from error


def _interleaved(
    given: "InputContainer", film: "VideoStream", streams: "dict[int, Stream]", joint: Joint
) -> "Iterator[Packet]":
    """All packets by time, so that no muxer has to hold many of them."""
    pictures = _pictures(streams[film.index], joint)
    picture = next(pictures, None)
    for other in _others(given, film, streams, joint):
        time = _seconds(other)
        while picture is not None and _seconds(picture) <= time:
            yield picture
            picture = next(pictures, None)
        yield other
    while picture is not None:
        yield picture
        picture = next(pictures, None)


def _seconds(packet: "Packet") -> Fraction:
    ticks = packet.dts if packet.dts is not None else packet.pts or 0
    return ticks * packet.time_base


def _others(
    given: "InputContainer", film: "VideoStream", streams: "dict[int, Stream]", joint: Joint
) -> "Iterator[Packet]":
    """Packets of all streams but the pictures, on the clock of the result."""
    sources = [given.streams[i] for i in streams if i != film.index]
    last: dict[int, int] = {}
    if not sources:
        return
    for packet in given.demux(sources):
        if packet.size == 0 or (packet.dts is None and packet.pts is None):
            continue  # the mark of a stream's end
        shift = round(joint.facts.start / packet.time_base)
        index = packet.stream_index
        if packet.pts is not None:
            packet.pts -= shift
        dts = packet.dts - shift if packet.dts is not None else packet.pts
        if dts is not None:
            packet.dts = last[index] = max(dts, last.get(index, dts - 1) + 1)
        packet.stream = streams[index]
        yield packet


def _pictures(stream: "Stream", joint: Joint) -> "Iterator[Packet]":
    """The packets of all segments, each to be decoded when it has to be and no later.

    Encoders count the time of decoding from their own first frame, which at a seam of segments
    would run backwards. So it is counted here, as they do: the n-th packet is decoded when the
    n-th frame is shown, earlier by as many frames as any packet comes before its turn.
    """
    import av

    shown = [read_pts(path) for path in joint.segments]
    early = max(map(_early, shown), default=0)
    before: list[int] = []
    for path, pts in zip(joint.segments, shown, strict=True):
        in_order = sorted(pts)
        if not before:
            before = [in_order[0] - n * joint.facts.step for n in range(early, 0, -1)]
        clock = before + in_order
        for coded, dts in zip(read_packets(path), clock, strict=False):
            packet = av.Packet(coded.data)
            packet.stream = stream
            packet.time_base = joint.coding.time_base
            packet.pts, packet.dts, packet.duration = coded.pts, dts, coded.duration
            packet.is_keyframe = coded.is_keyframe
            yield packet
        before = clock[len(clock) - early :]


def _early(pts: list[int]) -> int:
    """By how many frames at most a packet comes before its turn to be shown."""
    rank = {value: n for n, value in enumerate(sorted(pts))}
    return max((n - rank[value] for n, value in enumerate(pts)), default=0)
