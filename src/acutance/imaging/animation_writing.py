"""Write animations frame by frame: two frames are held and, for WebP, the encoded file.

Of each frame after the first only the rectangle that differs from the one before is written.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import GifImagePlugin, Image

from acutance.errors import InputError, RunError
from acutance.imaging.depth import as_depth
from acutance.imaging.files import storable
from acutance.imaging.formats import U8, format_of_target
from acutance.imaging.palette import to_palette
from acutance.imaging.picture import Facts, Metadata, Picture
from acutance.imaging.pillow_sink import comment_of, encoder_settings, metadata_settings
from acutance.imaging.png import encode_png
from acutance.imaging.png.chunks import SIGNATURE, chunk
from acutance.imaging.png.notes import note_chunks

_KEEP, _CLEAR = 1, 2  # GIF's disposal: leave the frame, make its place transparent
_SUBBLOCK = 255  # bytes at most
_SHOWN = 128  # alpha from which GIF shows a pixel


@dataclass(frozen=True)
class _Film:
    """What is to be written: frames as RGBA, (H, W, 4)."""

    path: Path
    frames: Iterator[np.ndarray]
    durations: Sequence[int]  # ms
    plays: int
    facts: Facts
    quality: int | None

    @property
    def metadata(self) -> Metadata:
        return self.facts.metadata


def write_animation(
    path: Path,
    frames: Iterable[Picture],
    *,
    durations: Sequence[int],
    loop: int = 0,
    format: str | None = None,
    quality: int | None = None,
) -> None:
    """Write `frames`, all of one size, as a GIF, WebP or animated PNG file.

    `durations` has the milliseconds of each frame (GIF counts in hundredths of a second; what is
    rounded off one frame goes to the next). `loop` is how often it is shown, 0 for ever. `format`
    is an ending without its dot; None means that of `path`. The metadata are those of the first
    frame. GIF has 256 colours for each frame and no half transparency; WebP is without loss unless
    a `quality` (1 to 100) is asked for. Written in place: wrap it in `write_atomically`.
    """
    target = format_of_target(path, format)
    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise RunError(f"{path}: there are no frames to write.")
    facts, _ = storable_animation(path, (first.width, first.height), first.metadata, format=format)
    planes = _checked(path, map(_as_rgba, chain([first], pictures)), len(durations))
    film = _Film(path, planes, durations, loop, facts, quality)
    with path.open("wb") as file:
        _WRITERS[target.name](file, film)


def storable_animation(
    path: Path, size: tuple[int, int], metadata: Metadata, *, format: str | None = None
) -> tuple[Facts, tuple[str, ...]]:
    """What a file will hold of an animation of `size` (width, height), and notes of what is lost.

    Refused: a format that has no animations, and more pixels than it can hold.
    """
    target = format_of_target(path, format)
    if target.name not in _WRITERS:
        raise InputError(
            f"{path}: {target.name} cannot hold an animation. Use .gif, .webp or .png."
        )
    return storable(path, Facts(*size, 3, U8, True, metadata), format=format)


def _as_rgba(picture: Picture) -> np.ndarray:
    values = np.full((picture.height, picture.width, 4), 255, np.uint8)
    values[:, :, :3] = as_depth(picture.pixels, U8)
    if picture.alpha is not None:
        values[:, :, 3] = as_depth(picture.alpha, U8)
    return values


def _checked(path: Path, frames: Iterator[np.ndarray], count: int) -> Iterator[np.ndarray]:
    """As many frames as durations, all of one size."""
    size, given = None, 0
    for frame in frames:
        size = size or frame.shape
        if frame.shape != size or given == count:
            raise RunError(
                f"{path}: frame {given + 1} is {frame.shape[1]}x{frame.shape[0]}; "
                f"{count} frames of {size[1]}x{size[0]} were announced."
            )
        given += 1
        yield frame
    if given != count:
        raise RunError(f"{path}: {given} of {count} frames were written.")


def _changed(before: np.ndarray, frame: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what differs; one pixel where nothing does."""
    differs = (before != frame).any(axis=2)
    rows, columns = differs.any(axis=1).nonzero()[0], differs.any(axis=0).nonzero()[0]
    if len(rows) == 0:
        return 0, 0, 1, 1
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _write_png(file: BinaryIO, film: _Film) -> None:
    """The first frame is the picture that is seen where animations are not known."""
    sequence = 0
    before: np.ndarray | None = None
    for frame, duration in zip(film.frames, film.durations, strict=True):
        box = (0, 0, frame.shape[1], frame.shape[0]) if before is None else _changed(before, frame)
        pieces = _png_chunks(encode_png(frame[box[1] : box[3], box[0] : box[2]]))
        if before is None:
            file.write(SIGNATURE + chunk(b"IHDR", pieces[0][1]))
            file.write(chunk(b"acTL", struct.pack(">II", len(film.durations), film.plays)))
            file.writelines(note_chunks(film.metadata))
        place = struct.pack(">IIII", box[2] - box[0], box[3] - box[1], box[0], box[1])
        control = struct.pack(">I", sequence) + place + _png_delay(duration) + b"\0\0"
        file.write(chunk(b"fcTL", control))
        sequence += 1
        for body in (body for kind, body in pieces if kind == b"IDAT"):
            if before is None:
                file.write(chunk(b"IDAT", body))
            else:
                file.write(chunk(b"fdAT", struct.pack(">I", sequence) + body))
                sequence += 1
        before = frame
    file.write(chunk(b"IEND", b""))


