"""What a TIFF file says beside its pixels: profile, XMP, resolution, and Exif.

Exif is a TIFF directory itself. In a TIFF file its parts hang in the file's own directory.
"""

import struct
from collections.abc import Mapping
from fractions import Fraction
from io import BytesIO
from typing import BinaryIO

from acutance.imaging.picture import Metadata
from acutance.imaging.tiff import tags
from acutance.imaging.tiff.directory import (
    ASCII,
    BYTE,
    LONG,
    LONG8,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Directory,
    DirectoryError,
    Entry,
    Form,
    entry,
    in_order,
    pack_directory,
    read_directory,
    read_form,
    whole_number,
)

_TEXTS = {
    "Description": tags.DESCRIPTION,
    "Software": tags.SOFTWARE,
    "Author": tags.ARTIST,
    "Copyright": tags.COPYRIGHT,
}


def read_notes(file: BinaryIO, directory: Directory, form: Form) -> Metadata:
    icc, xmp = directory.entries.get(tags.ICC), directory.entries.get(tags.XMP)
    return Metadata(
        icc=icc.value if icc else None,
        exif=_exif(file, directory, form),
        xmp=xmp.value.rstrip(b"\0") or None if xmp else None,
        dpi=_resolution(directory.entries, form),
    )


def note_entries(metadata: Metadata, at: int, form: Form) -> tuple[dict[int, Entry], bytes]:
    """Entries for a file's directory, and the directories they name, which stand at `at`."""
    entries, behind = _exif_entries(metadata.exif or b"", at, form)
    for keyword, tag in _TEXTS.items():
        if keyword in metadata.text and tag not in entries:
            text = metadata.text[keyword].replace("\0", " ").encode() + b"\0"
            entries[tag] = Entry(ASCII, len(text), text)
    if metadata.icc:
        entries[tags.ICC] = Entry(UNDEFINED, len(metadata.icc), metadata.icc)
    if metadata.xmp:
        entries[tags.XMP] = Entry(BYTE, len(metadata.xmp), metadata.xmp)
    if metadata.dpi and min(metadata.dpi) > 0:
        for tag, dpi in zip((tags.DPI_ACROSS, tags.DPI_DOWN), metadata.dpi, strict=True):
            ratio = Fraction(min(dpi, 10.0**6)).limit_denominator(1000)
            entries[tag] = entry(form, RATIONAL, ratio.numerator, ratio.denominator)
        entries[tags.DPI_UNIT] = entry(form, SHORT, tags.INCH)
    return entries, behind


def _resolution(entries: Mapping[int, Entry], form: Form) -> tuple[float, float] | None:
    unit = whole_number(entries, tags.DPI_UNIT, form, default=tags.INCH)
    inches = {tags.INCH: 1.0, tags.CENTIMETRE: 2.54}.get(unit)
    found = [entries[tag] for tag in (tags.DPI_ACROSS, tags.DPI_DOWN) if tag in entries]
    if inches is None or len(found) != 2 or any(e.kind != RATIONAL for e in found):
        return None
    ratios = [e.numbers(form)[:2] for e in found]
    if any(len(ratio) < 2 or min(ratio) <= 0 for ratio in ratios):
        return None
    across, down = (inches * ratio[0] / ratio[1] for ratio in ratios)
    return across, down


def _exif(file: BinaryIO, directory: Directory, form: Form) -> bytes | None:
    """A block of its own with what describes the picture; damage in it is no harm to the pixels."""
    small = Form(form.order)
    entries = {tag: e for tag, e in directory.entries.items() if tag in tags.DESCRIBING}
    block = struct.pack(form.order + "2sHI", b"II" if form.order == "<" else b"MM", 42, 0)
    for tag in (tags.EXIF, tags.GPS):
        if tag in directory.entries:
            try:
                inside = _inside(file, directory.entries, tag, form)
            except DirectoryError:
                continue
            entries[tag] = entry(small, LONG, len(block))
            block += pack_directory(inside, len(block), small)
            block += bytes(len(block) % 2)
    if not entries:
        return None
    head = block[:4] + struct.pack(small.place, len(block))
    return head + block[8:] + pack_directory(entries, len(block), small)


def _exif_entries(exif: bytes, at: int, form: Form) -> tuple[dict[int, Entry], bytes]:
    file = BytesIO(exif)
    entries: dict[int, Entry] = {}
    behind = b""
    try:
        have, first = read_form(file)
        found = read_directory(
            file, first, have, tags=(*tags.DESCRIBING, tags.EXIF, tags.GPS)
        ).entries
    except DirectoryError:
        return {}, b""
    for tag, value in found.items():
        if tag in tags.DESCRIBING:
            entries[tag] = in_order(value, have=have, want=form)
            continue
        try:
            inside = _inside(file, found, tag, have)
        except DirectoryError:
            continue
        swapped = {key: in_order(item, have=have, want=form) for key, item in inside.items()}
        entries[tag] = entry(form, LONG8 if form.is_big else LONG, at + len(behind))
        behind += pack_directory(swapped, at + len(behind), form)
        behind += bytes(len(behind) % 2)
    return entries, behind


def _inside(file: BinaryIO, entries: Mapping[int, Entry], tag: int, form: Form) -> dict[int, Entry]:
    """What can be copied of the directory whose place the tag is."""
    place = whole_number(entries, tag, form, default=0)
    return {
        number: e
        for number, e in read_directory(file, place, form).entries.items()
        if number != tags.INTEROPERABILITY and e.kind < LONG8
    }
