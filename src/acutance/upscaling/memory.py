"""How much memory the work takes, and how a picture is cut so that the process stays within it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, sqrt
from pathlib import Path

from acutance.errors import InputError
from acutance.imaging.picture import Facts
from acutance.imaging.tiles import Span, Window
from acutance.models.card import ModelCard
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.sizes import passes_for
from acutance.upscaling.streams import CHUNK_BYTES
from acutance.upscaling.strips import Cut
from acutance.upscaling.task import Task, Upscaler, task_of, understood

PIECE_PX = 512 * 1024
"""lr pixels that are kept of a piece: 130 MiB for each layer of 64 features. More is no faster."""
BLEND = 16  # lr pixels on either side of a border over which approximate pieces are mixed
_MARGIN = 24 << 20  # bytes for what nobody counts
_STRIPS = 4  # rows of the result that are alive: made, waiting, being encoded, and its copy
_FLOATS = 5  # arrays of the size of a piece's result, as float32, that are alive together
_LABORIOUS = 4  # times the work: worth a word
_NEAR_BEST = 0.97  # of the share of pixels that are not worked out twice
_SMALL_PX = 128 * 1024  # lr pixels of a picture that is not worth cutting
_HEIGHTS = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)  # lr rows kept


@dataclass(frozen=True, eq=False)
class Plan:
    """How a picture is enlarged, cut so that it fits."""

    task: Task
    cut: Cut
    bytes: int  # that it takes about, beside what the process holds already
    notes: tuple[str, ...] = ()


def planned(facts: Facts, upscaler: Upscaler, how: Enlargement, *, held: int = 0) -> Plan:
    """Cut a picture of these facts so that the work stays within the memory.

    `held` are the bytes of what is not streamed: the source, the result. Raises InputError for
    what cannot be made, or not within `how.memory`.
    """
    asked = understood(facts, upscaler, how)
    free = _budget(how)
    load = _Load(task_of(upscaler, asked), upscaler, held)
    is_small = facts.width * facts.height <= _SMALL_PX or not asked.may_be_cut
    if how.tile == 0 or (is_small and how.tile is None and load.bytes(load.uncut) <= free):
        plan = _within(load, load.uncut, how, free)
        is_near = asked.wrap and not upscaler.is_exact_in_pieces
        return replace(plan, notes=(_APPROXIMATE,)) if is_near else plan
    asked = replace(asked, may_be_cut=True, in_pieces=True)
    load = _Load(task_of(upscaler, asked), upscaler, held)
    cut = _square(load, how.tile) if how.tile is not None else _best(load, free)
    plan = _within(load, cut, how, free)
    if not upscaler.is_exact_in_pieces and cut != load.uncut:
        cut = replace(cut, overlap=_fitting(cut, round(BLEND * load.ratio)))
        return replace(plan, cut=cut, notes=(_APPROXIMATE,))
    times = load.seen(cut).pixels * load.ratio**2 / (cut.rows * cut.columns)
    return replace(plan, notes=(_laborious(times),)) if times > _LABORIOUS else plan


_APPROXIMATE = (
    "the network looks at the whole picture; it was given pieces that are mixed where they meet, "
    "so the result is near that of the whole, not equal to it"
)


def _laborious(times: float) -> str:
    return (
        f"pieces are small beside what the network sees around them: {times:.0f} times the work "
        "of the whole at once, which more memory or a larger tile makes less"
    )


@dataclass(frozen=True, eq=False)
class _Load:
    """What a cut of a task costs."""

    task: Task
    upscaler: Upscaler
    held: int

    @property
    def uncut(self) -> Cut:
        return Cut(*self.task.asked.size)

    @property
    def ratio(self) -> float:
        """Pixels of the result for one of the source, along a side."""
        (height, width), (h, w) = self.task.asked.size, self.task.asked.source_size
        return sqrt(height * width / (h * w))

    def seen(self, cut: Cut) -> Window:
        """What of the source a piece in the middle needs."""
        spans = []
        for kept, side in zip((cut.rows, cut.columns), self.task.asked.size, strict=True):
            start = min(side // 2, max(side - kept, 0))
            spans.append(Span(start, min(start + kept, side)))
        return self.task.needs(Window(*spans))

    def bytes(self, cut: Cut) -> int:
        facts, (height, width) = self.task.asked.source, self.task.asked.size
        seen, planes = self.seen(cut), facts.channels + facts.has_alpha
        rows, columns = min(cut.rows, height), min(cut.columns, width)
        strip = rows * width * planes * facts.dtype.itemsize * _STRIPS
        if self.task.asked.how.fix_colour or cut.overlap:
            strip += 2 * rows * width * planes * 4
        lr_rows = facts.height if self.task.asked.wrap else 2 * seen.rows.length
        lr = lr_rows * facts.width * planes * facts.dtype.itemsize + 3 * CHUNK_BYTES
        piece = rows * columns * planes * 4 * _FLOATS + seen.pixels * self.network_bytes
        return int(piece + strip + lr + self.held + _MARGIN)

    @property
    def network_bytes(self) -> float:
        """Bytes for a pixel of the source while the largest run of a network goes on."""
        asked, largest = self.task.asked, 0.0
        for engine in (self.upscaler.engine, self.upscaler.base):
            if engine is not None:
                passes = passes_for(asked.source_size, asked.size, native=engine.card.scale)
                repeated = engine.card.scale ** (2 * max(passes - 1, 0))
                largest = max(largest, 4 * repeated * values_alive(engine.card))
        return largest


def values_alive(card: ModelCard) -> float:
    """Numbers in memory for each lr pixel while a network runs, by what its card says.

    Features of its widest layers times the layers that are alive together, plus the result. For
    networks that are not ours it is the most that any of ours takes.
    """
    result = 4 * card.scale**2 * (1 if card.color == "luma" else 3)
    features = card.arguments.get("features", 64)
    wide = float(features if isinstance(features, int | float) else 64)
    layers, grows = _ALIVE.get(card.architecture, _UNKNOWN)
    if grows:
        return result + layers * wide * card.scale**2
    return result + layers * wide / card.multiple**2  # of a network that works at 1/m of the size


# Layers of all features that are alive together, and whether they are as large as the result:
# measured as the peak of ONNX Runtime and torch over pieces of 256x256 and 320x320, rounded up.
_ALIVE = {
    "compact": (4, False),
    "edsr": (4, True),
    "espcn": (2.5, False),
    "esrgan": (4.5, True),
    "fsrcnn": (4, False),
    "imdn": (19, False),
    "pan": (3.5, True),
    "rlfn": (11, False),
    "span": (14.5, False),
    "srcnn": (2.2, True),
    "srresnet": (4, True),
    "vdsr": (5.5, True),
}
_UNKNOWN = (8, True)


def _budget(how: Enlargement) -> float:
    """Bytes that the work may take."""
    if how.memory is not None:
        return how.memory - resident()
    free = available()
    return float("inf") if free is None else free / 2


def _within(load: _Load, cut: Cut, how: Enlargement, free: float) -> Plan:
    needed = load.bytes(cut)
    if how.memory is None or needed <= free:
        return Plan(load.task, cut, needed)
    advice = "Allow more memory" if how.tile is None else "Allow more memory, use a smaller tile"
    height, width = load.task.asked.size
    raise InputError(
        f"To make {width}x{height} pixels takes about {_mib(needed + resident())}, and the memory "
        f"allowed is {_mib(how.memory)}, of which the program itself takes {_mib(resident())}. "
        f"{advice}, or read and write PNG or TIFF, which are not held as a whole"
        f"{_what_is_held(load.held)}."
    )


def _what_is_held(held: int) -> str:
    return f" ({_mib(held)} here)" if held > _MARGIN else ""


def _best(load: _Load, free: float) -> Cut:
    """The cut that fits, works out few pixels twice and, among those, takes the least memory.

    The smallest one where none fits.
    """
    cuts = list(_cuts(load))
    found = []
    for cut in cuts:
        if cut.rows * cut.columns <= PIECE_PX * load.ratio**2:
            needed = load.bytes(cut)
            if needed <= free:
                found.append((cut.rows * cut.columns / load.seen(cut).pixels, needed, cut))
    if not found:
        return cuts[0]
    enough = _NEAR_BEST * max(share for share, _, _ in found)
    return min((f for f in found if f[0] >= enough), key=lambda f: f[1])[2]


def _cuts(load: _Load) -> Iterator[Cut]:
    """Cuts into rows of pieces, from the least of memory to the most."""
    height, width = load.task.asked.size
    for rows in (*_HEIGHTS, load.task.asked.source.height):
        down = min(ceil(rows * load.ratio), height)
        down = ceil(height / ceil(height / down))  # alike, so that blocks of memory fit again
        for count in (64, 48, 32, 24, 16, 12, 8, 6, 5, 4, 3, 2, 1):
            if width >= 16 * count or count == 1:
                yield Cut(down, ceil(width / count))


def _square(load: _Load, tile: int) -> Cut:
    if tile < 1:
        raise InputError(f"A tile has at least 1 pixel a side, not {tile}; 0 means the whole.")
    size, source = load.task.asked.size, load.task.asked.source_size
    rows, columns = (max(round(tile * n / m), 1) for n, m in zip(size, source, strict=True))
    return Cut(min(rows, size[0]), min(columns, size[1]))


def _fitting(cut: Cut, overlap: int) -> int:
    return max(min(overlap, cut.rows // 2, cut.columns // 2), 0)


def resident() -> int:
    """Bytes of memory that this process holds."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 128 << 20  # elsewhere: about what Python, numpy and a runtime take


def available() -> int | None:
    """Bytes of memory that are free on this machine or in this container; None: not known."""
    found = []
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii").strip()
        if limit != "max":
            found.append(max(int(limit) - int(used), 0))
    except (OSError, ValueError):
        pass
    return min(found, default=None)


def _mib(count: float) -> str:
    return f"{ceil(count / 2**20)} MiB"
