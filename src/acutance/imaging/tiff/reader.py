"""TIFF files as a stream of rows: as many in memory as one row of strips or tiles has."""

from pathlib import Path

import numpy as np

from acutance.imaging.orientation import is_transposed, turn_upright, upright_metadata
from acutance.imaging.picture import Facts, Picture, Source
from acutance.imaging.refusals import damaged, several_pictures, unreadable
from acutance.imaging.tiff import tags
from acutance.imaging.tiff.directory import (
    DirectoryError,
    Form,
    read_directory,
    read_form,
    whole_number,
)
from acutance.imaging.tiff.layout import Layout, read_layout
from acutance.imaging.tiff.notes import read_notes
from acutance.imaging.tiff.pieces import read_pieces

_BAND_BYTES = 2**20  # decoded at once, where pieces are smaller
_COPIES = 6  # of such a band, from the file to samples
_MOST_PAGES = 10_000


def open_tiff(path: Path) -> Source | None:
    """A TIFF picture of 8 or 16 bits or floats, grey or RGB, with alpha or not.

    Strips or tiles, samples together or apart, uncompressed or by LZW, deflate, PackBits,
    Zstandard or LZMA; BigTIFF too. Floats become float32 and are not scaled; white-is-zero is
    inverted, premultiplied alpha divided out, the orientation applied (then it is decoded whole).

    None for 8 bits or fewer in other colours (palettes, CMYK) or compressions (JPEG). Raises
    InputError for damage, several pages, and for more bits in such colours or compressions.
    """
    try:
        with path.open("rb") as file:
            form, first = read_form(file)
            directory = read_directory(file, first, form, tags=(*tags.OF_PIXELS, *tags.OF_NOTES))
            layout = read_layout(path, directory, form)
            if layout is None:
                return None
            pages = _count_pages(path, form, first)
            if pages > 1:
                raise several_pictures(path, pages)
            metadata = read_notes(file, directory, form)
    except DirectoryError as error:
        raise damaged(path, str(error)) from None
    except OSError as error:
        raise unreadable(path, error) from error
    stored = whole_number(directory.entries, tags.ORIENTATION, form, default=1)
    stored = stored if 1 <= stored <= 8 else 1
    facts = Facts(
        width=layout.height if is_transposed(stored) else layout.width,
        height=layout.width if is_transposed(stored) else layout.height,
        channels=layout.channels,
        dtype=layout.dtype,
        has_alpha=layout.alpha is not None,
        metadata=upright_metadata(metadata, stored),
    )
    return _TiffSource(path, layout, facts, stored)


def _count_pages(path: Path, form: Form, first: int) -> int:
    """Pages that are pictures of their own; a chain that is broken ends there."""
    count, at, seen = 0, first, set()
    with path.open("rb") as file:
        while at and at not in seen and len(seen) < _MOST_PAGES:
            seen.add(at)
            try:
                directory = read_directory(file, at, form, tags=(tags.KIND_OF_PAGE,))
            except DirectoryError:
                break
            count += not whole_number(directory.entries, tags.KIND_OF_PAGE, form, default=0) & 5
            at = directory.following
    return count


class _TiffSource:
    def __init__(self, path: Path, layout: Layout, facts: Facts, orientation: int) -> None:
        self._path, self._layout, self._facts = path, layout, facts
        self._orientation = orientation
        self._file = path.open("rb")
        band = layout.piece_rows * layout.width * layout.samples * layout.stored.itemsize
        self._band_pieces = max(_BAND_BYTES // band, 1)  # rows of pieces decoded at once
        self._band_bytes = self._band_pieces * band
        self._next_piece = 0
        self._left = self._empty(0)  # rows that were decoded and not asked for yet
        self._whole: Picture | None = None
        self._done = 0

    @property
    def facts(self) -> Facts:
        return self._facts

    @property
    def held(self) -> int:
        band = _COPIES * self._band_bytes
        if self._orientation == 1:
            return band
        facts = self._facts
        samples = facts.channels + facts.has_alpha
        return band + facts.width * facts.height * samples * facts.dtype.itemsize

    def read(self, rows: int) -> Picture:
        top = self._done
        count = min(max(rows, 0), self._facts.height - top)
        try:
            if self._orientation == 1:
                picture = self._stored(count)
            else:
                self._whole = self._whole or self._upright()
                picture = _rows(self._whole, top, top + count)
        except OSError as error:
            raise unreadable(self._path, error) from error
        self._done += count
        return picture

    def close(self) -> None:
        self._file.close()
        self._whole = None

    def _stored(self, count: int) -> Picture:
        parts, missing = [], count
        while missing or not parts:
            if missing and not self._left.height:
                self._left = self._decoded()
            parts.append(_rows(self._left, 0, missing))
            self._left = _rows(self._left, missing, None)
            missing -= parts[-1].height
        pixels = np.concatenate([part.pixels for part in parts])
        alphas = [part.alpha for part in parts if part.alpha is not None]
        return Picture(pixels, np.concatenate(alphas) if alphas else None, self._facts.metadata)

    def _decoded(self) -> Picture:
        first = self._next_piece
        stop = min(first + self._band_pieces, self._layout.down)
        self._next_piece = stop
        band = read_pieces(self._path, self._file, self._layout, first=first, stop=stop)
        return _picture(band, self._layout)

    def _upright(self) -> Picture:
        picture = self._stored(self._layout.height)
        alpha = None if picture.alpha is None else turn_upright(picture.alpha, self._orientation)
        return Picture(turn_upright(picture.pixels, self._orientation), alpha, self._facts.metadata)

    def _empty(self, rows: int) -> Picture:
        shape, dtype = (rows, self._layout.width), self._layout.dtype
        alpha = None if self._layout.alpha is None else np.empty(shape, dtype)
        return Picture(np.empty((*shape, self._layout.channels), dtype), alpha)


def _rows(picture: Picture, top: int, stop: int | None) -> Picture:
    alpha = None if picture.alpha is None else np.ascontiguousarray(picture.alpha[top:stop])
    return Picture(np.ascontiguousarray(picture.pixels[top:stop]), alpha, picture.metadata)


def _picture(band: np.ndarray, layout: Layout) -> Picture:
    values = band.astype(layout.dtype, copy=False)
    pixels = values[:, :, : layout.channels]
    full = 1 if layout.dtype.kind == "f" else np.iinfo(layout.dtype).max
    if layout.is_inverted:
        pixels = full - pixels
    if layout.alpha is None:
        return Picture(np.ascontiguousarray(pixels))
    alpha = np.ascontiguousarray(values[:, :, layout.channels])
    if layout.alpha == tags.PREMULTIPLIED:
        pixels = _divided(pixels, alpha, full)
    return Picture(np.ascontiguousarray(pixels), alpha)


def _divided(pixels: np.ndarray, alpha: np.ndarray, full: int) -> np.ndarray:
    """Colours that were multiplied by their opacity, as they were before; 0 where it is 0."""
    opacity = alpha[:, :, None].astype(np.float64)
    colours = np.divide(
        pixels * float(full), opacity, where=opacity > 0, out=np.zeros(pixels.shape)
    )
    if pixels.dtype.kind == "f":
        return colours.astype(pixels.dtype)
    return np.minimum(np.rint(colours), full).astype(pixels.dtype)
