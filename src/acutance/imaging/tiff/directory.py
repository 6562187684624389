"""Directories of TIFF files, and of Exif, which is one: read and written (TIFF 6.0, section 2)."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

# kind -> bytes of one value, its code for struct; 16 to 18 are BigTIFF's
_KINDS = {
    1: (1, "B"), 2: (1, "B"), 3: (2, "H"), 4: (4, "I"), 5: (8, "II"), 6: (1, "b"), 7: (1, "B"),
    8: (2, "h"), 9: (4, "i"), 10: (8, "ii"), 11: (4, "f"), 12: (8, "d"), 13: (4, "I"),
    16: (8, "Q"), 17: (8, "q"), 18: (8, "Q"),
}  # fmt: skip
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16
_PARTS = {5: 4, 10: 4}  # a fraction is two numbers: bytes of one
_MOST_VALUES = 2**26  # bytes of one directory: the places and sizes of 4 million strips


class DirectoryError(ValueError):
    """A directory cannot be read; the message is the reason alone."""


@dataclass(frozen=True)
class Form:
    """How numbers stand in a file."""

    order: str  # "<" or ">"
    is_big: bool = False  # BigTIFF: places of 8 bytes

    @property
    def place(self) -> str:
        return self.order + ("Q" if self.is_big else "I")


@dataclass(frozen=True)
class Entry:
    kind: int
    count: int
    value: bytes  # in the order of the file

    def numbers(self, form: Form) -> tuple[float, ...]:
        """The values; of fractions both parts in turn."""
        size, code = _KINDS[self.kind]
        return struct.unpack(form.order + code * (len(self.value) // size), self.value)


@dataclass(frozen=True)
class Directory:
    entries: Mapping[int, Entry]
    following: int  # where the next one is; 0: nowhere


def whole_number(entries: Mapping[int, Entry], tag: int, form: Form, *, default: int) -> int:
    """The first value of a tag; the default where it is missing or no whole number."""
    numbers = entries[tag].numbers(form)[:1] if tag in entries else ()
    return int(numbers[0]) if numbers and isinstance(numbers[0], int) else default


def read_form(file: BinaryIO) -> tuple[Form, int]:
    """The form of a file, and where its first directory is."""
    start = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None or len(start) < 8:
        raise DirectoryError("it does not begin as TIFF does")
    version = struct.unpack_from(order + "H", start, 2)[0]
    if version == 42:
        return Form(order), struct.unpack_from(order + "I", start, 4)[0]
    if version == 43 and start[4:8] == struct.pack(order + "HH", 8, 0) and len(start) == 16:
        return Form(order, is_big=True), struct.unpack_from(order + "Q", start, 8)[0]
    raise DirectoryError("it does not begin as TIFF does")


def read_directory(
    file: BinaryIO, at: int, form: Form, *, tags: Iterable[int] | None = None
) -> Directory:
    """The entries with these tags, or all, of the directory at `at`."""
    wanted = None if tags is None else frozenset(tags)
    _go(file, at)
    count_code = form.order + ("Q" if form.is_big else "H")
    (count,) = _unpacked(file, count_code)
    if count > 2**16:
        raise DirectoryError(f"a directory of {count} entries")
    line = struct.Struct(form.order + ("HHQ8s" if form.is_big else "HHI4s"))
    lines = file.read(count * line.size)
    if len(lines) < count * line.size:
        raise DirectoryError("it ends inside a directory")
    (following,) = _unpacked(file, form.place)
    entries: dict[int, Entry] = {}
    left = _MOST_VALUES
    for tag, kind, many, field in line.iter_unpack(lines):
        if (wanted is None or tag in wanted) and tag not in entries and kind in _KINDS:
            left -= many * _KINDS[kind][0]
            if left < 0:
                raise DirectoryError(f"{many} values of the tag {tag}")
            entries[tag] = Entry(kind, many, _value(file, form, (tag, kind, many, field)))
    return Directory(entries, following)


def _value(file: BinaryIO, form: Form, line: tuple[int, int, int, bytes]) -> bytes:
    tag, kind, many, field = line
    size = many * _KINDS[kind][0]
    if size <= len(field):
        return field[:size]
    _go(file, struct.unpack(form.place, field)[0])
    value = file.read(size)
    if len(value) < size:
        raise DirectoryError(f"it ends inside the tag {tag}")
    return value


def _go(file: BinaryIO, at: int) -> None:
    if not 0 <= at < 2**63:  # what systems can name
        raise DirectoryError("a place outside the file")
    file.seek(at)


def _unpacked(file: BinaryIO, code: str) -> tuple[int, ...]:
    data = file.read(struct.calcsize(code))
    if len(data) < struct.calcsize(code):
        raise DirectoryError("it ends inside a directory")
    return struct.unpack(code, data)


def entry(form: Form, kind: int, *numbers: float) -> Entry:
    size, code = _KINDS[kind]
    value = struct.pack(form.order + code * (len(numbers) // len(code)), *numbers)
    return Entry(kind, len(value) // size, value)


def in_order(value: Entry, *, have: Form, want: Form) -> Entry:
    """The same values with their bytes in another order."""
    size = _PARTS.get(value.kind, _KINDS[value.kind][0])
    if have.order == want.order or size == 1:
        return value
    numbers = [value.value[at : at + size][::-1] for at in range(0, len(value.value), size)]
    return Entry(value.kind, value.count, b"".join(numbers))


def pack_directory(entries: Mapping[int, Entry], at: int, form: Form) -> bytes:
    """A directory that stands at `at` and is the last, with the values behind it."""
    field_size, count_code = (8, "Q") if form.is_big else (4, "H")
    head = struct.pack(form.order + count_code, len(entries))
    lines, values = bytearray(), bytearray()
    line_size = 4 + 2 * field_size
    behind = at + len(head) + line_size * len(entries) + field_size
    for tag in sorted(entries):
        item = entries[tag]
        lines += struct.pack(form.order + "HH", tag, item.kind)
        lines += struct.pack(form.place, item.count)
        if len(item.value) <= field_size:
            lines += item.value.ljust(field_size, b"\0")
        else:
            values += bytes((behind + len(values)) % 2)  # values begin at even places
            lines += struct.pack(form.place, behind + len(values))
            values += item.value
    return head + bytes(lines) + bytes(field_size) + bytes(values)
