"""What a PNG file says beside its pixels: profile, Exif, XMP, resolution, text (section 11.3)."""

import binascii
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

from acutance.errors import InputError
from acutance.imaging.picture import Metadata
from acutance.imaging.png.chunks import MOST_NOTES, chunk, too_many_notes
from acutance.imaging.refusals import damaged

_XMP = "XML:com.adobe.xmp"
_EXIF_PREFIX = b"Exif\0\0"
_OLD_EXIF = ("Raw profile type exif", "Raw profile type APP1")  # ImageMagick's, before eXIf was
_METRES_PER_INCH = 0.0254


def read_notes(path: Path, notes: tuple[tuple[bytes, bytes], ...]) -> Metadata:
    """Texts that cannot be read are left out; a profile that cannot is damage: colours hang on it.

    What is compressed may not become more than MOST_NOTES bytes in all.
    """
    inflate = _Inflate(path)
    first = dict(reversed(notes))
    texts = dict(_texts(notes, inflate))
    xmp = texts.pop(_XMP, None)
    old_exif = [texts.pop(name) for name in _OLD_EXIF if name in texts]
    exif = first.get(b"eXIf") or next(filter(None, map(_unhex, old_exif)), None)
    return Metadata(
        icc=_profile(path, first[b"iCCP"], inflate) if b"iCCP" in first else None,
        exif=exif.removeprefix(_EXIF_PREFIX) if exif else None,
        xmp=xmp.encode() if xmp else None,
        dpi=_resolution(first.get(b"pHYs", b"")),
        text=MappingProxyType(texts),
    )


def note_chunks(metadata: Metadata) -> Iterator[bytes]:
    """The chunks to stand before the pixels."""
    if metadata.icc:
        yield chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc))
    if metadata.dpi:
        across, down = (round(dpi / _METRES_PER_INCH) for dpi in metadata.dpi)
        if min(across, down) > 0 and max(across, down) < 2**31:
            yield chunk(b"pHYs", struct.pack(">IIB", across, down, 1))
    if metadata.exif:
        yield chunk(b"eXIf", metadata.exif)
    if metadata.xmp:
        yield chunk(b"iTXt", _XMP.encode() + b"\0\0\0\0\0" + metadata.xmp)
    for keyword, text in metadata.text.items():
        yield _text_chunk(keyword, text)


class _Inflate:
    """Inflates the notes of one file, together no more than MOST_NOTES bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = MOST_NOTES

    def __call__(self, data: bytes) -> bytes:
        stream = zlib.decompressobj()
        content = stream.decompress(data, self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise too_many_notes(self._path)
        if not stream.eof:
            raise zlib.error("incomplete")
        return content


def _profile(path: Path, body: bytes, inflate: Callable[[bytes], bytes]) -> bytes:
    _, _, rest = body.partition(b"\0")
    try:
        return inflate(rest[1:])
    except zlib.error:
        raise damaged(path, "its colour profile cannot be inflated") from None


def _texts(
    notes: tuple[tuple[bytes, bytes], ...], inflate: Callable[[bytes], bytes]
) -> Iterator[tuple[str, str]]:
    readers = {b"tEXt": _plain, b"zTXt": _compressed, b"iTXt": _international}
    for kind, body in notes:
        if kind not in readers:
            continue
        keyword, _, rest = body.partition(b"\0")
        try:
            yield keyword.decode("latin-1"), readers[kind](rest, inflate)
        except InputError:  # too many of them; it is a ValueError, as damaged text is
            raise
        except (zlib.error, ValueError):
            continue


def _plain(rest: bytes, _: Callable[[bytes], bytes]) -> str:
    return rest.decode("latin-1")


def _compressed(rest: bytes, inflate: Callable[[bytes], bytes]) -> str:
    return inflate(rest[1:]).decode("latin-1")


def _international(rest: bytes, inflate: Callable[[bytes], bytes]) -> str:
    is_compressed, (_, _, text) = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    return (inflate(text) if is_compressed else text).decode("utf-8")


def _unhex(text: str) -> bytes | None:
    """The content of a "raw profile": a name, a length and hexadecimal digits on lines."""
    match = re.match(r"\s*\w+\s+\d+\s([\s0-9a-fA-F]*)$", text)
    try:
        return binascii.unhexlify("".join(match[1].split())) if match else None
    except binascii.Error:
        return None


def _resolution(body: bytes) -> tuple[float, float] | None:
    if len(body) != 9 or body[8] != 1:  # else only the proportion is known
        return None
    across, down = struct.unpack(">II", body[:8])
    return (_dpi(across), _dpi(down)) if across and down else None


def _dpi(per_metre: int) -> float:
    """300 and not 299.9994 where the file has what 300 are rounded to."""
    exact = per_metre * _METRES_PER_INCH
    whole = round(exact)
    return float(whole) if round(whole / _METRES_PER_INCH) == per_metre else exact


def _text_chunk(keyword: str, text: str) -> bytes:
    words = keyword.encode("latin-1", "replace").replace(b"\0", b" ").split()
    key = b" ".join(words)[:79].strip() or b"Comment"
    content = text.replace("\0", " ")
    try:
        return chunk(b"tEXt", key + b"\0" + content.encode("latin-1"))
    except UnicodeEncodeError:
        return chunk(b"iTXt", key + b"\0\0\0\0\0" + content.encode("utf-8", "replace"))
