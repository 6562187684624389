"""How many frames an animation has and how long each is shown, read without decoding any.

GIF89a specification (CompuServe, 1990); WebP Container Specification (Google); Animated PNG
(PNG 3rd edition, 2025, sections 4.8 and 11.3.2). A file of a few bytes can claim many large
frames, so their number is bounded here, before any memory is taken.
"""

import mmap
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from acutance.errors import InputError
from acutance.imaging.refusals import damaged

MOST_FRAME_PIXELS = 2**35
"""Pixels of all frames together that are read: an hour of 640x480 at 30 frames a second."""

_GIF_HEADER, _WEBP_HEADER, _PNG_SIGNATURE = 13, 12, 8  # bytes


@dataclass
class Timing:
    """What the blocks between the frames say."""

    width: int = 0  # px, of the canvas
    height: int = 0
    durations: list[int] = field(default_factory=list)  # ms, one for each frame
    plays: int = 1  # 0: for ever
    first: int = 0  # index of the first frame: 1 where the first picture of the file is none


def read_timing(path: Path, name: str) -> Timing | None:
    """Of a file in Pillow's format `name`; None where it holds fewer than two frames.

    Raises InputError for broken files and for more frames than are read.
    """
    if name not in _SCANNERS:
        return None
    timing = Timing()
    with path.open("rb") as file, _mapped(file) as data:
        try:
            for duration in _SCANNERS[name](data, timing):
                timing.durations.append(duration)
                _check_bound(path, timing)
        except (struct.error, IndexError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise damaged(path, "its blocks do not fit into it") from error
    return timing if len(timing.durations) > 1 else None


def _mapped(file: BinaryIO) -> mmap.mmap:
    """The bytes of a file without reading them all; an anonymous copy where it has no place."""
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:  # some network file systems
        data = file.read()
        copy = mmap.mmap(-1, len(data))
        copy.write(data)
        return copy


def _check_bound(path: Path, timing: Timing) -> None:
    count = len(timing.durations)
    if count * timing.width * timing.height > MOST_FRAME_PIXELS:
        raise InputError(
            f"{path} claims {count} frames or more of {timing.width}x{timing.height} pixels, "
            f"above the {MOST_FRAME_PIXELS // 10**6} million pixels that are read of an "
            "animation. Cut it into shorter ones, or remove it if it cannot be that long."
        )


def _scan_gif(data: mmap.mmap, timing: Timing) -> Iterator[int]:
    timing.width, timing.height, flags = struct.unpack_from("<HHB", data, 6)
    at = _GIF_HEADER + _table_bytes(flags)
    duration = 0
    while at < len(data) and data[at] != 0x3B:  # the trailer, which some writers leave out
        if data[at] == 0x2C:
            left, top, width, height, flags = struct.unpack_from("<4HB", data, at + 1)
            if left + width > timing.width or top + height > timing.height:
                timing.width = max(timing.width, left + width)
                timing.height = max(timing.height, top + height)
            at = _behind_blocks(data, at + 11 + _table_bytes(flags))
            yield duration
            duration = 0
        elif data[at] == 0x21:
            if data[at + 1] == 0xF9:
                duration = 10 * struct.unpack_from("<H", data, at + 4)[0]
            elif data[at + 3 : at + 14] == b"NETSCAPE2.0" and data[at + 15] == 1:
                repeats = struct.unpack_from("<H", data, at + 16)[0]
                timing.plays = repeats + 1 if repeats else 0  # GIF counts what follows the first
            at = _behind_blocks(data, at + 2)
        else:
            raise ValueError("an unknown block")


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _behind_blocks(data: mmap.mmap, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


def _scan_webp(data: mmap.mmap, timing: Timing) -> Iterator[int]:
    at, stop = _WEBP_HEADER, 8 + struct.unpack_from("<I", data, 4)[0]
    while at + 8 <= stop:
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind == b"VP8X":
            sides = data[at + 12 : at + 18]
            timing.width = 1 + int.from_bytes(sides[:3], "little")
            timing.height = 1 + int.from_bytes(sides[3:], "little")
        elif kind == b"ANIM":
            (timing.plays,) = struct.unpack_from("<H", data, at + 12)
        elif kind == b"ANMF":
            yield int.from_bytes(data[at + 20 : at + 23], "little")
        at += 8 + size + size % 2


def _scan_png(data: mmap.mmap, timing: Timing) -> Iterator[int]:
    at, animated, kind = _PNG_SIGNATURE, False, b""
    while kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IHDR":
            timing.width, timing.height = struct.unpack_from(">II", data, at + 8)
        elif kind == b"acTL":
            animated = True
            (timing.plays,) = struct.unpack_from(">I", data, at + 12)
        elif kind == b"fcTL" and animated:
            above, below = struct.unpack_from(">HH", data, at + 28)
            yield round(1000 * above / (below or 100))
        elif kind == b"IDAT" and not animated:
            return  # a picture like any other
        elif kind == b"IDAT" and not timing.durations:
            timing.first = 1
        at += 12 + size


_SCANNERS: dict[str, Callable[[mmap.mmap, Timing], Iterator[int]]] = {
    "GIF": _scan_gif,
    "WEBP": _scan_webp,
    "PNG": _scan_png,
}
