"""Files gone wrong in every way that we could think of, from a seed."""

import io
import os
import pickle
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np

HUGE = (0, 1, 2**15 - 1, 2**16 - 1, 2**24, 2**31 - 1, 2**32 - 1)


def mutated(whole: bytes, generator: np.random.Generator) -> bytes:
    """`whole` with one to three faults."""
    data = bytearray(whole)
    for _ in range(int(generator.integers(1, 4))):
        fault = FAULTS[int(generator.integers(len(FAULTS)))]
        data = fault(data, generator)
    return bytes(data)


def _flip_bits(data: bytearray, generator: np.random.Generator) -> bytearray:
    for place in generator.integers(0, max(1, len(data)), size=int(generator.integers(1, 16))):
        if data:
            data[place] ^= 1 << int(generator.integers(8))
    return data


def _cut_short(data: bytearray, generator: np.random.Generator) -> bytearray:
    return data[: int(generator.integers(0, len(data) + 1))]


def _take_out(data: bytearray, generator: np.random.Generator) -> bytearray:
    start = int(generator.integers(0, len(data) + 1))
    return data[:start] + data[start + int(generator.integers(1, 64)) :]


def _put_noise(data: bytearray, generator: np.random.Generator) -> bytearray:
    start = int(generator.integers(0, len(data) + 1))
    noise = generator.integers(0, 256, size=int(generator.integers(1, 64)), dtype=np.uint8)
    return data[:start] + noise.tobytes() + data[start:]


def _repeat(data: bytearray, generator: np.random.Generator) -> bytearray:
    start = int(generator.integers(0, len(data) + 1))
    part = data[start : start + int(generator.integers(1, 256))]
    return data[:start] + part * int(generator.integers(1, 20)) + data[start:]


def _hostile_number(data: bytearray, generator: np.random.Generator) -> bytearray:
    """A size, count or offset near the start, of 2 or 4 bytes in either order."""
    width, order = (2, 4)[int(generator.integers(2))], "<>"[int(generator.integers(2))]
    if len(data) < 8:
        return data
    start = int(generator.integers(0, min(len(data), 128) - width))
    value = HUGE[int(generator.integers(len(HUGE)))] % 256**width
    data[start : start + width] = struct.pack(f"{order}{'H' if width == 2 else 'I'}", value)
    return data


def _mend_png(data: bytearray, generator: np.random.Generator) -> bytearray:
    """Right checksums over wrong content, so that it gets past them."""
    if not data.startswith(b"\x89PNG") or len(data) < 40:
        return _flip_bits(data, generator)
    data = _hostile_number(data, generator) if generator.integers(2) else data
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        stop = at + 8 + length
        if stop + 4 > len(data):
            break
        data[stop : stop + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : stop]))
        at = stop + 4
    return data


FAULTS: tuple[Callable[[bytearray, np.random.Generator], bytearray], ...] = (
    _flip_bits,
    _cut_short,
    _take_out,
    _put_noise,
    _repeat,
    _hostile_number,
    _mend_png,
)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that claim or unfold to very much."""
    zeros = zlib.compress(bytes(10_000_000), 9)
    yield "claim.png", _png(2**31 - 1, 2**31 - 1, zeros)
    yield "wide.png", _png(2**31 - 1, 1, zeros)
    yield "tall.png", _png(1, 2**31 - 1, zeros)
    yield "square.png", _png(60_000, 60_000, zeros)
    yield "profile.png", _png(1, 1, zlib.compress(b"\0\0"), iccp=bytes(200_000_000))
    frame = b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0"
    yield "claim.gif", b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + frame * 1000 + b";"
    yield "claim.bmp", _bmp(2**30, 2**30)
    yield "claim.webp", _webp_lossless(16_383, 16_383)
    yield "claim.tif", _tiff(2**31 - 1, 2**31 - 1)
    yield "claim.jpg", _jpeg(65_500, 65_500)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(width: int, height: int, body: bytes, *, iccp: bytes = b"") -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    profile = _chunk(b"iCCP", b"x\0\0" + zlib.compress(iccp, 9)) if iccp else b""
    return b"\x89PNG\r\n\x1a\n" + header + profile + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _bmp(width: int, height: int) -> bytes:
    head = struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + head


def _webp_lossless(width: int, height: int) -> bytes:
    size = (width - 1) | (height - 1) << 14
    body = b"\x2f" + struct.pack("<I", size) + bytes(64)
    chunk = b"VP8L" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def _tiff(width: int, height: int) -> bytes:
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1),
               (262, 3, 1, 1), (273, 4, 1, 8), (278, 4, 1, height), (279, 4, 1, 100)]  # fmt: skip
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + bytes(100)


def _jpeg(width: int, height: int) -> bytes:
    frame = struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\x01\x11\0\x02\x11\0\x03\x11\0"
    tables = b"\xff\xdb\0\x43\0" + b"\x01" * 64
    return b"\xff\xd8" + tables + b"\xff\xc0" + frame + bytes(100) + b"\xff\xd9"


class _Runs:
    """A pickle of this runs a command where it is opened without care."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def malicious_models(sentinel: str) -> Iterator[tuple[str, bytes]]:
    """Model files that would make the file `sentinel` if anything in them were executed."""
    import torch

    attack = _Runs(f"touch {sentinel}")
    yield "plain.pth", pickle.dumps(attack)
    yield "plain.pt", pickle.dumps({"params": attack})
    yield "plain.ckpt", pickle.dumps({"state_dict": {"body.0.weight": attack}}, protocol=4)
    zipped, legacy = io.BytesIO(), io.BytesIO()
    torch.save({"params_ema": {"body.0.weight": torch.zeros(3), "other": attack}}, zipped)
    torch.save(attack, legacy, _use_new_zipfile_serialization=False)
    yield "zipped.pth", zipped.getvalue()
    yield "legacy.pth", legacy.getvalue()
    header = b'{"x":{"dtype":"F32","shape":[1073741824,1024],"data_offsets":[0,4398046511104]}}'
    yield "claim.safetensors", struct.pack("<Q", len(header)) + header + bytes(64)
    yield "header.safetensors", struct.pack("<Q", 2**62) + bytes(64)
    yield "text.onnx", b"ir_version: 8"
    yield "empty.onnx", b""