def _png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(SIGNATURE)
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def _png_delay(duration: int) -> bytes:
    """Milliseconds as a fraction of two numbers of 16 bits."""
    for below in (1000, 100, 10):
        above = round(duration * below / 1000)
        if above < 2**16:
            return struct.pack(">HH", above, below)
    return struct.pack(">HH", min(round(duration / 1000), 2**16 - 1), 1)


def _write_gif(file: BinaryIO, film: _Film) -> None:
    """A frame behind which something becomes transparent is cleared, and the next one whole."""
    file.write(b"GIF89a" + struct.pack("<HHBBB", film.facts.width, film.facts.height, 0x70, 0, 0))
    if film.plays != 1:
        repeats = min(film.plays - 1, 2**16 - 1) if film.plays else 0
        file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", repeats) + b"\0")
    if comment := comment_of(film.metadata):
        file.write(b"!\xfe" + _subblocks(comment.encode()))
    delays = iter(_gif_delays(film.durations))
    whole = (0, 0, film.facts.width, film.facts.height)
    before: np.ndarray | None = None  # what is left on the canvas
    for frame, clear in _with_next_clear(film.frames):
        box = whole if clear or before is None else _changed(before, frame)
        # what is cleared becomes transparent for all readers if such a colour is declared
        part = Image.fromarray(frame[box[1] : box[3], box[0] : box[2]])
        image = to_palette(part, has_clear=clear)
        data = GifImagePlugin.getdata(
            image,
            box[:2],
            duration=next(delays),
            disposal=_CLEAR if clear else _KEEP,
            include_color_table=True,
            **({"transparency": image.info["transparency"]} if image.info else {}),
        )
        file.writelines(data)
        before = None if clear else frame
    file.write(b";")


def _with_next_clear(frames: Iterator[np.ndarray]) -> Iterator[tuple[np.ndarray, bool]]:
    """Each frame, and whether the next one has transparent pixels."""
    frame = next(frames)
    for following in frames:
        yield frame, bool((following[:, :, 3] < _SHOWN).any())
        frame = following
    yield frame, False


def _gif_delays(durations: Sequence[int]) -> list[int]:
    """Milliseconds in steps of ten that keep step with the sum."""
    total, given, delays = 0, 0, []
    for duration in durations:
        total += duration
        delays.append(min(max(round((total - given) / 10), 0), 2**16 - 1) * 10)
        given += delays[-1]
    return delays


def _subblocks(data: bytes) -> bytes:
    parts = (data[at : at + _SUBBLOCK] for at in range(0, len(data), _SUBBLOCK))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _write_webp(file: BinaryIO, film: _Film) -> None:
    format = format_of_target(Path(), "webp")
    settings = {
        **encoder_settings(format, film.quality),
        **metadata_settings(film.metadata, format),
    }
    reel = _Reel(film.frames, len(film.durations))
    duration = list(film.durations)
    reel.save(file, "WEBP", save_all=True, duration=duration, loop=film.plays, **settings)
    next(film.frames, None)  # there must be none


class _Reel(Image.Image):
    """Frames as an image that is wound forward, which is how Pillow takes them one by one."""

    def __init__(self, frames: Iterator[np.ndarray], count: int) -> None:
        super().__init__()
        self._frames = frames
        self.n_frames, self.is_animated = count, count > 1
        self._at = -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        while self._at < frame:
            image = Image.fromarray(next(self._frames))
            self.im, self._mode, self._size = image.im, image.mode, image.size
            self._at += 1
        # Pillow goes back to the start when all is done: there is nothing to be done for it

    def tell(self) -> int:
        return max(self._at, 0)


_WRITERS = {"GIF": _write_gif, "PNG": _write_png, "WEBP": _write_webp}
