"""Find picture files in folders."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from acutance.errors import InputError
from acutance.imaging.formats import ENDINGS


def picture_paths(sources: Sequence[Path]) -> list[Path]:
    """The picture files that `sources` name, each once.

    A file stands for itself; a folder for every picture in it and below it, in natural order
    (2.png before 10.png), hidden files and folders left out.
    """
    found: dict[Path, None] = {}
    for source in sources:
        if source.is_dir():
            inside = sorted(_walk(source), key=lambda path: _natural_key(path, source))
            if not inside:
                raise InputError(
                    f"{source} holds no pictures ({', '.join(ENDINGS)}). Name another folder."
                )
            found.update(dict.fromkeys(inside))
        elif source.exists():
            found[source] = None
        else:
            raise InputError(f"{source} does not exist. Check the name.")
    return list(found)


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in ENDINGS:
                yield Path(root) / name


def _natural_key(path: Path, folder: Path) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Numbers by value, text without case; the plain text last, so that no two paths are equal."""
    name = path.relative_to(folder).as_posix()
    pieces = re.split(r"(\d+)", name.casefold())
    parts = tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces if p)
    return parts, name
