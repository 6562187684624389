"""Decode every picture once, into one array of bytes in memory or in a memory-mapped file."""

import errno
import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import astuple, dataclass
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from acutance.data.folders import Fault, Found, Original, refuse
from acutance.data.procedural import procedural_picture
from acutance.errors import InputError, RunError
from acutance.imaging.files import MOST_PIXELS, open_source, read_rgb
from acutance.imaging.parallel import core_count
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.storage import write_atomically

Progress = Callable[[int, int], None]
"""Told (pictures done, pictures in all) after each one."""

SmallSide = Literal["ready", "fly", "paired"]
"""Where lr comes from: made once for whole pictures, made for each crop, read from files."""

DRAWN_SIDE = 256  # px, of drawn pictures; one patch, if that is larger
DRAWN_SEED = 0  # not the run's: all runs learn from the same drawn pictures
MOST_DECODERS = 8  # threads; each holds one decoded picture
_MAGIC = b"acutance pool 1\n"
_TAIL = 8 + len(_MAGIC)  # bytes at the end of a file: length of the index, then the magic


@dataclass(frozen=True)
class Plan:
    """What is to be made of each picture."""

    scale: int
    patch: int
    lr: SmallSide
    skip_bad: bool


@dataclass(frozen=True)
class Row:
    """One decoded picture: its hr size, where the bytes of each side begin, and its hash."""

    name: str
    height: int
    width: int
    hr_at: int
    lr_at: int
    digest: str


@dataclass(frozen=True, eq=False)
class Loaded:
    """All decoded pictures: hr ones behind each other, then lr ones; flat uint8."""

    flat: np.ndarray
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class _Slot:
    """Where the two sides of a picture go, and the room for each (bytes), by its file's header."""

    hr_at: int
    hr_room: int
    lr_at: int
    lr_room: int


_Put = Callable[[int, np.ndarray], None]


def load_pictures(
    found: Found,
    plan: Plan,
    *,
    limit_mib: float,
    cache: Path | None,
    progress: Progress | None,
) -> Loaded:
    """Decode the pictures into memory, or beyond `limit_mib` into a file in the folder `cache`.

    That file is used again as long as the sources have the same names, sizes and times. All
    pictures that cannot be used are named in one InputError, or left out with `plan.skip_bad`.
    """
    slots, size = _slots(found.originals, plan)
    tell = progress or (lambda _done, _total: None)
    if size <= limit_mib * 2**20:
        return _into_memory(found, plan, slots=slots, size=size, tell=tell)
    if cache is None:
        raise InputError(
            f"The decoded pictures take {size / 2**20:.0f} MiB, more than the limit of "
            f"{limit_mib:.0f} MiB. Name a folder for a memory-mapped file, raise the limit, or use "
            "fewer pictures."
        )
    mark = _sources_mark(found, plan)
    path = cache / f"pictures-{mark[:16]}.pool"
    if (known := _from_file(path, mark)) is not None:
        if not plan.skip_bad:
            refuse(known.faults, len(known.rows) + len(known.faults))
        tell(len(known.rows), len(known.rows))
        return known

    def fill(temporary: Path) -> None:
        with temporary.open("r+b") as file:
            _reserve(file, size)
            rows, faults = _decode_all(found, plan, slots=slots, put=_file_put(file), tell=tell)
            _write_index(file, size, mark=mark, rows=rows, faults=faults)

    write_atomically(path, fill)
    if (made := _from_file(path, mark)) is None:
        raise RunError(f"{path} changed right after it was written. Give the command again.")
    return made


def _into_memory(
    found: Found, plan: Plan, *, slots: Sequence[_Slot], size: int, tell: Progress
) -> Loaded:
    flat = np.empty(size, dtype=np.uint8)

    def put(at: int, pixels: np.ndarray) -> None:
        flat[at : at + pixels.size] = pixels.reshape(-1)

    rows, faults = _decode_all(found, plan, slots=slots, put=put, tell=tell)
    flat.flags.writeable = False
    return Loaded(flat, tuple(rows), tuple(faults))


