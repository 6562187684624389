"""The doors to picture files: open one for reading or writing, by rows or as a whole.

Read and written are PNG, JPEG, WebP, TIFF, AVIF, BMP and GIF. What a file is, is judged by its
content; what is written, by the ending of its name or by the format asked for; what each can hold
stands in formats.py.

PNG and TIFF are read and written in rows, the others are held as a whole.
"""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from acutance.errors import InputError
from acutance.imaging.animation_timing import read_timing
from acutance.imaging.depth import as_depth
from acutance.imaging.formats import (
    ENDINGS,
    F32,
    MOST_PIXELS,
    MOST_STREAMED,
    START,
    U8,
    U16,
    Format,
    format_of_content,
    format_of_target,
)
from acutance.imaging.metadata import fitted, understood
from acutance.imaging.paths import picture_paths
from acutance.imaging.picture import Facts, Picture, Sink, Source
from acutance.imaging.pillow_sink import PillowSink
from acutance.imaging.pillow_source import moving, open_whole, too_large
from acutance.imaging.png import open_png, png_sink
from acutance.imaging.tiff import open_tiff, tiff_sink
from acutance.storage import check_free, write_atomically

__all__ = [
    "ENDINGS",
    "MOST_PIXELS",
    "open_sink",
    "open_source",
    "picture_paths",
    "read_picture",
    "read_rgb",
    "storable",
    "write_picture",
]


def open_source(path: Path) -> Source:
    """Open a picture for reading its rows from top to bottom, upright; close it in the end.

    Palettes are expanded, 1-bit pictures become 0 and 255, CMYK becomes sRGB through the profile
    in the file or else RGB by Pillow's plain formula; `facts.notes` says what was changed or left
    out. Refused with a reason: damaged files, several pictures in one file, absurd sizes.
    """
    format = recognised(path)
    if format.name == "PNG":
        if read_timing(path, format.name) is not None:
            raise moving(path)
        return _Checked(path, open_png(path))
    if format.name == "TIFF" and (source := open_tiff(path)) is not None:
        return _Checked(path, source)
    return open_whole(path, format)


def open_sink(
    path: Path,
    facts: Facts,
    *,
    format: str | None = None,
    quality: int | None = None,
    compression: int | None = None,
) -> Sink:
    """Open `path` for writing a picture of these `facts` from top to bottom.

    `format` is an ending without its dot; None means that of `path`. `quality` (1 to 100) is that
    of JPEG, AVIF and WebP, `compression` (0 to 9) that of PNG and TIFF. Rows may be of any depth:
    those that the format cannot hold are rounded to the nearest that it can, as `storable` says.
    The file is written in place: wrap it in `write_atomically`.
    """
    target = format_of_target(path, format)
    kept, _ = storable(path, facts, format=format)
    if target.name == "PNG":
        sink = png_sink(path, kept, compression=compression)
    elif target.name == "TIFF":
        sink = tiff_sink(path, kept, compression=compression)
    else:
        sink = PillowSink(path, kept, target, quality=quality)
    return _Fitting(sink, kept)


def storable(
    path: Path, facts: Facts, *, format: str | None = None
) -> tuple[Facts, tuple[str, ...]]:
    """What the file will hold of a picture with these `facts`, and notes of what is lost.

    Refused: alpha where the format has none, and more pixels than it can hold.
    """
    target = format_of_target(path, format)
    _check_storable(path, facts, target)
    notes: list[str] = []
    depth = max((d for d in target.depths if d.itemsize <= facts.dtype.itemsize), key=_order)
    if depth != facts.dtype:
        was = "float" if facts.dtype == F32 else f"{8 * facts.dtype.itemsize} bits"
        clipped = " and clipped to 0..1" if facts.dtype == F32 else ""
        notes.append(f"{target.name} cannot hold {was}: rounded to {_bits(depth)}{clipped}")
    if target.name == "GIF":
        notes.append("GIF holds 256 colours and no half transparency; more is lost")
    channels = facts.channels if target.has_grey else 3
    metadata, lost = fitted(facts.metadata, target, channels=channels)
    return replace(facts, channels=channels, dtype=depth, metadata=metadata), (*notes, *lost)


def read_picture(path: Path) -> Picture:
    """Read a whole picture, as `open_source` says, of up to MOST_PIXELS."""
    with closing(open_source(path)) as source:
        facts = source.facts
        if facts.width * facts.height > MOST_PIXELS:
            raise too_large(path, f"{facts.width}x{facts.height}, more than", MOST_PIXELS)
        return replace(source.read(facts.height), metadata=facts.metadata)


