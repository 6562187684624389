"""Gather rows into bands that threads pack while the caller makes the next rows."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from acutance.errors import RunError
from acutance.imaging.parallel import core_count
from acutance.imaging.picture import Facts, Picture

Packed = TypeVar("Packed")

_MOST_THREADS = 16
_COPIES = 4  # of a band: its rows, filtered, deflated, and that as a part of the file


@dataclass(frozen=True, eq=False)
class Band:
    """Some rows of a picture that go into its file together."""

    samples: np.ndarray  # (rows, width, channels and alpha)
    previous: np.ndarray | None  # the row above, (width, channels and alpha)
    is_last: bool


class Packing(Generic[Packed]):
    """`pack` of each band in threads; `put` takes what it gives, in the order of the bands.

    Only so many bands are in memory that every thread has one to do.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        dtype: np.dtype,  # of the samples in the file: the byte order
        band_bytes: int,
        pack: Callable[[Band], Packed],
        put: Callable[[Packed], None],
    ) -> None:
        self._facts, self._dtype = facts, dtype
        self._pack, self._put = pack, put
        self._samples = facts.channels + facts.has_alpha
        row_bytes = facts.width * self._samples * dtype.itemsize
        self.band_rows = min(max(band_bytes // row_bytes, 1), facts.height)
        threads = min(core_count(), _MOST_THREADS, -(-facts.height // self.band_rows))
        self._most_in_flight = threads + 2  # so that no thread waits while one is written
        self.held = (self._most_in_flight + 1) * _COPIES * self.band_rows * row_bytes
        self._pool = ThreadPoolExecutor(threads)
        self._in_flight: deque[Future[Packed]] = deque()
        self._done = 0  # rows in bands that were handed to the threads
        self._band = self._empty_band()
        self._filled = 0  # rows of it
        self._previous: np.ndarray | None = None

    def write(self, rows: Picture) -> None:
        """Take the next rows; they are copied. Raises RunError where they do not fit the facts."""
        self._check(rows)
        at = 0
        while at < rows.height:
            count = min(rows.height - at, len(self._band) - self._filled)
            band = self._band[self._filled : self._filled + count]
            band[:, :, : self._facts.channels] = rows.pixels[at : at + count]
            if rows.alpha is not None:
                band[:, :, -1] = rows.alpha[at : at + count]
            at += count
            self._filled += count
            if self._filled == len(self._band):
                self._send()

    def finish(self) -> None:
        """Put what is still in flight. Raises RunError where rows are missing."""
        missing = self._facts.height - self._done - self._filled
        if missing:
            raise RunError(
                f"{missing} of the picture's {self._facts.height} rows were not written to "
                "its file."
            )
        while self._in_flight:
            self._put_oldest()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _check(self, rows: Picture) -> None:
        facts = self._facts
        expected = (rows.height, facts.width, facts.channels)
        if rows.pixels.shape != expected or rows.pixels.dtype != facts.dtype:
            raise RunError(
                f"The rows for a file must be {facts.dtype} of shape {expected}, "
                f"not {rows.pixels.dtype} of shape {rows.pixels.shape}."
            )
        if (rows.alpha is not None) != facts.has_alpha:
            raise RunError("The rows for a file must all have alpha or none, as its facts say.")
        if self._done + self._filled + rows.height > facts.height:
            raise RunError(f"More than the picture's {facts.height} rows were written to its file.")

    def _empty_band(self) -> np.ndarray:
        count = min(self.band_rows, self._facts.height - self._done)
        return np.empty((count, self._facts.width, self._samples), self._dtype)

    def _send(self) -> None:
        if len(self._in_flight) == self._most_in_flight:
            self._put_oldest()
        self._done += len(self._band)
        band = Band(self._band, self._previous, is_last=self._done == self._facts.height)
        self._in_flight.append(self._pool.submit(self._pack, band))
        self._previous = self._band[-1]
        self._band = self._empty_band()
        self._filled = 0

    def _put_oldest(self) -> None:
        self._put(self._in_flight.popleft().result())
