"""Animations: GIF, WebP and animated PNG as whole frames, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from acutance.errors import InputError
from acutance.imaging.animation_timing import Timing, read_timing
from acutance.imaging.files import recognised
from acutance.imaging.formats import MOST_PIXELS, Format
from acutance.imaging.metadata import understood
from acutance.imaging.orientation import is_transposed, turn_upright
from acutance.imaging.picture import Metadata, Picture
from acutance.imaging.pillow_source import (
    as_planes,
    found_metadata,
    open_image,
    split_alpha,
    target_mode,
    too_large,
)
from acutance.imaging.refusals import damaged


@dataclass(frozen=True, eq=False)
class Animation:
    """Frames and how they are shown.

    `frames` can be iterated over once; each is the whole picture as it is seen, uint8, with alpha
    where some of it is transparent. They carry the metadata, which is that of the file.
    """

    frames: Iterator[Picture]
    durations: tuple[int, ...]  # ms
    loop: int  # times that it is shown; 0: for ever
    width: int
    height: int
    metadata: Metadata
    notes: tuple[str, ...]


def read_animation(path: Path) -> Animation | None:
    """The frames of a GIF, WebP or animated PNG file; None where it holds one picture only.

    The file is read as the frames are asked for, one frame at a time in memory, and closed behind
    the last one. Frames are laid over each other as the file says. Refused with a reason: damaged
    files, and headers that claim more pixels than are read, in one frame or in all together.
    """
    format = recognised(path)
    timing = read_timing(path, format.name)
    if timing is None:
        return None
    if timing.width * timing.height > MOST_PIXELS:
        raise too_large(path, f"{timing.width}x{timing.height}, more than")
    with path.open("rb") as file, open_image(path, format, file) as image:
        if _is_deep(file) and format.name == "PNG":
            raise InputError(
                f"{path} is an animation of 16 bits per channel, of which 8 are read. "
                "Convert it to 8 bits first."
            )
        metadata, orientation, notes = understood(found_metadata(image))
        width, height = image.size
    if is_transposed(orientation):
        width, height = height, width
    frames = _frames(path, format, timing=timing, orientation=orientation, metadata=metadata)
    return Animation(frames, tuple(timing.durations), timing.plays, width, height, metadata, notes)


def _frames(
    path: Path, format: Format, *, timing: Timing, orientation: int, metadata: Metadata
) -> Iterator[Picture]:
    with path.open("rb") as file, open_image(path, format, file) as image:
        size = image.size
        for index in range(len(timing.durations)):
            try:
                image.seek(timing.first + index)
                image.load()
                if image.size != size:
                    raise ValueError("its frames are not of one size")
                mode = target_mode(path, image)
                values = np.asarray(image if image.mode == mode else image.convert(mode))
            except (InputError, MemoryError):
                raise
            except Exception as error:
                raise damaged(path, f"frame {index + 1}: {error}") from error
            frame = split_alpha(as_planes(turn_upright(values, orientation)), metadata)
            if frame.alpha is not None and (frame.alpha == 255).all():
                frame = Picture(frame.pixels, None, metadata)
            yield _as_colour(frame)


def _as_colour(frame: Picture) -> Picture:
    """Grey frames as RGB: the first of a GIF may be grey and the next ones not."""
    if not frame.is_grey:
        return frame
    return Picture(np.repeat(frame.pixels, 3, axis=2), frame.alpha, frame.metadata)


def _is_deep(file: BinaryIO) -> bool:
    file.seek(24)  # bits per sample in the header of a PNG file
    return file.read(1) == b"\x10"