def _slots(originals: Sequence[Original], plan: Plan) -> tuple[list[_Slot], int]:
    """Room for every picture, by the headers alone, and the bytes in all."""
    sizes = [_claimed_size(original.place, plan) for original in originals]
    hr_rooms = [height * width * 3 for height, width in sizes]
    lr_rooms = [
        _lr_room(original, size, plan=plan) for original, size in zip(originals, sizes, strict=True)
    ]
    hr_at = list(accumulate(hr_rooms, initial=0))
    lr_at = list(accumulate(lr_rooms, initial=hr_at[-1]))
    slots = [_Slot(*four) for four in zip(hr_at, hr_rooms, lr_at, lr_rooms, strict=False)]
    return slots, lr_at[-1]


def _lr_room(original: Original, size: tuple[int, int], *, plan: Plan) -> int:
    """Bytes of the small side of a picture whose hr has the `size`."""
    if plan.lr == "fly":
        return 0
    height, width = size[0] // plan.scale, size[1] // plan.scale
    if original.lr is not None:
        height, width = _claimed_size(original.lr, plan)
    return height * width * 3


def _claimed_size(place: Path | int, plan: Plan) -> tuple[int, int]:
    """Height and width by the header; 0 where decoding will fail and say why."""
    if isinstance(place, int):
        side = max(DRAWN_SIDE, plan.patch)
        return side, side
    try:
        with closing(open_source(place)) as source:
            width, height = source.facts.width, source.facts.height
    except InputError:  # whatever is wrong, reading the picture finds it again and names it
        return 0, 0
    return (height, width) if height * width <= MOST_PIXELS else (0, 0)


def _decode_all(
    found: Found, plan: Plan, *, slots: Sequence[_Slot], put: _Put, tell: Progress
) -> tuple[list[Row], list[Fault]]:
    """Read, check and store every picture, in threads; rows and faults in the order given."""
    total = len(found.originals)
    made: list[Row | Fault | None] = [None] * total
    with ThreadPoolExecutor(min(MOST_DECODERS, core_count())) as threads:
        jobs = {
            threads.submit(_store, original, plan, slot=slot, put=put): i
            for i, (original, slot) in enumerate(zip(found.originals, slots, strict=True))
        }
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                made[jobs[job]] = job.result()
                tell(done, total)
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    faults = [*found.faults, *(one for one in made if isinstance(one, Fault))]
    if not plan.skip_bad:
        refuse(faults, total + len(found.faults))
    return [one for one in made if isinstance(one, Row)], faults


def _store(original: Original, plan: Plan, *, slot: _Slot, put: _Put) -> Row | Fault:
    """Decode one picture and put both of its sides where they belong."""
    try:
        hr, lr = _both_sides(original, plan)
    except InputError as error:
        return _fault(original, str(error))
    if hr.size > slot.hr_room or lr.size > slot.lr_room:
        return _fault(original, "changed while it was read. Wait until it is complete.")
    mark = blake2b(np.ascontiguousarray(hr).data, digest_size=16)
    put(slot.hr_at, hr)
    put(slot.lr_at, lr)
    if plan.lr == "paired":
        mark.update(np.ascontiguousarray(lr).data)
    name = f"{original.set}/{original.name}"
    return Row(name, hr.shape[0], hr.shape[1], slot.hr_at, slot.lr_at, mark.hexdigest())


