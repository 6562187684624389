"""The report of a batch: a line of JSON for each file, written as it comes."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from acutance.errors import InputError
from acutance.storage import append, write_atomically


class Report:
    """A file of JSON lines; a new one replaces the report of an earlier command."""

    def __init__(self, path: Path, earlier: Iterable[Mapping[str, Any]] = ()) -> None:
        _check_replaceable(path)
        write_atomically(path, b"".join(_line(each) for each in earlier))
        self._path = path
        self._file: IO[bytes] = path.open("ab", buffering=0)

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one line; another process can read it when this returns."""
        append(self._file, _line(row), path=self._path)

    def close(self) -> None:
        """The file is complete."""
        self._file.close()


def _line(row: Mapping[str, Any]) -> bytes:
    """Names of files that are no UTF-8 stand in it as they are."""
    return f"{json.dumps(row, ensure_ascii=False)}\n".encode(errors="surrogateescape")


def _check_replaceable(path: Path) -> None:
    """Refuse to replace what is not a report."""
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            first = file.readline(1 << 20)
        is_report = not first.strip() or {"source", "output"} <= json.loads(first).keys()
    except (OSError, ValueError, AttributeError):
        is_report = False
    if not is_report:
        raise InputError(
            f"{path} exists already and is no report of upscale. Give --report another name."
        )
