"""EXIF blocks: taken apart, changed, and put together without touching what is not understood.

Exif 2.32, section 4.6, and TIFF 6.0, section 2. Every tag keeps its type and its bytes. The note
that cameras leave in their own language (MakerNote) keeps its place too: its own offsets often
count from the start of the block. The thumbnail (IFD1) is not kept, for it would show the picture
before the change.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace

ORIENTATION, SOFTWARE, MAKER_NOTE = 0x0112, 0x0131, 0x927C
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
MAIN, EXIF, GPS, INTEROP = "main", "exif", "gps", "interop"
WIDTHS = ((MAIN, 0x0100), (EXIF, 0xA002), (INTEROP, 0x1001))
HEIGHTS = ((MAIN, 0x0101), (EXIF, 0xA003), (INTEROP, 0x1002))

_CHILDREN = ((MAIN, 0x8769, EXIF), (MAIN, 0x8825, GPS), (EXIF, 0xA005, INTEROP))
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_ASCII, _SHORT, _LONG, _RATIONAL, _IFD = 2, 3, 4, 5, 13
# How and where the pixels of the file lie, by which a TIFF file describes itself; profile and XMP,
# which are kept apart. None of them is true of another file.
STRUCTURE = frozenset(
    tag
    for first, last in (
        *((254, 255), (258, 259), (262, 266), (273, 273), (277, 281), (284, 284), (288, 293)),
        *((297, 297), (317, 317), (320, 320), (322, 326), (330, 330), (332, 334), (336, 336)),
        *((338, 343), (347, 347), (512, 521), (529, 532), (700, 700), (34675, 34675)),
    )
    for tag in range(first, last + 1)
)


@dataclass(frozen=True)
class Entry:
    """One tag: its type by TIFF's number, how many values, and their bytes."""

    type: int
    count: int
    value: bytes


Directory = Mapping[int, Entry]


@dataclass(frozen=True)
class Exif:
    """A block taken apart; `order` is struct's sign for its byte order."""

    order: str
    directories: Mapping[str, Directory]
    maker_at: int | None = None  # offset of the MakerNote
    damaged: int = 0  # tags left out because their values lie outside the block


EMPTY = Exif("<", {MAIN: {}})


