"""Rows of a picture into larger rows: decoding, network and encoding at once, memory flat."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from acutance.imaging.picture import Picture, Sink, Source
from acutance.upscaling.enlarging import Progress, made_rows
from acutance.upscaling.finishing import CAST_BOUND, Tally, white_of
from acutance.upscaling.memory import Plan
from acutance.upscaling.streams import RowBuffer, Watch, WriteBehind, chunks, read_ahead


@dataclass(frozen=True)
class Flow:
    """How a picture went through."""

    decode: float  # seconds of each kind of work, which overlap
    network: float
    encode: float
    total: float  # by the clock
    cast: np.ndarray  # change of the mean of each channel, in levels of 255

    @property
    def seconds(self) -> dict[str, float]:
        return {
            "decode": self.decode,
            "network": self.network,
            "encode": self.encode,
            "total": self.total,
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of it."""
        if np.abs(self.cast).max() <= CAST_BOUND:
            return ()
        by = ", ".join(f"{change:+.1f}" for change in self.cast)
        return (f"the mean colour has moved by {by} levels of 255; --fix-colour takes that off",)


def flow(source: Source, sink: Sink, plan: Plan, *, folder: Path, progress: Progress) -> Flow:
    """All rows of `source`, enlarged, into `sink`, which is left open.

    One thread decodes, one encodes, this one computes; few rows wait between them. `folder` is
    where a file without a name may lie, for what has to be seen as a whole.
    """
    start = perf_counter()
    decode, encode, waiting = Watch(), Watch(), Watch()
    facts = plan.task.asked.source
    before, after = Tally(facts.channels), Tally(facts.channels)
    white = white_of(facts.dtype)

    def write(rows: Picture) -> None:
        with encode:
            sink.write(rows)

    def counted(parts: Iterator[Picture]) -> Iterator[Picture]:
        for part in parts:
            before.add(part.pixels, part.alpha, white=white)
            yield part

    with (
        closing(read_ahead(chunks(source, decode))) as parts,
        WriteBehind(write) as write_later,
    ):
        buffer = RowBuffer(_timed(counted(parts), waiting), facts.height, wrap=plan.task.asked.wrap)
        for rows in made_rows(plan, buffer, before, folder=folder, progress=progress):
            after.add(rows.pixels, rows.alpha, white=white)
            with waiting:
                write_later(rows)
        computed = perf_counter() - start - waiting.seconds
    total = perf_counter() - start
    cast = after.mean - before.mean
    return Flow(decode.seconds, computed, encode.seconds, total, cast)


def _timed(parts: Iterator[Picture], watch: Watch) -> Iterator[Picture]:
    while True:
        with watch:
            part = next(parts, None)
        if part is None:
            return
        yield part
