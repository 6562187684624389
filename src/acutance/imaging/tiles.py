"""Windows of a picture; bands that overlap, so that the pieces joined equal the whole."""

from dataclasses import dataclass

import numpy as np

from acutance.errors import InputError


@dataclass(frozen=True)
class Span:
    """Rows, or columns, `start` to `stop` of a picture."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    def hull(self, other: "Span") -> "Span":
        """The smallest span that holds both."""
        return Span(min(self.start, other.start), max(self.stop, other.stop))

    def grown(self, by: int) -> "Span":
        return Span(self.start - by, self.stop + by)

    def within(self, length: int) -> "Span":
        """What of it lies in a picture of that length."""
        return Span(max(self.start, 0), min(self.stop, length))

    def slice_of(self, whole: "Span") -> slice:
        """Where it lies in an array that holds `whole`."""
        return slice(self.start - whole.start, self.stop - whole.start)


@dataclass(frozen=True)
class Window:
    """A rectangle of a picture; beyond the edges where the picture goes on from the other side."""

    rows: Span
    columns: Span

    @property
    def pixels(self) -> int:
        return self.rows.length * self.columns.length

    def hull(self, other: "Window") -> "Window":
        return Window(self.rows.hull(other.rows), self.columns.hull(other.columns))


def whole(size: tuple[int, int]) -> Window:
    """The window that holds all of a picture of `size` (H, W)."""
    return Window(Span(0, size[0]), Span(0, size[1]))


@dataclass(frozen=True, eq=False)
class Part:
    """The values (h, w, c) in a window of a picture."""

    values: np.ndarray
    window: Window

    def cut(self, window: Window) -> np.ndarray:
        """The values in a smaller window: a view."""
        rows = window.rows.slice_of(self.window.rows)
        return self.values[rows, window.columns.slice_of(self.window.columns)]


@dataclass(frozen=True)
class Band:
    """`keep_start` to `keep_stop` of an axis are kept; `start` to `stop` are made or seen."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int


def bands(height: int, *, rows: int, overlap: int) -> list[Band]:
    """Bands that keep `rows` rows each (the last may keep fewer) and see `overlap` more each side.

    The kept rows are every row once, in order. With an overlap of a network's reach its result
    for the kept rows is the one for the whole picture: no row beyond can change them. At the
    picture's own edges there is no overlap, so that padding acts where it would.
    """
    if rows < 1 or overlap < 0:
        raise InputError(
            f"Bands of {rows} rows with an overlap of {overlap} cannot be cut. "
            "Use at least 1 row and an overlap of 0 or more."
        )
    return [
        Band(
            start=max(top - overlap, 0),
            stop=min(top + rows + overlap, height),
            keep_start=top,
            keep_stop=min(top + rows, height),
        )
        for top in range(0, height, rows)
    ]