def parse_exif(block: bytes) -> Exif:
    """Take a block (without the prefix "Exif\\0\\0") apart; ValueError where there is no way in."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        raise ValueError("it does not begin as a TIFF block")
    main, bad, _ = _read_directory(block, order, struct.unpack_from(order + "I", block, 4)[0])
    if main is None:
        raise ValueError("its first directory lies outside")
    directories, maker_at = {MAIN: main}, None
    for parent, tag, child in _CHILDREN:
        pointer = directories.get(parent, {}).pop(tag, None)
        if pointer is None:
            continue
        found, wrong, places = _read_directory(block, order, _first_int(pointer, order) or 0)
        bad += wrong + (found is None)
        if found is not None:
            directories[child] = found
            maker_at = places.get(MAKER_NOTE, maker_at) if child == EXIF else maker_at
    return Exif(order, directories, maker_at, bad)


def encode_exif(exif: Exif) -> bytes:
    """The block as a file carries it, without the prefix "Exif\\0\\0"."""
    directories = {name: dict(entries) for name, entries in exif.directories.items() if entries}
    directories.setdefault(MAIN, {})
    if INTEROP in directories:
        directories.setdefault(EXIF, {})
    for parent, tag, child in _CHILDREN:
        if child in directories:
            directories[parent][tag] = Entry(_LONG, 1, bytes(4))  # filled in below
    note = directories.get(EXIF, {}).get(MAKER_NOTE)
    room = _Room(exif.maker_at, len(note.value) if note is not None else 0)
    tables = {name: room.place(6 + 12 * len(entries)) for name, entries in directories.items()}
    for parent, tag, child in _CHILDREN:
        if child in directories:
            pointer = struct.pack(exif.order + "I", tables[child])
            directories[parent][tag] = Entry(_LONG, 1, pointer)
    signature = b"II*\0" if exif.order == "<" else b"MM\0*"
    parts = [(0, signature + struct.pack(exif.order + "I", tables[MAIN]))]
    for name, entries in directories.items():
        parts += _table(entries, exif.order, tables[name], room)
    block = bytearray(max(at + len(part) for at, part in parts))
    for at, part in parts:
        block[at : at + len(part)] = part
    return bytes(block)


def number(exif: Exif, directory: str, tag: int) -> int | None:
    """The first value of an integer tag; None where there is none."""
    entry = exif.directories.get(directory, {}).get(tag)
    return None if entry is None else _first_int(entry, exif.order)


def ratio(exif: Exif, tag: int) -> float | None:
    """The first value of a fraction in the main directory; None where there is none."""
    entry = exif.directories[MAIN].get(tag)
    if entry is None or entry.type != _RATIONAL or entry.count < 1:
        return None
    above, below = struct.unpack(exif.order + "II", entry.value[:8])
    return above / below if below else None


def with_entry(exif: Exif, directory: str, tag: int, value: int | float | str) -> Exif:
    """With a tag set: integers as LONG (SHORT where small), floats as a fraction, text as ASCII."""
    if isinstance(value, str):
        text = value.encode() + b"\0"
        entry = Entry(_ASCII, len(text), text)
    elif isinstance(value, float):
        entry = Entry(_RATIONAL, 1, struct.pack(exif.order + "II", round(value * 10_000), 10_000))
    elif value < 2**16:
        entry = Entry(_SHORT, 1, struct.pack(exif.order + "H", value))
    else:
        entry = Entry(_LONG, 1, struct.pack(exif.order + "I", value))
    changed = {**exif.directories.get(directory, {}), tag: entry}
    return replace(exif, directories={**exif.directories, directory: changed})


def without_tags(exif: Exif, tags: frozenset[int]) -> Exif:
    """Without some tags of the main directory."""
    main = {tag: entry for tag, entry in exif.directories[MAIN].items() if tag not in tags}
    return replace(exif, directories={**exif.directories, MAIN: main})


def without_directory(exif: Exif, directory: str) -> Exif:
    """Without a whole directory, such as GPS."""
    kept = {name: entries for name, entries in exif.directories.items() if name != directory}
    return replace(exif, directories=kept)


class _Room:
    """Gives out places behind each other, in even offsets, around one that is taken."""

    def __init__(self, taken_at: int | None, size: int) -> None:
        self.taken_at = taken_at
        self._taken = (taken_at or 0, (taken_at or 0) + size)
        self._next = 8

    def place(self, size: int) -> int:
        at, (start, stop) = self._next, self._taken
        if self.taken_at is not None and at < stop and at + size > start:
            at = stop + stop % 2
        self._next = at + size + size % 2
        return at


def _read_directory(
    block: bytes, order: str, at: int
) -> tuple[dict[int, Entry] | None, int, dict[int, int]]:
    """Its tags, how many were damaged, and where values lie that are not in the table itself."""
    if at < 8 or at + 2 > len(block):
        return None, 0, {}
    (count,) = struct.unpack_from(order + "H", block, at)
    entries, places, bad = {}, {}, 0
    left = len(block)  # values that overlap each other could make much of little
    for start in range(at + 2, at + 2 + 12 * count, 12):
        if start + 12 > len(block):
            return entries, bad + 1, places
        tag, kind, values = struct.unpack_from(order + "HHI", block, start)
        size = _SIZES.get(kind, 0) * values
        where = start + 8
        if size > 4:
            (where,) = struct.unpack_from(order + "I", block, where)
            places[tag] = where
        left -= size
        if kind not in _SIZES or where + size > len(block) or where < 8 or left < 0:
            bad += 1
            continue
        entries[tag] = Entry(kind, values, block[where : where + size])
    return entries, bad, places


def _table(entries: Directory, order: str, at: int, room: _Room) -> list[tuple[int, bytes]]:
    """The directory itself, to be at `at`, and the values that do not fit into it."""
    rows, parts = [], []
    for tag, entry in sorted(entries.items()):
        inline = entry.value.ljust(4, b"\0")
        if len(entry.value) > 4:
            own = tag == MAKER_NOTE and room.taken_at is not None
            where = room.taken_at if own and room.taken_at else room.place(len(entry.value))
            parts.append((where, entry.value))
            inline = struct.pack(order + "I", where)
        rows.append(struct.pack(order + "HHI", tag, entry.type, entry.count) + inline)
    table = struct.pack(order + "H", len(rows)) + b"".join(rows) + bytes(4)
    return [(at, table), *parts]


def _first_int(entry: Entry, order: str) -> int | None:
    sign = {1: "B", _SHORT: "H", _LONG: "I", _IFD: "I"}.get(entry.type)
    if sign is None or entry.count < 1:
        return None
    return int(struct.unpack_from(order + sign, entry.value)[0])