def _both_sides(original: Original, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """hr cropped to a multiple of the scale, and its lr (empty when made for each crop)."""
    side = max(DRAWN_SIDE, plan.patch)
    if isinstance(original.place, int):
        whole = procedural_picture(DRAWN_SEED, original.place, height=side, width=side)
    else:
        whole = read_rgb(original.place)
    height, width = whole.shape[:2]
    if min(height, width) < plan.patch:
        raise InputError(
            f"is {width}x{height}, smaller than one {plan.patch}x{plan.patch} patch. "
            "Use a smaller patch or remove it."
        )
    hr = crop_to_multiple(whole, plan.scale)
    if plan.lr == "ready":
        return hr, downscale(hr, plan.scale)
    if original.lr is None:
        return hr, np.empty((0, 0, 3), dtype=np.uint8)
    lr = read_rgb(original.lr)
    expected = {
        (hr.shape[0] // plan.scale, hr.shape[1] // plan.scale),
        (-(-height // plan.scale), -(-width // plan.scale)),  # made without cropping hr first
    }
    if lr.shape[:2] not in expected:
        raise InputError(
            f"is {width}x{height}, but its lr file {original.lr} is {lr.shape[1]}x{lr.shape[0]} "
            f"and should be {hr.shape[1] // plan.scale}x{hr.shape[0] // plan.scale} "
            f"for scale {plan.scale}. Make it again, or remove both."
        )
    return hr, lr[: hr.shape[0] // plan.scale, : hr.shape[1] // plan.scale]


def _fault(original: Original, message: str) -> Fault:
    """The fault; reading a file names it in front, which is then not said twice."""
    for file in (str(original.place), str(original.lr)):
        if message.startswith(f"{file} "):
            return Fault(original.set, file, message.removeprefix(f"{file} "))
    return Fault(original.set, str(original.place), message)


def _sources_mark(found: Found, plan: Plan) -> str:
    """A hash of what the decoded pictures depend on, found without reading them."""
    mark = blake2b(f"{plan.scale} {plan.patch} {plan.lr} {found.faults}".encode())
    for original in found.originals:
        mark.update(f"\n{original.set}/{original.name}".encode())
        for place in (original.place, original.lr):
            if isinstance(place, Path) and place.exists():
                stat = place.stat()
                mark.update(f" {place.resolve()} {stat.st_size} {stat.st_mtime_ns}".encode())
            else:
                mark.update(f" {place} {DRAWN_SEED}".encode())
    return mark.hexdigest()


def _reserve(file: BinaryIO, size: int) -> None:
    """Claim the disk space now: running out of it is better known before the decoding."""
    file.truncate(size)
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise  # the others: this file system cannot reserve, so it shows when writing


def _file_put(file: BinaryIO) -> _Put:
    """Writes, and not through a memory map: there a full disk would kill the process."""
    turn = threading.Lock()

    def put(at: int, pixels: np.ndarray) -> None:
        with turn:
            file.seek(at)
            file.write(np.ascontiguousarray(pixels).data)

    return put


def _write_index(
    file: BinaryIO, size: int, *, mark: str, rows: Sequence[Row], faults: Sequence[Fault]
) -> None:
    """Behind the pixels: JSON of what is where, its length, the magic."""
    index = {
        "sources": mark,
        "rows": [astuple(row) for row in rows],
        "faults": [astuple(fault) for fault in faults],
    }
    text = json.dumps(index).encode()
    file.seek(size)
    file.write(text + len(text).to_bytes(8, "little") + _MAGIC)


def _from_file(path: Path, mark: str) -> Loaded | None:
    """What the file holds, mapped; None where it is absent or of other sources."""
    if not path.is_file() or path.stat().st_size < _TAIL:
        return None
    mapped = np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))
    length = int.from_bytes(mapped[-_TAIL : -len(_MAGIC)].tobytes(), "little")
    stop = mapped.size - _TAIL
    if mapped[-len(_MAGIC) :].tobytes() != _MAGIC:
        return None
    index = json.loads(mapped[stop - length : stop].tobytes())
    if index["sources"] != mark:
        return None
    return Loaded(
        mapped[: stop - length],
        tuple(Row(*row) for row in index["rows"]),
        tuple(Fault(*fault) for fault in index["faults"]),
    )
