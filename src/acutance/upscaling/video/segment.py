"""A piece of the encoded video as a file: its packets as they left the encoder."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acutance.errors import RunError
from acutance.storage import write_atomically
from acutance.upscaling.video.colour import ToFrame
from acutance.upscaling.video.encoders import Coding, open_encoder
from acutance.upscaling.video.shots import Point, Shot

if TYPE_CHECKING:
    from av import Packet


@dataclass(frozen=True)
class Told:
    """What a segment says of itself, so that the next one can go on behind it."""

    frames: int
    pts: int  # of its last frame
    checksum: int  # of its last source frame
    repeated: int  # frames that could not be decoded
    first_repeated: int  # pts, or -1
    is_last: bool


@dataclass(frozen=True)
class Coded:
    """One packet, in the order of decoding."""

    pts: int
    duration: int
    is_keyframe: bool
    data: bytes


class SegmentEncoder:
    """Collects the packets of one segment; an encoder of its own, so it stands alone."""

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._encoder = open_encoder(coding)
        self._to_frame: ToFrame | None = None
        self._packets: list[Packet] = []
        self._durations: dict[int, int] = {}

    def add(self, shot: Shot) -> None:
        """Encode the next frame."""
        coding = self._coding
        if self._to_frame is None:
            self._to_frame = ToFrame(shot.picture, coding.colour, coding.encoder.pixel_format)
        frame = self._to_frame(shot.picture)
        frame.pts, frame.time_base = shot.pts, coding.time_base
        self._durations[shot.pts] = shot.duration
        self._packets += self._encode(frame)

    def finish(self, path: Path, told: Told) -> None:
        """Write all packets to `path`, or nothing."""
        from safetensors.numpy import save

        self._packets += self._encode(None)
        packets = self._packets
        tensors = {
            "data": np.frombuffer(b"".join(bytes(p) for p in packets), dtype=np.uint8),
            "sizes": np.array([p.size for p in packets], dtype=np.int64),
            "pts": np.array([p.pts for p in packets], dtype=np.int64),
            "durations": np.array([self._durations[p.pts] for p in packets], dtype=np.int64),  # pyright: ignore[reportArgumentType]
            "keyframes": np.array([p.is_keyframe for p in packets], dtype=np.uint8),
        }
        said = {name: str(int(value)) for name, value in asdict(told).items()}
        write_atomically(path, save(tensors, metadata=said))

    def _encode(self, frame: object) -> "list[Packet]":
        from av.error import FFmpegError

        try:
            return self._encoder.encode(frame)  # pyright: ignore[reportArgumentType]
        except FFmpegError as error:
            coding = self._coding
            raise RunError(
                f"The encoder {coding.encoder.name} cannot write {coding.width}x{coding.height} "
                f"({error.strerror}). Choose another ending or another size."
            ) from error


def read_told(path: Path) -> Told | None:
    """What the segment at `path` says of itself; None where there is no whole one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            said = {name: int(value) for name, value in (file.metadata() or {}).items()}
        return Told(**{**said, "is_last": bool(said["is_last"])})  # pyright: ignore[reportArgumentType]
    except (OSError, SafetensorError, ValueError, TypeError, KeyError):
        return None


def read_pts(path: Path) -> list[int]:
    """When the frames of its packets are shown, in the order of decoding."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return file.get_tensor("pts").tolist()


def read_packets(path: Path) -> Iterator[Coded]:
    """The packets of a segment, one after the other."""
    from safetensors.numpy import load_file

    tensors = load_file(path)
    data, start = tensors["data"], 0
    columns = (tensors[name].tolist() for name in ("sizes", "pts", "durations", "keyframes"))
    for size, pts, duration, key in zip(*columns, strict=True):
        yield Coded(pts, duration, bool(key), data[start : start + size].tobytes())
        start += size


def point_behind(tolds: list[Told]) -> Point | None:
    """Up to where the segments reach."""
    if not tolds:
        return None
    last = tolds[-1]
    return Point(sum(told.frames for told in tolds), last.pts, last.checksum)
