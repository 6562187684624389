"""The chunks of a PNG file: found, checked, read in pieces, written (section 5)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from acutance.errors import InputError
from acutance.imaging.png.header import PALETTE, Header, read_header
from acutance.imaging.refusals import damaged

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_NOTES = 2**24
"""Bytes of palette, profile, Exif, XMP and text that are kept: those of cameras are far smaller."""

_NOTES = (b"iCCP", b"eXIf", b"iTXt", b"zTXt", b"tEXt", b"pHYs")
_KEPT = (b"PLTE", b"tRNS", *_NOTES)
_PIECE = 2**16


@dataclass(frozen=True)
class Layout:
    """What a file holds, but for the pixels."""

    header: Header
    pixels_at: int  # where the first chunk of pixels starts
    pixels_size: int  # bytes of all of them, compressed
    palette: bytes | None
    transparency: bytes | None
    notes: tuple[tuple[bytes, bytes], ...]  # kind and content


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def read_layout(path: Path, file: BinaryIO) -> Layout:
    """Walk through the whole file, checking all but the pixels, which are only passed over."""
    scan = _Scan(path, file)
    if file.read(8) != SIGNATURE:
        raise damaged(path, "it does not begin as PNG does")
    kind = b""
    while kind != b"IEND":
        size, kind = _begin(path, file)
        if (kind == b"IHDR") != (scan.header is None):
            raise damaged(path, f"the chunk {_name(kind)} where its header should be the first")
        scan.take(kind, size)
    return scan.layout()


class _Scan:
    """What was met on the way through a file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._size = path.stat().st_size
        self.header: Header | None = None
        self._kept: list[tuple[bytes, bytes]] = []
        self._kept_size = 0
        self._pixels_at, self._pixels_size = 0, 0
        self._last = b""

    def take(self, kind: bytes, size: int) -> None:
        if self._file.tell() + size + 4 > self._size:
            raise damaged(self._path, f"it ends inside the chunk {_name(kind)}")
        if kind == b"IDAT":
            self._pass_over(size)
        elif kind == b"IHDR":
            self.header = read_header(self._path, self._body(kind, min(size, _PIECE)))
        elif kind in _KEPT:
            self._keep(kind, size)
        elif kind[:1].isupper() and kind != b"IEND":
            raise InputError(
                f"{self._path} has the chunk {_name(kind)}, which is not of the PNG standard. "
                "Save it as plain PNG with an image editor."
            )
        else:
            self._check(kind, size)
        self._last = kind

    def layout(self) -> Layout:
        assert self.header is not None  # the first chunk is one
        if not self._pixels_at:
            raise damaged(self._path, "it has no chunk IDAT, the pixels")
        found = dict(reversed(self._kept))  # the first of each kind
        palette = found.get(b"PLTE")
        if self.header.colour == PALETTE:
            _check_palette(self._path, palette)
        return Layout(
            header=self.header,
            pixels_at=self._pixels_at,
            pixels_size=self._pixels_size,
            palette=palette,
            transparency=found.get(b"tRNS"),
            notes=tuple(pair for pair in self._kept if pair[0] in _NOTES),
        )

    def _pass_over(self, size: int) -> None:
        if self._pixels_at and self._last != b"IDAT":
            raise damaged(self._path, "its chunks IDAT do not follow each other")
        self._pixels_at = self._pixels_at or self._file.tell() - 8
        self._pixels_size += size
        self._file.seek(size + 4, 1)

    def _keep(self, kind: bytes, size: int) -> None:
        self._kept_size += size
        if self._kept_size > MOST_NOTES:
            raise too_many_notes(self._path)
        self._kept.append((kind, self._body(kind, size)))

    def _body(self, kind: bytes, size: int) -> bytes:
        return b"".join(checked_pieces(self._path, self._file, kind, size))

    def _check(self, kind: bytes, size: int) -> None:
        for _ in checked_pieces(self._path, self._file, kind, size):
            pass


def pixel_pieces(path: Path, file: BinaryIO, layout: Layout) -> Iterator[bytes]:
    """The compressed pixels in pieces of at most 64 KiB; each chunk is checked at its end."""
    file.seek(layout.pixels_at)
    size, kind = _begin(path, file)
    while kind == b"IDAT":
        yield from checked_pieces(path, file, kind, size)
        size, kind = _begin(path, file)


def checked_pieces(path: Path, file: BinaryIO, kind: bytes, size: int) -> Iterator[bytes]:
    """The content of the chunk whose head was read; an error behind it if its checksum is wrong."""
    checksum = zlib.crc32(kind)
    while size:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise damaged(path, f"it ends inside the chunk {_name(kind)}")
        checksum = zlib.crc32(piece, checksum)
        size -= len(piece)
        yield piece
    if file.read(4) != struct.pack(">I", checksum):
        raise damaged(path, f"wrong checksum in the chunk {_name(kind)}")


def too_many_notes(path: Path) -> InputError:
    return InputError(
        f"{path} holds more than {MOST_NOTES // 2**20} MiB of text and colour profiles beside "
        "its pixels. Save it without them, or remove it."
    )


def _begin(path: Path, file: BinaryIO) -> tuple[int, bytes]:
    head = file.read(8)
    if len(head) < 8:
        raise damaged(path, "it ends before its last chunk")
    size, kind = struct.unpack(">I4s", head)
    if not kind.isalpha():
        raise damaged(path, f"{kind!r} where the name of a chunk should be")
    return size, kind


def _name(kind: bytes) -> str:
    return kind.decode("latin-1")


def _check_palette(path: Path, palette: bytes | None) -> None:
    if not palette or len(palette) % 3 or len(palette) > 768:
        raise damaged(path, f"a palette of {len(palette or b'')} bytes")
