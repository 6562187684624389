"""Rows that come while others are worked on, and rows that are written meanwhile."""

from collections.abc import Callable, Generator, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import perf_counter
from types import TracebackType
from typing import Generic, TypeVar

import numpy as np

from acutance.errors import InputError
from acutance.imaging.picture import Picture, Source
from acutance.imaging.tiles import Span

T = TypeVar("T")
_PATIENCE_S = 0.1  # between looks whether the other side has given up
CHUNK_BYTES = 4 << 20  # of rows that are decoded at once


def read_ahead(items: Iterator[T], *, depth: int = 1) -> Generator[T]:
    """The items, made by a thread that is up to `depth` of them ahead. To be closed."""
    queue: Queue[tuple[T | None, BaseException | None]] = Queue(depth)
    stop = Event()

    def work() -> None:
        try:
            for item in items:
                if not _put(queue, (item, None), stop):
                    return
            _put(queue, (None, StopIteration()), stop)
        except BaseException as error:  # handed to the side that waits
            _put(queue, (None, error), stop)

    thread = Thread(target=work, name="read_ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = queue.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # pyright: ignore[reportReturnType]
    finally:
        stop.set()
        thread.join()


class WriteBehind(Generic[T]):
    """Gives items to `write` in a thread, in order; an error of it is raised at the next item."""

    def __init__(self, write: Callable[[T], None], *, depth: int = 1) -> None:
        self._queue: Queue[tuple[T] | None] = Queue(depth)
        self._write = write
        self._error: BaseException | None = None
        self._stop = Event()
        self._thread = Thread(target=self._work, name="write_behind", daemon=True)

    def __enter__(self) -> "WriteBehind[T]":
        self._thread.start()
        return self

    def __call__(self, item: T) -> None:
        if not _put(self._queue, (item,), self._stop) and self._error is not None:
            raise self._error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._stop.set()
        _put(self._queue, None, self._stop)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def _work(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=_PATIENCE_S)
            except Empty:
                if self._stop.is_set():
                    return
                continue
            if item is None or self._stop.is_set():
                return
            try:
                self._write(item[0])
            except BaseException as error:  # handed to the side that goes on giving
                self._error = error
                self._stop.set()
                return


class Watch:
    """Seconds spent in one kind of work, whatever thread does it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += perf_counter() - self._start


def timed(items: Iterator[T], watch: Watch) -> Iterator[T]:
    """The items; what making each takes is added to `watch`."""
    while True:
        with watch:
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def chunks(source: Source, watch: Watch) -> Iterator[Picture]:
    """All rows of a source, some MiB at a time. Raises InputError where some are missing."""
    facts = source.facts
    row_bytes = facts.width * (facts.channels + facts.has_alpha) * facts.dtype.itemsize
    rows = max(CHUNK_BYTES // row_bytes, 1)
    left = facts.height
    while left > 0:
        with watch:
            picture = source.read(min(rows, left))
        if picture.height == 0:
            raise InputError(f"The picture ends {left} rows early: it is damaged. Get it again.")
        left -= picture.height
        yield picture


class RowBuffer:
    """Of a picture that comes in chunks, the rows that are still needed."""

    def __init__(self, parts: Iterator[Picture], height: int, *, wrap: bool) -> None:
        self._parts = parts
        self._height = height
        self._wrap = wrap
        self._held: Picture | None = None
        self._top = 0

    def rows(self, span: Span) -> Picture:
        """Rows of the picture; under `wrap` also beyond its edges, for which all of it is held."""
        if self._wrap:
            whole = self._until(Span(0, self._height))
            places = np.arange(span.start, span.stop) % self._height
            alpha = None if whole.alpha is None else whole.alpha[places]
            return Picture(whole.pixels[places], alpha)
        return self._until(span)

    def _until(self, span: Span) -> Picture:
        parts = [] if self._held is None else [_from(self._held, span.start - self._top)]
        stop = self._top + (0 if self._held is None else self._held.height)
        while stop < span.stop:
            part = next(self._parts)
            parts.append(_from(part, span.start - stop))
            stop += part.height
        held = parts[0] if len(parts) == 1 else _stacked(parts)
        self._held, self._top = held, span.start
        return _up_to(held, span.length)


def _from(picture: Picture, row: int) -> Picture:
    row = max(row, 0)
    return Picture(picture.pixels[row:], None if picture.alpha is None else picture.alpha[row:])


def _up_to(picture: Picture, row: int) -> Picture:
    return Picture(picture.pixels[:row], None if picture.alpha is None else picture.alpha[:row])


def _stacked(parts: list[Picture]) -> Picture:
    alphas = [part.alpha for part in parts if part.alpha is not None]
    alpha = np.concatenate(alphas) if alphas else None
    return Picture(np.concatenate([part.pixels for part in parts]), alpha)


def _put(queue: Queue, item: object, stop: Event) -> bool:
    """Whether it went in before the other side gave up."""
    while not stop.is_set():
        try:
            queue.put(item, timeout=_PATIENCE_S)
        except Full:
            continue
        return True
    return False
