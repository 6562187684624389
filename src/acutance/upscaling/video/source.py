"""Open a video: what it is, and what is wrong with it."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from acutance.errors import InputError
from acutance.upscaling.video.colour import Colour, bits, colour_of

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream


@dataclass(frozen=True)
class VideoFacts:
    """What is known of a video from its header and its first frame."""

    width: int
    height: int
    time_base: Fraction  # seconds of one tick of a timestamp
    rate: Fraction  # frames per second, on average
    frames: int  # about how many; 0 where nothing tells
    aspect: Fraction | None  # width of a sample over its height
    matrix: tuple[int, ...] | None  # 9 numbers: how a player is to turn the picture
    colour: Colour
    deep: bool  # more than 8 bits a sample
    start: Fraction  # seconds to be taken off all timestamps
    notes: tuple[str, ...]

    @property
    def lies_on_its_side(self) -> bool:
        """Whether players show it turned by 90 degrees."""
        return self.matrix is not None and self.matrix[0] == 0 and self.matrix[4] == 0

    @property
    def offset(self) -> int:
        """`start` in ticks."""
        return round(self.start / self.time_base)

    @property
    def step(self) -> int:
        """Ticks from one frame to the next, on average."""
        return max(1, round(1 / (self.rate * self.time_base)))


@contextmanager
def opened(path: Path) -> "Iterator[InputContainer]":
    """The file, open for reading; InputError for what is none."""
    import av
    from av.error import FFmpegError

    if not path.is_file():
        raise InputError(f"There is no video at {path}. Give the path of a file.")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty. Copy or download it again.")
    try:
        container = av.open(
            f"file:{path}",
            "r",
            container_options={"protocol_whitelist": "file"},  # a playlist may name addresses
            metadata_errors="replace",
        )
    except (FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{path} cannot be read as a video ({reason}). Play it to see whether it is whole, "
            "or convert it to .mkv first."
        ) from error
    with container:
        yield container


def video_stream(container: "InputContainer", path: Path) -> "VideoStream":
    """The first stream that is a film and not the picture on its cover."""
    from av.stream import Disposition

    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise InputError(f"{path} holds no video, only {kinds}. Give a file that has pictures.")
    if streams[0].codec_context is None:
        raise InputError(
            f"{path} is coded in a way that the installed PyAV cannot decode. "
            "Convert it to H.264 first."
        )
    return streams[0]


def facts_of(
    path: Path, container: "InputContainer", stream: "VideoStream", first: "VideoFrame"
) -> VideoFacts:
    """What header and first frame tell. Raises InputError for what cannot be converted."""
    try:
        colour, notes = colour_of(first)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    if first.interlaced_frame:
        notes += ("it is interlaced: its frames are enlarged whole. Deinterlace it first",)
    if len(container.streams.video) > 1:
        notes += ("it holds more than one video stream: only the first is enlarged",)
    return VideoFacts(
        width=first.width,
        height=first.height,
        time_base=stream.time_base or 1 / rate,
        rate=rate,
        frames=_count(container, stream, rate),
        aspect=stream.sample_aspect_ratio,
        matrix=_display_matrix(first),
        colour=colour,
        deep=bits(first) > 8,
        start=_start(container),
        notes=notes,
    )


def _count(container: "InputContainer", stream: "VideoStream", rate: Fraction) -> int:
    if stream.frames:
        return stream.frames
    if stream.duration and stream.time_base:
        return round(stream.duration * stream.time_base * rate)
    return round(Fraction(container.duration or 0, 1_000_000) * rate)


def _display_matrix(frame: "VideoFrame") -> tuple[int, ...] | None:
    for data in frame.side_data:  # pyright: ignore[reportGeneralTypeIssues]
        if data.type.name == "DISPLAYMATRIX":  # pyright: ignore[reportAttributeAccessIssue]
            return struct.unpack("=9i", bytes(data))  # pyright: ignore[reportArgumentType]
    return None


def _start(container: "InputContainer") -> Fraction:
    """Where the clock begins, of formats whose clock runs on from a broadcast."""
    from av.format import Flags

    if container.format.flags & Flags.ts_discont.value and container.start_time:
        return Fraction(container.start_time, 1_000_000)
    return Fraction(0)
