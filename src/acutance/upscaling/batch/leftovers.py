"""Half-written files of a command that was killed."""

import re
from collections.abc import Iterable
from pathlib import Path

from acutance.upscaling.uncertainty import sigma_path


def remove_leftovers(targets: Iterable[Path], *, before_ns: int) -> None:
    """Remove what `write_atomically` left beside targets that were begun and never finished.

    To be called while the record that names them is held: whoever began them is dead then. Only
    files last changed before `before_ns` go.
    """
    for target in targets:
        for path in (target, sigma_path(target)):
            _remove(path, before_ns)


def _remove(target: Path, before_ns: int) -> None:
    name = re.compile(rf"\.{re.escape(target.stem[:80])}-[a-z0-9_]{{8}}{re.escape(target.suffix)}")
    if not target.parent.is_dir():
        return
    for path in target.parent.iterdir():
        try:
            if name.fullmatch(path.name) and path.stat().st_mtime_ns < before_ns:
                path.unlink()
        except OSError:  # gone by itself, or not ours to remove
            continue
