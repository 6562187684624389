"""TIFF files written strip by strip, deflated on several threads."""

import struct
import zlib
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from acutance.errors import InputError
from acutance.imaging.packing import Band, Packing
from acutance.imaging.picture import Facts, Picture, Sink
from acutance.imaging.tiff import tags
from acutance.imaging.tiff.directory import LONG, LONG8, SHORT, Entry, Form, entry, pack_directory
from acutance.imaging.tiff.notes import note_entries

_STRIP_BYTES = 2**18
_FASTEST = 1
_LARGEST = 2**32 - 2**26  # bytes that places of 4 bytes can name, less room for the directory


def tiff_sink(path: Path, facts: Facts, *, compression: int | None) -> Sink:
    """A TIFF file at `path`, which is replaced: uint8, uint16 or float32, grey or RGB, with alpha
    or not; BigTIFF where it could pass 4 GB.

    `compression` is deflate's level, 1 to 9, with a predictor; 0 is none, None the fastest.
    """
    if not (0 < facts.width < 2**31 and 0 < facts.height < 2**31):
        raise InputError(
            f"{path}: {facts.width}x{facts.height} is not a size that TIFF can hold: "
            f"1 to {2**31 - 1} pixels a side."
        )
    return _TiffSink(path, facts, _FASTEST if compression is None else compression)


class _TiffSink:
    def __init__(self, path: Path, facts: Facts, level: int) -> None:
        self._facts = facts
        self._samples = facts.channels + facts.has_alpha
        size = facts.width * facts.height * self._samples * facts.dtype.itemsize
        self._form = Form("<", is_big=size > _LARGEST)
        is_float = facts.dtype.kind == "f"
        self._predictor = (tags.FLOATS if is_float else tags.LEFT) if level else tags.NO_PREDICTOR
        self._places: list[int] = []
        self._sizes: list[int] = []
        self._packing = Packing(
            facts,
            dtype=facts.dtype.newbyteorder("<"),
            band_bytes=_STRIP_BYTES,
            pack=partial(_strip, level=level),
            put=self._put,
        )
        self._compression = tags.DEFLATE if level else tags.NO_COMPRESSION
        self._file = path.open("wb")
        start = (
            struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0) if self._form.is_big else b"II*\0" + bytes(4)
        )
        self._file.write(start)

    @property
    def held(self) -> int:
        return self._packing.held

    def write(self, rows: Picture) -> None:
        self._packing.write(rows)

    def close(self) -> None:
        if self._file.closed:
            return
        with self._file, closing(self._packing):
            self._packing.finish()
            self._file.write(bytes(self._file.tell() % 2))
            notes, behind = note_entries(self._facts.metadata, self._file.tell(), self._form)
            self._file.write(behind)
            at = self._file.tell()
            self._file.write(pack_directory({**notes, **self._pixel_entries()}, at, self._form))
            self._file.seek(8 if self._form.is_big else 4)
            self._file.write(struct.pack(self._form.place, at))

    def _put(self, strip: bytes) -> None:
        self._places.append(self._file.tell())
        self._sizes.append(len(strip))
        self._file.write(strip)

    def _pixel_entries(self) -> dict[int, Entry]:
        facts, whole = self._facts, LONG8 if self._form.is_big else LONG
        is_float = facts.dtype.kind == "f"
        numbers: dict[int, tuple[int, ...]] = {
            tags.WIDTH: (LONG, facts.width),
            tags.HEIGHT: (LONG, facts.height),
            tags.BITS: (SHORT, *[8 * facts.dtype.itemsize] * self._samples),
            tags.COMPRESSION: (SHORT, self._compression),
            tags.PHOTOMETRIC: (SHORT, tags.RGB if facts.channels == 3 else tags.BLACK_IS_ZERO),
            tags.STRIP_PLACES: (whole, *self._places),
            tags.SAMPLES: (SHORT, self._samples),
            tags.STRIP_ROWS: (LONG, self._packing.band_rows),
            tags.STRIP_SIZES: (whole, *self._sizes),
            tags.PLANAR: (SHORT, 1),
            tags.SAMPLE_FORMAT: (
                SHORT,
                *[tags.FLOAT if is_float else tags.UNSIGNED] * self._samples,
            ),
        }
        if self._predictor != tags.NO_PREDICTOR:
            numbers[tags.PREDICTOR] = (SHORT, self._predictor)
        if facts.has_alpha:
            numbers[tags.EXTRA_SAMPLES] = (SHORT, tags.STRAIGHT)
        return {tag: entry(self._form, *values) for tag, values in numbers.items()}


def _strip(band: Band, *, level: int) -> bytes:
    if level == 0:
        return band.samples.tobytes()
    rows = band.samples
    if rows.dtype.kind == "f":
        rows = _split_floats(rows)
    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]
    return zlib.compress(differences.data, level)


def _split_floats(rows: np.ndarray) -> np.ndarray:
    """(rows, width, samples) as bytes (rows, 4 * width, samples): the highest of all come first."""
    count, _, samples = rows.shape
    width = rows.dtype.itemsize
    parts = rows.astype(rows.dtype.newbyteorder(">")).view(np.uint8).reshape(count, -1, width)
    return np.ascontiguousarray(parts.transpose(0, 2, 1)).reshape(count, -1, samples)