def read_rgb(path: Path) -> np.ndarray:
    """Read a picture as uint8 (H, W, 3): grey is replicated, alpha dropped, depth rounded."""
    pixels = as_depth(read_picture(path).pixels, U8)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def write_picture(
    path: Path,
    picture: Picture,
    *,
    overwrite: bool = False,
    format: str | None = None,
    quality: int | None = None,
    compression: int | None = None,
) -> None:
    """Write `picture` as `open_sink` says, whole or not at all, with its metadata."""
    format_of_target(path, format)
    check_free(path, overwrite=overwrite)
    _check_arrays(path, picture)
    facts = picture.facts
    storable(path, facts, format=format)  # refuses before a file is made

    def fill(temporary: Path) -> None:
        name = format or path.suffix
        with closing(
            open_sink(temporary, facts, format=name, quality=quality, compression=compression)
        ) as sink:
            sink.write(picture)

    write_atomically(path, fill)


def recognised(path: Path) -> Format:
    """The format of a file, by its first bytes. Refuses what is none of ours."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a picture. Name a file in it.")
        if path.exists() and not path.is_file():  # opening it might wait for ever
            raise InputError(f"{path} is a pipe or a device. Save the picture as a file first.")
        with path.open("rb") as file:
            start = file.read(START)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check the name.") from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}. Check the disk and the file's permissions."
        ) from error
    if not start:
        raise InputError(f"{path} is empty (0 bytes). Get it again, or remove it.")
    format = format_of_content(start)
    if format is None:
        raise InputError(
            f"{path} is not a PNG, JPEG, WebP, TIFF, AVIF, BMP or GIF picture. "
            "Convert it to one of these, or remove it."
        )
    return format


class _Checked:
    """A source whose size and metadata are checked as those of other formats are."""

    def __init__(self, path: Path, source: Source) -> None:
        self._source, facts = source, source.facts
        pixels = facts.width * facts.height
        bytes_in_all = pixels * (facts.channels + facts.has_alpha) * facts.dtype.itemsize
        most = MOST_STREAMED if source.held < bytes_in_all else MOST_PIXELS
        if pixels > most:
            source.close()
            raise too_large(path, f"{facts.width}x{facts.height}, more than", most)
        metadata, _, notes = understood(facts.metadata)
        self.facts = replace(facts, metadata=metadata, notes=(*facts.notes, *notes))

    @property
    def held(self) -> int:
        return self._source.held

    def read(self, rows: int) -> Picture:
        return replace(self._source.read(rows), metadata=self.facts.metadata)

    def close(self) -> None:
        self._source.close()


class _Fitting:
    """A sink that takes rows of any depth, and grey ones where the file is to have colour."""

    def __init__(self, sink: Sink, facts: Facts) -> None:
        self._sink, self._facts = sink, facts

    @property
    def held(self) -> int:
        return self._sink.held

    def write(self, rows: Picture) -> None:
        pixels = as_depth(rows.pixels, self._facts.dtype)
        if pixels.shape[2] < self._facts.channels:
            pixels = np.repeat(pixels, self._facts.channels, axis=2)
        alpha = None if rows.alpha is None else as_depth(rows.alpha, self._facts.dtype)
        self._sink.write(Picture(pixels, alpha))

    def close(self) -> None:
        self._sink.close()


def _order(depth: np.dtype) -> int:
    return (U8, U16, F32).index(depth)


def _bits(depth: np.dtype) -> str:
    return f"{8 * depth.itemsize} bits"


def _check_arrays(path: Path, picture: Picture) -> None:
    pixels, alpha = picture.pixels, picture.alpha
    if pixels.dtype not in (U8, U16, F32) or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise InputError(
            f"{path}: pixels must be uint8, uint16 or float32 of shape (H, W, 1 or 3), "
            f"not {pixels.dtype} of shape {pixels.shape}."
        )
    if alpha is not None and (alpha.dtype != pixels.dtype or alpha.shape != pixels.shape[:2]):
        raise InputError(
            f"{path}: alpha must be {pixels.dtype} of shape {pixels.shape[:2]} like the pixels, "
            f"not {alpha.dtype} of shape {alpha.shape}."
        )


def _check_storable(path: Path, facts: Facts, format: Format) -> None:
    if facts.has_alpha and not format.has_alpha:
        raise InputError(
            f"{path}: {format.name} cannot keep transparency. Write .png or .webp instead, "
            "or remove the alpha channel first."
        )
    size = f"{path}: {facts.width}x{facts.height} is more than the"
    if max(facts.width, facts.height) > format.longest_side:
        raise InputError(
            f"{size} {format.longest_side} pixels a side that {format.name} can hold. "
            "Write .png or .tif instead."
        )
    if facts.width * facts.height > format.most_pixels:
        raise InputError(
            f"{size} {format.most_pixels // 10**6} million pixels that {format.name} can hold. "
            "Write .png or .tif instead, or make it smaller."
        )
