"""Cut a picture into bands of rows that overlap, so that the pieces joined equal the whole."""

from dataclasses import dataclass

from acutance.errors import InputError


@dataclass(frozen=True)
class Band:
    """Rows `start` to `stop` are given to the network, `keep_start` to `keep_stop` are kept."""

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
