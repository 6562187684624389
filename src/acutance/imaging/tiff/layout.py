"""What the first directory of a TIFF file says of its pixels, checked."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acutance.errors import InputError
from acutance.imaging.refusals import damaged
from acutance.imaging.tiff import tags
from acutance.imaging.tiff.directory import Directory, Form

_LARGE_STRIP = 2**18  # bytes
# compression -> bytes that can become of one at most, roundly
INFLATIONS = {
    tags.NO_COMPRESSION: 1,
    tags.PACKBITS: 64,
    tags.DEFLATE: 1032,
    tags.OLD_DEFLATE: 1032,
    tags.LZW: 2**12,
    tags.LZMA: 2**14,
    tags.ZSTD: 2**17,
}
_WITHOUT_PREDICTOR = (tags.NO_COMPRESSION, tags.PACKBITS)
_COLOURS = (tags.WHITE_IS_ZERO, tags.BLACK_IS_ZERO, tags.RGB)
_SAMPLE_TYPES = {
    (tags.UNSIGNED, 8): "u1", (tags.UNSIGNED, 16): "u2",
    (tags.FLOAT, 16): "f2", (tags.FLOAT, 32): "f4", (tags.FLOAT, 64): "f8",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Where the pixels are and how they are stored. A piece is a strip or a tile."""

    width: int
    height: int
    samples: int
    channels: int  # 1 or 3: the colour's share of the samples
    alpha: int | None  # tags.PREMULTIPLIED or tags.STRAIGHT, of the sample behind the colour
    is_inverted: bool  # white is zero
    stored: np.dtype  # of a sample in the file
    compression: int
    predictor: int
    is_planar: bool  # pieces hold one sample each
    is_tiled: bool
    piece_width: int
    piece_rows: int
    places: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype:
        """Of the pixels that are given."""
        return np.dtype(np.float32) if self.stored.kind == "f" else self.stored.newbyteorder("=")

    @property
    def across(self) -> int:
        return -(-self.width // self.piece_width)

    @property
    def down(self) -> int:
        return -(-self.height // self.piece_rows)

    @property
    def piece_samples(self) -> int:
        return 1 if self.is_planar else self.samples

    @property
    def piece_row_bytes(self) -> int:
        return self.piece_width * self.piece_samples * self.stored.itemsize


def read_layout(path: Path, directory: Directory, form: Form) -> Layout | None:
    """The layout; None for 8 bits or fewer of a kind that is not read here."""
    numbers = _Numbers(path, directory, form)
    bits = set(numbers.many(tags.BITS, (1,)))
    formats = set(numbers.many(tags.SAMPLE_FORMAT, (tags.UNSIGNED,)))
    problem = _problem(numbers, bits, formats)
    if problem is not None:
        if max(bits) <= 8:
            return None
        raise InputError(
            f"{path} has {problem}, which is not read with {max(bits)} bits per channel. "
            "Save it as grey or RGB with 8, 16 or 32 (float) bits, compressed by deflate or not."
        )
    width, height, samples = (
        numbers.one(tags.WIDTH, 0),
        numbers.one(tags.HEIGHT, 0),
        numbers.one(tags.SAMPLES, 1),
    )
    if not (0 < width < 2**31 and 0 < height < 2**31):
        raise damaged(path, f"it claims to be {width}x{height} pixels")
    channels = 3 if numbers.one(tags.PHOTOMETRIC, 0) == tags.RGB else 1
    if not channels <= samples <= 64:
        raise damaged(path, f"it claims {samples} samples of {channels} channels")
    is_tiled = tags.TILE_WIDTH in directory.entries
    compression = numbers.one(tags.COMPRESSION, tags.NO_COMPRESSION)
    layout = Layout(
        width=width,
        height=height,
        samples=samples,
        channels=channels,
        alpha=_alpha(numbers, samples - channels),
        is_inverted=numbers.one(tags.PHOTOMETRIC, 0) == tags.WHITE_IS_ZERO,
        stored=np.dtype(form.order + _SAMPLE_TYPES[formats.pop(), bits.pop()]),
        compression=compression,
        predictor=numbers.one(tags.PREDICTOR, 1) if compression not in _WITHOUT_PREDICTOR else 1,
        is_planar=numbers.one(tags.PLANAR, 1) == 2 and samples > 1,
        is_tiled=is_tiled,
        piece_width=numbers.one(tags.TILE_WIDTH, 0) if is_tiled else width,
        piece_rows=(
            numbers.one(tags.TILE_ROWS, 0)
            if is_tiled
            else min(numbers.one(tags.STRIP_ROWS, height), height)
        ),
        places=numbers.many(tags.TILE_PLACES if is_tiled else tags.STRIP_PLACES, ()),
        sizes=numbers.many(tags.TILE_SIZES if is_tiled else tags.STRIP_SIZES, ()),
    )
    _check_pieces(path, layout)
    return _in_small_strips(layout, path.stat().st_size)


class _Numbers:
    """Whole numbers by tag."""

    def __init__(self, path: Path, directory: Directory, form: Form) -> None:
        self._path, self._directory, self._form = path, directory, form

    def many(self, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
        found = self._directory.entries.get(tag)
        numbers = found.numbers(self._form) if found else default
        if found and (not numbers or not all(isinstance(n, int) and n >= 0 for n in numbers)):
            raise damaged(self._path, f"the tag {tag} is not a number")
        return tuple(int(number) for number in numbers)

    def one(self, tag: int, default: int) -> int:
        return self.many(tag, (default,))[0]


def _problem(numbers: _Numbers, bits: set[int], formats: set[int]) -> str | None:
    """What there is that is not read here."""
    compression = numbers.one(tags.COMPRESSION, tags.NO_COMPRESSION)
    predictor = numbers.one(tags.PREDICTOR, tags.NO_PREDICTOR)
    colour = numbers.one(tags.PHOTOMETRIC, -1)
    predictors = (tags.NO_PREDICTOR, tags.LEFT, *[tags.FLOATS] * (formats == {tags.FLOAT}))
    checks = {
        "channels of different depths": len(bits) != 1 or len(formats) != 1,
        "numbers of this kind": not all((f, b) in _SAMPLE_TYPES for f in formats for b in bits),
        f"the compression {compression}": compression not in INFLATIONS,
        f"the colour kind {colour}": colour not in _COLOURS,
        f"the predictor {predictor}": predictor not in predictors,
        "bits in reversed order": numbers.one(tags.FILL_ORDER, 1) != 1,
    }
    return next((problem for problem, holds in checks.items() if holds), None)


def _alpha(numbers: _Numbers, extra: int) -> int | None:
    """The first sample beyond the colour is alpha if it is said, or if nothing is said of it."""
    kinds = numbers.many(tags.EXTRA_SAMPLES, (tags.STRAIGHT,))
    return kinds[0] if extra > 0 and kinds[0] in (tags.PREMULTIPLIED, tags.STRAIGHT) else None


def _check_pieces(path: Path, layout: Layout) -> None:
    if min(layout.piece_width, layout.piece_rows) < 1 or layout.piece_width >= 2**31:
        raise damaged(path, f"pieces of {layout.piece_width}x{layout.piece_rows} pixels")
    count = layout.across * layout.down * (layout.samples if layout.is_planar else 1)
    if min(len(layout.places), len(layout.sizes)) < count:
        raise damaged(path, f"{len(layout.places)} of {count} strips or tiles")


def _in_small_strips(layout: Layout, file_size: int) -> Layout:
    """Large strips that are not compressed, seen as several: many files have only one."""
    rows, size = layout.piece_rows, layout.piece_row_bytes
    if layout.compression != tags.NO_COMPRESSION or layout.is_tiled or rows * size <= _LARGE_STRIP:
        return layout
    is_single = layout.down == 1
    if (layout.is_planar and not is_single) or layout.height * size > file_size:
        return layout  # in the second case reading it will tell
    few = max(_LARGE_STRIP // size, 1)
    if not is_single:  # each must be cut into equal parts
        few = next(count for count in range(few, 0, -1) if rows % count == 0)
    places, sizes = [], []
    for place, have in zip(layout.places, layout.sizes, strict=False):
        for top in range(0, rows, few):
            places.append(place + top * size)
            sizes.append(max(min(few * size, have - top * size), 0))
    return replace(layout, piece_rows=few, places=tuple(places), sizes=tuple(sizes))
