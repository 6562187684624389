"""One picture file into another: decoding, network and encoding at once, memory flat."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from acutance.imaging.depth import white_of
from acutance.imaging.files import open_sink, open_source, storable
from acutance.imaging.metadata import prepared
from acutance.imaging.picture import Facts, Metadata, Picture, Sink, Source
from acutance.storage import check_free, write_atomically
from acutance.upscaling.enlarging import Progress, made_rows
from acutance.upscaling.finishing import CAST_BOUND, Tally
from acutance.upscaling.memory import Plan, planned
from acutance.upscaling.settings import Enlargement, Output
from acutance.upscaling.streams import RowBuffer, Watch, WriteBehind, chunks, read_ahead, timed
from acutance.upscaling.strips import silent
from acutance.upscaling.task import Upscaler, understood


@dataclass(frozen=True)
class Enlarged:
    """What was made, how long each kind of work took, and what is worth saying about it."""

    width: int
    height: int
    seconds: dict[str, float]  # decode, network and encode overlap; total is the clock's
    engine: str = ""
    cast: float = 0.0  # levels of 255 by which the mean of a channel moved, the most of them
    notes: tuple[str, ...] = ()
    frames: int = 1  # of a video or animation


def enlarge_file(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    how: Enlargement,
    output: Output,
    *,
    progress: Progress | None = None,
) -> Enlarged:
    """Enlarge the picture file `source` into `target`, whole or not at all.

    Its metadata come along as `output` says. Raises InputError for what cannot be read, made,
    written or kept within the memory, before the work where that can be known; RunError rather
    than write a wrong picture.
    """
    work = Work(
        lambda facts: _facts_of_result(facts, upscaler, how, output),
        lambda facts, held: planned(facts, upscaler, how, held=held),
        upscaler.engine_name,
    )
    return remade(source, target, work, output, progress=progress or silent)


@dataclass(frozen=True)
class Work:
    """What is made of a picture: the facts of the result, and how it is cut and computed."""

    result: Callable[[Facts], Facts]
    plan: Callable[[Facts, int], Plan]  # of the source, and of bytes that are held besides
    engine: str
    keeps_colour: bool = True  # where the mean colour moves, that is worth a word


def remade(
    source: Path, target: Path, work: Work, output: Output, *, progress: Progress
) -> Enlarged:
    """The picture file `source` into `target` by `work`, whole or not at all."""
    start = perf_counter()
    check_free(target, overwrite=output.overwrite)
    made: list[tuple[Plan, Flow]] = []
    with closing(open_source(source)) as opened:
        facts = work.result(opened.facts)
        _, lost = storable(target, facts, format=output.format)

        def fill(temporary: Path) -> None:
            with _sink(temporary, facts, output) as sink:
                plan = work.plan(opened.facts, opened.held + sink.held)
                through = flow(opened, sink, plan, folder=target.parent, progress=progress)
                made.append((plan, through))

        write_atomically(target, fill)
    ((plan, through),) = made
    return Enlarged(
        facts.width,
        facts.height,
        {**through.seconds, "total": perf_counter() - start},
        work.engine,
        float(np.abs(through.cast).max()),
        (*opened.facts.notes, *lost, *plan.notes, *(through.notes if work.keeps_colour else ())),
    )


def _facts_of_result(facts: Facts, upscaler: Upscaler, how: Enlargement, output: Output) -> Facts:
    height, width = understood(facts, upscaler, how).size
    metadata = metadata_of_result(facts, (width, height), upscaler, output)
    return replace(facts, width=width, height=height, metadata=metadata)


def metadata_of_result(
    before: Facts | Picture, size: tuple[int, int], upscaler: Upscaler, output: Output
) -> Metadata:
    """What stands beside the pixels of a picture made larger to `size` (width, height)."""
    made_by = upscaler.tag(before.width, size[0])
    return metadata_beside(before.metadata, size, made_by, output)


def metadata_beside(
    before: Metadata, size: tuple[int, int], made_by: str, output: Output
) -> Metadata:
    """What of the metadata `before` goes along, as `output` says, for `size` (width, height)."""
    width, height = size
    return prepared(
        before,
        policy=output.metadata,
        width=width,
        height=height,
        made_by=made_by if output.tag else None,
    )


@contextmanager
def _sink(path: Path, facts: Facts, output: Output) -> Iterator[Sink]:
    """A sink that is finished if all went well, and else only closed."""
    sink = open_sink(
        path,
        facts,
        format=output.format,
        quality=output.quality,
        compression=output.compression,
    )
    try:
        yield sink
    except BaseException:
        with suppress(Exception):  # rows are missing: that is not the news
            sink.close()
        raise
    sink.close()


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
        buffer = RowBuffer(timed(counted(parts), waiting), facts.height, wrap=plan.task.asked.wrap)
        for rows in made_rows(plan, buffer, before, folder=folder, progress=progress):
            after.add(rows.pixels, rows.alpha, white=white)
            with waiting:
                write_later(rows)
        computed = perf_counter() - start - waiting.seconds
    total = perf_counter() - start
    cast = after.mean - before.mean
    return Flow(decode.seconds, computed, encode.seconds, total, cast)
