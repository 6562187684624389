"""Files of a folder that was named, and no others: no links out of it, no devices."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)


@contextmanager
def opened(path: Path, root: Path) -> Iterator[BinaryIO]:
    """A regular file under `root`, which is resolved, to be read.

    Raises OSError for what is not there, is no plain file, or lies elsewhere.
    """
    if not path.parent.resolve().is_relative_to(root):
        raise PermissionError(f"{path} leads out of {root}")
    handle = os.open(path, _FLAGS)
    with os.fdopen(handle, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise PermissionError(f"{path} is no plain file")
        yield file  # pyright: ignore[reportReturnType]


def text_of(path: Path, root: Path, *, most: int) -> str:
    """The last `most` bytes of a file as text; "" where it cannot be read."""
    try:
        with opened(path, root) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - most))
            return file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""


def mark_of(path: Path) -> tuple[int, int, int]:
    """What changes when a file does; zeros where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


def subfolders(folder: Path) -> list[Path]:
    """Folders in a folder by name, links to others left out."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]
