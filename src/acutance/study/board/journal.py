"""A log that grows, read from where the last reading ended."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from acutance.study.board.own import mark_of, opened

SLICE = 2**20  # bytes that are read at once; a page waits for some tenths of a second
TAIL = 64  # bytes by which a log that was written anew is told from one that has grown

Event = dict[str, Any]


@dataclass(frozen=True)
class News:
    """Events since the last reading; `again`: what was told before does not count any more."""

    events: list[Event] = field(default_factory=list)
    again: bool = False
    left: int = 0  # bytes that are still to be read


class Journal:
    """log.jsonl of a run. A line counts once it is ended, so half a line is waited for."""

    def __init__(self, path: Path, root: Path) -> None:
        self._path, self._root = path, root
        self._mark = (0, 0, 0)
        self._inode, self._offset, self._tail = 0, 0, b""
        self._within = False  # a line that is longer than a slice, and no event of ours

    def news(self) -> News:
        """What has come; at most a slice of it."""
        mark = mark_of(self._path)
        if mark == self._mark:
            return News()
        try:
            with opened(self._path, self._root) as file:
                return self._read(file, mark)
        except OSError:  # it has gone, or never was
            again = self._offset > 0
            self._begin()
            return News(again=again)

    def _begin(self) -> None:
        self._mark = (0, 0, 0)
        self._inode, self._offset, self._tail, self._within = 0, 0, b"", False

    def _read(self, file: BinaryIO, mark: tuple[int, int, int]) -> News:
        told = os.fstat(file.fileno())
        again = self._offset > 0 and not self._has_grown(file, told)
        if again:
            self._begin()
        file.seek(self._offset)
        chunk = file.read(SLICE)
        end = chunk.rfind(b"\n") + 1
        if not end and len(chunk) == SLICE:
            self._within, end = True, len(chunk)
        lines = chunk[:end].split(b"\n")
        if self._within and b"\n" in chunk[:end]:
            lines, self._within = lines[1:], False
        events = [] if self._within else [event for line in lines if (event := _event(line))]
        self._inode = told.st_ino
        self._offset += end
        self._tail = (self._tail + chunk[:end])[-TAIL:]
        left = max(0, told.st_size - self._offset) if len(chunk) == SLICE else 0
        self._mark = (0, 0, 0) if left else mark
        return News(events, again, left)

    def _has_grown(self, file: BinaryIO, told: os.stat_result) -> bool:
        """Whether this is the file of the last reading, with more behind what was read."""
        if told.st_ino != self._inode or told.st_size < self._offset:
            return False
        file.seek(self._offset - len(self._tail))
        return file.read(len(self._tail)) == self._tail


def _event(line: bytes) -> Event | None:
    """A line as an event with its name; None for anything else, such as what a kill left."""
    if not line.strip():
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("event"), str) else None
