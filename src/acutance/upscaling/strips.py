"""A picture's enlargement from top to bottom, piece by piece, each looked at before it counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from acutance.errors import RunError
from acutance.imaging.picture import Picture
from acutance.imaging.tiles import Band, Span, Window, bands
from acutance.upscaling.checks import Fault
from acutance.upscaling.task import Task

_SMALLEST = 16  # pixels of the result: a piece is not halved below it

Convert = Callable[[np.ndarray], np.ndarray]  # levels as they are to be kept


def silent(share: float) -> None:
    """No progress is shown."""


class Rows(Protocol):
    """The rows of the small picture, asked for from top to bottom."""

    def rows(self, span: Span) -> Picture:
        """Those rows; no later call asks for rows above `span.start`."""
        ...


@dataclass(frozen=True)
class Cut:
    """How the result is cut, in its own pixels."""

    rows: int
    columns: int
    overlap: int = 0  # on either side of a border: what both sides made is mixed there


@dataclass(frozen=True, eq=False)
class Strip:
    """Rows of the result, all columns: colours (h, W, c), alpha (h, W, 1) or None, as converted."""

    colours: np.ndarray
    alpha: np.ndarray | None

    def rows(self, start: int, stop: int) -> "Strip":
        return self.each(lambda planes: planes[start:stop])

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> "Strip":
        return Strip(change(self.colours), None if self.alpha is None else change(self.alpha))

    def put(self, made: "Strip", start: int, *, shared: int, axis: int) -> None:
        """Put `made` in at `start` of an axis; its first `shared` are mixed with what is there."""
        _put(self.colours.swapaxes(0, axis), made.colours.swapaxes(0, axis), start, shared)
        if self.alpha is not None and made.alpha is not None:
            _put(self.alpha.swapaxes(0, axis), made.alpha.swapaxes(0, axis), start, shared)


def strips(
    task: Task, source: Rows, cut: Cut, *, convert: Convert, told: Callable[[float], None]
) -> Iterator[Strip]:
    """The result from top to bottom; `told` is given the share that is done.

    Where pieces overlap `convert` must keep fractions. Raises RunError rather than give a wrong
    picture.
    """
    height, width = task.asked.size
    down = bands(height, rows=cut.rows, overlap=cut.overlap)
    across = bands(width, rows=cut.columns, overlap=cut.overlap)
    held: Strip | None = None
    for number, band in enumerate(down):
        rows = Span(band.start, band.stop)
        seen = task.needs(Window(rows, Span(0, width)))
        given = _Given(task, _columns(source.rows(seen.rows), seen.columns, task), seen, convert)
        strip = _row(given, rows, across)
        if held is not None:
            below = strip.rows(0, len(held.colours))
            held.put(below, 0, shared=len(held.colours), axis=0)
            strip.put(held, 0, shared=0, axis=0)
        done = height if number + 1 == len(down) else down[number + 1].start
        yield strip.rows(0, done - band.start)
        held = strip.rows(done - band.start, rows.length) if done < band.stop else None
        told((number + 1) / len(down))


@dataclass(frozen=True, eq=False)
class _Given:
    """What a row of pieces is made of, and how."""

    task: Task
    picture: Picture
    seen: Window
    convert: Convert

    def piece(self, window: Window) -> Strip:
        needed = self.task.needs(window)
        rows = needed.rows.slice_of(self.seen.rows)
        columns = needed.columns.slice_of(self.seen.columns)
        alpha = None if self.picture.alpha is None else self.picture.alpha[rows, columns]
        part = Picture(self.picture.pixels[rows, columns], alpha)
        return Strip(*self.task(part, needed, window)).each(self.convert)


def _columns(rows: Picture, columns: Span, task: Task) -> Picture:
    """Those columns; beyond the edges, where the picture goes on there, from the other side."""
    if columns == Span(0, rows.width):
        return rows
    if not task.asked.wrap:
        inside = slice(columns.start, columns.stop)
        return Picture(
            rows.pixels[:, inside], None if rows.alpha is None else rows.alpha[:, inside]
        )
    places = np.arange(columns.start, columns.stop) % rows.width
    return Picture(rows.pixels[:, places], None if rows.alpha is None else rows.alpha[:, places])


def _row(given: _Given, rows: Span, across: list[Band]) -> Strip:
    """The pieces of one row side by side."""
    row: Strip | None = None
    end = 0
    for band in across:
        made = _looked_at(given, Window(rows, Span(band.start, band.stop)))
        if len(across) == 1:
            return made
        if row is None:
            row = _room_for(made, (rows.length, across[-1].stop))
        row.put(made, band.start, shared=max(end - band.start, 0), axis=1)
        end = band.stop
    assert row is not None
    return row


def _looked_at(given: _Given, window: Window, *, halved: int = 0) -> Strip:
    """A piece that is in order; one that is not is tried again as two halves."""
    try:
        return given.piece(window)
    except Fault as fault:
        parts = _halves(window)
        can_be_cut = given.task.asked.may_be_cut and parts is not None
        if not can_be_cut or halved >= fault.halvings:
            raise failure(given.task.needs(window), str(fault)) from fault
    assert parts is not None
    whole = None
    for part in parts:
        made = _looked_at(given, part, halved=halved + 1)
        if whole is None:
            whole = _room_for(made, (window.rows.length, window.columns.length))
        is_below = part.columns == window.columns
        start = part.rows.start - window.rows.start or part.columns.start - window.columns.start
        whole.put(made, start, shared=0, axis=0 if is_below else 1)
    assert whole is not None
    return whole


def _halves(window: Window) -> tuple[Window, Window] | None:
    """Cut across the longer side; None for a piece too small for it."""
    rows, columns = window.rows, window.columns
    longer = rows if rows.length >= columns.length else columns
    if longer.length < 2 * _SMALLEST:
        return None
    middle = (longer.start + longer.stop) // 2
    first, second = Span(longer.start, middle), Span(middle, longer.stop)
    if longer is rows:
        return Window(first, columns), Window(second, columns)
    return Window(rows, first), Window(rows, second)


def failure(seen: Window, how: str) -> RunError:
    rows, columns = seen.rows, seen.columns
    return RunError(
        f"Rows {rows.start} to {rows.stop}, columns {columns.start} to {columns.stop} of the "
        f"picture came out of the network {how}; so nothing is written. Repeating it did not "
        "help: take another model or engine, or smaller tiles."
    )


def _room_for(piece: Strip, size: tuple[int, int]) -> Strip:
    return piece.each(lambda planes: np.empty((*size, planes.shape[2]), dtype=planes.dtype))


def _put(whole: np.ndarray, made: np.ndarray, start: int, shared: int) -> None:
    """Along the first axis."""
    if shared:
        ramp = ((np.arange(shared) + 0.5) / shared).astype(np.float32)[:, None, None]
        there = whole[start : start + shared]
        there += ramp * (made[:shared] - there)
    whole[start + shared : start + len(made)] = made[shared:]
