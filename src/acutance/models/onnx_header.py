"""What an ONNX file says about itself, read without its weights and without a runtime."""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Protocol buffers: message -> field number -> message inside it (onnx.proto3 of ONNX 1.16).
# What stands here is walked through; everything else, weights above all, is stepped over.
_INSIDE = {
    "model": {7: "graph", 14: "property", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_PLACE, _OUTSIDE, _OUTSIDE_DATA = 14, 1, 13  # of a tensor: data_location, EXTERNAL, external_data
_DEEPEST = 32  # of graphs inside graphs; networks have one or two
_MOST_FIELDS = 300_000  # about half a second of reading; an ESRGAN needs a tenth


@dataclass
class OnnxHeader:
    """What was found on the way through a file."""

    metadata: dict[str, str] = field(default_factory=dict)
    operations: set[str] = field(default_factory=set)  # "Conv", or "domain:Name" beyond ONNX's own
    has_outside_data: bool = False  # weights in other files


def read_onnx_header(path: Path) -> OnnxHeader:
    """Walk through the file at `path`. Raises ValueError where it is no whole ONNX file."""
    header = OnnxHeader()
    with path.open(
        "rb"
    ) as file:  # mapped, not read: weights are stepped over, so they cost nothing
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _Walk(header).through("model", memoryview(content), depth=0)
    if not header.operations:
        raise ValueError("it holds no operations")
    return header


class _Walk:
    def __init__(self, header: OnnxHeader) -> None:
        self.header = header
        self.left = _MOST_FIELDS

    def through(self, kind: str, message: memoryview, *, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError("its parts are nested too deeply")
        inside = _INSIDE.get(kind, {})
        told: dict[int, int | memoryview] = {}
        for number, value in self._fields(message):
            if number in inside and not isinstance(value, int):
                self.through(inside[number], value, depth=depth + 1)
            else:
                told[number] = value
        if kind == "tensor":
            self.header.has_outside_data |= told.get(_PLACE) == _OUTSIDE or _OUTSIDE_DATA in told
        elif kind == "property":
            self.header.metadata[_text(told.get(1))] = _text(told.get(2))
        elif kind == "node":
            domain, name = _text(told.get(7)), _text(told.get(4))
            own = domain in ("", "ai.onnx")
            self.header.operations.add(name if own else f"{domain}:{name}")

    def _fields(self, message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
        """Number and value of each field, as the wire format of protocol buffers has it."""
        place = 0
        while place < len(message):
            self.left -= 1
            if self.left < 0:
                raise ValueError("it has too many parts")
            key, place = _number(message, place)
            kind = key & 7
            if kind == 0:
                value, place = _number(message, place)
                yield key >> 3, value
                continue
            if kind == 2:
                size, place = _number(message, place)
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
            else:
                raise ValueError(f"byte {place} begins nothing known")
            if place + size > len(message):
                raise ValueError("it ends too early")
            if kind == 2:
                yield key >> 3, message[place : place + size]
            place += size


def _text(value: int | memoryview | None) -> str:
    return bytes(value).decode("utf-8", errors="replace") if isinstance(value, memoryview) else ""


def _number(message: memoryview, place: int) -> tuple[int, int]:
    """A number of variable length at `place`, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("it ends too early")
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number in it never ends")
