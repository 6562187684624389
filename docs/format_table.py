"""Tables of docs/upscaling.md: what formats can hold, and what engines read, found by trying."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from acutance.errors import InputError, RunError
from acutance.imaging.animation_writing import write_animation
from acutance.imaging.files import open_sink, read_picture, write_picture
from acutance.imaging.formats import FORMATS, Format
from acutance.imaging.picture import Facts, Metadata, Picture
from acutance.upscaling import ENGINES
from guide_tables import table

LARGE = 8000  # px a side: more samples than what is written in rows keeps


def format_table() -> str:
    """A row for each format; what the code does not say of itself is tried."""
    head = (
        "format", "endings", "bits", "grey", "alpha", "without loss", "carries", "moves",
        "written in rows", "longest side",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        return table(head, [_row(each, Path(folder)) for each in FORMATS])


def engine_table() -> str:
    """A row for each engine of our own."""
    rows = []
    for name in ENGINES.names():
        facts = ENGINES.module(name).ENGINE
        reads = ", ".join(f"`{ending}`" for ending in facts.reads)
        rows.append((f"`{name}`", facts.package, reads, f"{facts.tolerance:g}"))
    return table(("engine", "package", "reads", "agrees with torch within"), rows)


def _row(format: Format, folder: Path) -> tuple[object, ...]:
    bits = ["float" if depth.kind == "f" else 8 * depth.itemsize for depth in format.depths]
    carries = {
        "ICC": format.has_icc,
        "EXIF": format.has_exif,
        "XMP": format.has_exif,
        "DPI": format.has_dpi,
        "text": format.has_text,
        "a comment": format.has_comment,
    }
    side = format.longest_side
    return (
        format.name,
        ", ".join(format.endings),
        ", ".join(map(str, bits)),
        _said(format.has_grey),
        _alpha(format, folder),
        _said(_is_exact(format, folder)),
        ", ".join(name for name, there in carries.items() if there),
        _said(_moves(format, folder)),
        _said(_is_in_rows(format, folder)),
        f"{side:,}" if side < 2**31 - 1 else "",
    )


def _said(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _path(format: Format, folder: Path) -> Path:
    return folder / f"a{format.endings[0]}"


def _is_exact(format: Format, folder: Path) -> bool:
    """With more colours than a palette has."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    write_picture(_path(format, folder), Picture(pixels), overwrite=True)
    return np.array_equal(read_picture(_path(format, folder)).pixels, pixels)


def _alpha(format: Format, folder: Path) -> str:
    if not format.has_alpha:
        return "no"
    pixels = np.zeros((8, 8, 3), np.uint8)
    alpha = np.full((8, 8), 100, np.uint8)
    alpha[:4] = 255
    write_picture(_path(format, folder), Picture(pixels, alpha), overwrite=True)
    found = read_picture(_path(format, folder)).alpha
    return "all or nothing" if found is not None and set(found.flat) <= {0, 255} else "yes"


def _moves(format: Format, folder: Path) -> bool:
    frames = [Picture(np.full((8, 8, 3), level, np.uint8)) for level in (0, 255)]
    try:
        write_animation(_path(format, folder), frames, durations=(100, 100))
    except InputError:
        return False
    return True


def _is_in_rows(format: Format, folder: Path) -> bool:
    facts = Facts(LARGE, LARGE, 3, np.dtype(np.uint8), False, Metadata())
    sink = open_sink(_path(format, folder), facts)
    with suppress(RunError):  # no rows come
        sink.close()
    return sink.held < LARGE * LARGE


FORMAT_TABLES: dict[str, Callable[[], str]] = {"formats": format_table, "engines": engine_table}
