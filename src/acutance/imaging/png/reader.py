"""PNG files as a stream of rows, in memory that does not depend on the height."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from acutance.errors import InputError
from acutance.imaging.orientation import (
    is_transposed,
    orientation,
    turn_upright,
    upright_metadata,
)
from acutance.imaging.picture import Facts, Picture, Source
from acutance.imaging.png.chunks import Layout, pixel_pieces, read_layout
from acutance.imaging.png.filters import PAETH, unfilter_rows
from acutance.imaging.png.header import PALETTE
from acutance.imaging.png.notes import read_notes
from acutance.imaging.png.samples import has_alpha, read_samples, store_samples
from acutance.imaging.refusals import damaged, unreadable

_BAND_BYTES = 2**20  # decoded at once
_COPIES = 8  # of such a band, while it goes from deflate through Pillow to samples
_INFLATED_PIECE = 2**18
_MOST_INFLATION = 1032  # bytes that deflate can make of one (258 of 2 bits)
# the 7 passes of an interlaced picture (section 8.1): first column and row, steps across and down
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def open_png(path: Path) -> Source:
    """A PNG picture of any depth and colour type; of an animation the picture that is no frame.

    8 bits and less become uint8, 16 become uint16; palettes are expanded, a transparent colour
    becomes alpha, the Exif orientation is applied. Checksums are checked, those of the pixels as
    they are read. Interlaced and turned pictures are decoded whole with the first rows.

    Raises InputError for what is not a whole and correct PNG file, here or while reading.
    """
    return _PngSource(path)


class _PngSource:
    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise unreadable(path, error) from error
        try:
            self._layout = read_layout(path, self._file)
            metadata = read_notes(path, self._layout.notes)
        except OSError as error:
            self._file.close()
            raise unreadable(path, error) from error
        except BaseException:
            self._file.close()
            raise
        header = self._layout.header
        self._orientation = orientation(metadata.exif)
        turned = is_transposed(self._orientation)
        self._facts = Facts(
            width=header.height if turned else header.width,
            height=header.width if turned else header.height,
            channels=3 if header.colour == PALETTE or header.samples > 2 else 1,
            dtype=header.dtype,
            has_alpha=has_alpha(self._layout),
            metadata=upright_metadata(metadata, self._orientation),
        )
        self._is_streamed = self._orientation == 1 and not header.interlaced
        self._inflated = _Inflated(path, pixel_pieces(path, self._file, self._layout))
        self._rows = _Rows(self._inflated, self._layout, header.width)
        self._whole: Picture | None = None
        self._done = 0  # rows that were given

    @property
    def facts(self) -> Facts:
        return self._facts

    @property
    def held(self) -> int:
        header = self._layout.header
        band = _COPIES * max(_BAND_BYTES, header.row_bytes(header.width))
        if self._is_streamed:
            return band
        samples = self._facts.channels + self._facts.has_alpha
        return band + header.width * header.height * samples * header.dtype.itemsize

    def read(self, rows: int) -> Picture:
        top = self._done
        stop = min(top + max(rows, 0), self._facts.height)
        if top == 0:
            self._check_claim()
        try:
            if self._is_streamed:
                picture = self._empty(stop - top, self._facts.width)
                self._rows.read_into(picture)
            else:
                self._whole = self._whole or self._read_whole()
                picture = _some_rows(self._whole, top, stop)
            if stop == self._facts.height > top and self._is_streamed:
                self._inflated.finish()
        except OSError as error:
            raise unreadable(self._path, error) from error
        self._done = stop
        return picture

    def close(self) -> None:
        self._file.close()
        self._whole = None

    def _check_claim(self) -> None:
        """Refuse a size that the file is too small for, before memory is taken for it."""
        header, size = self._layout.header, self._layout.pixels_size
        if header.height * (header.row_bytes(header.width) + 1) > size * _MOST_INFLATION:
            raise damaged(
                self._path,
                f"it claims to be {header.width}x{header.height} pixels, "
                f"which the {size} bytes of them cannot hold",
            )

    def _empty(self, height: int, width: int) -> Picture:
        shape, dtype = (height, width), self._facts.dtype
        alpha = np.empty(shape, dtype) if self._facts.has_alpha else None
        return Picture(np.empty((*shape, self._facts.channels), dtype), alpha, self._facts.metadata)

    def _read_whole(self) -> Picture:
        header = self._layout.header
        stored = self._empty(header.height, header.width)
        if header.interlaced:
            for left, top, across, down in _PASSES:
                part = _every(stored, (slice(top, None, down), slice(left, None, across)))
                if part.pixels.size:
                    _Rows(self._inflated, self._layout, part.width).read_into(part)
        else:
            self._rows.read_into(stored)
        self._inflated.finish()
        alpha = None if stored.alpha is None else turn_upright(stored.alpha, self._orientation)
        return Picture(turn_upright(stored.pixels, self._orientation), alpha, stored.metadata)


def _every(picture: Picture, where: slice | tuple[slice, ...]) -> Picture:
    alpha = None if picture.alpha is None else picture.alpha[where]
    return Picture(picture.pixels[where], alpha, picture.metadata)


def _some_rows(picture: Picture, top: int, stop: int) -> Picture:
    alpha = None if picture.alpha is None else picture.alpha[top:stop].copy()
    return Picture(picture.pixels[top:stop].copy(), alpha, picture.metadata)


class _Rows:
    """The rows of a picture, or of one pass of an interlaced one, one after the other."""

    def __init__(self, inflated: "_Inflated", layout: Layout, width: int) -> None:
        self._inflated, self._layout, self._width = inflated, layout, width
        self._size = layout.header.row_bytes(width)
        self._previous: np.ndarray | None = None

    def read_into(self, picture: Picture) -> None:
        step = max(_BAND_BYTES // (self._size + 1), 1)
        for top in range(0, picture.height, step):
            band = _every(picture, slice(top, top + step))
            samples = read_samples(
                self._unfiltered(band.height), self._layout.header, width=self._width
            )
            try:
                store_samples(samples, self._layout, pixels=band.pixels, alpha=band.alpha)
            except IndexError:
                raise self._inflated.damage("a colour that its palette does not have") from None

    def _unfiltered(self, count: int) -> np.ndarray:
        filtered = self._inflated.take(count * (self._size + 1)).reshape(count, -1)
        if filtered[:, 0].max() > PAETH:
            raise self._inflated.damage(f"the unknown filter {filtered[:, 0].max()}")
        previous = self._previous if self._previous is not None else np.zeros(self._size, np.uint8)
        pixel_bytes = self._layout.header.pixel_bytes
        rows = unfilter_rows(filtered, previous, pixel_bytes=pixel_bytes)
        self._previous = rows[-1].copy()
        return rows


class _Inflated:
    """The stream of filtered rows, inflated as it is asked for."""

    def __init__(self, path: Path, pieces: Iterator[bytes]) -> None:
        self._path, self._pieces = path, pieces
        self._stream = zlib.decompressobj()
        self._left = memoryview(b"")  # inflated, but not asked for yet

    def take(self, size: int) -> np.ndarray:
        taken = np.empty(size, dtype=np.uint8)
        done = 0
        while done < size:
            if not self._left:
                self._left = memoryview(self._inflate(max(size - done, _INFLATED_PIECE)))
            if not self._left:
                raise self.damage("its pixels end too early")
            some = self._left[: size - done]
            taken[done : done + len(some)] = np.frombuffer(some, dtype=np.uint8)
            self._left = self._left[len(some) :]
            done += len(some)
        return taken

    def finish(self) -> None:
        """Check that nothing is left, and the checksums; bytes behind the stream are no harm."""
        if self._left or self._inflate(1):
            raise self.damage("it has more pixels than its header says")
        if not self._stream.eof:
            raise self.damage("its pixels have no end")
        for _ in self._pieces:
            pass

    def damage(self, reason: str) -> InputError:
        return damaged(self._path, reason)

    def _inflate(self, most: int) -> bytes:
        """The next bytes, at most so many; none at the end of the stream or of the file."""
        while not self._stream.eof:
            data = self._stream.unconsumed_tail or next(self._pieces, b"")
            try:
                content = self._stream.decompress(data, most)
            except zlib.error as error:
                raise self.damage(f"its pixels cannot be inflated: {error}") from None
            if content or not data:
                return content
        return b""
