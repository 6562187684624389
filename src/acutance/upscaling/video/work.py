"""The work on one video: what was asked, what is finished, and what is still to be done."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from acutance.errors import InputError
from acutance.upscaling.settings import Output
from acutance.upscaling.streams import Watch, read_ahead, timed
from acutance.upscaling.video import parts
from acutance.upscaling.video.encoders import Coding, Encoder, coding_of
from acutance.upscaling.video.frames import Frames, even
from acutance.upscaling.video.joining import Joint, join
from acutance.upscaling.video.segment import SegmentEncoder, Told, point_behind
from acutance.upscaling.video.shots import Shot, checksum, shots
from acutance.upscaling.video.source import VideoFacts

SEGMENT_S = 5.0
"""Seconds of video that are lost at most when the work is killed; each begins with a keyframe."""
SEGMENT_FRAMES = 300  # at most
_AHEAD = 2  # frames that decoding and network may be ahead


@dataclass(frozen=True)
class Job:
    """What is to be made of what."""

    source: Path
    target: Path
    facts: VideoFacts
    encoder: Encoder
    output: Output

    @property
    def folder(self) -> Path:
        """Where finished segments are kept."""
        return parts.parts_folder(self.target)

    @property
    def segment_frames(self) -> int:
        return min(SEGMENT_FRAMES, max(1, round(SEGMENT_S * self.facts.rate)))


@dataclass(frozen=True)
class Watches:
    """Seconds of each kind of work, which overlap."""

    decode: Watch = field(default_factory=Watch)
    network: Watch = field(default_factory=Watch)
    encode: Watch = field(default_factory=Watch)

    @property
    def seconds(self) -> dict[str, float]:
        return {name: getattr(self, name).seconds for name in ("decode", "network", "encode")}


@dataclass(frozen=True, eq=False)
class _Made:
    """An enlarged frame, and what it was made of."""

    shot: Shot
    checksum: int


def open_work(job: Job, frames: Frames) -> tuple[Coding, tuple[str, ...]]:
    """How the frames are coded, and what is to be said of it.

    Work goes on with what is there if it was made of the same, in the same way, by the same model.
    """
    asked, probe = _asked(job, frames), frames.probe()
    record = parts.read_record(job.folder)
    fits = record is not None and record.fits(asked, probe)
    if record is None or not fits:
        size = _size_of_first(job, frames)
        parts.begin(job.folder, parts.Record(asked, probe, size))
    else:
        size = record.size
    notes: list[str] = []
    if record is not None and not fits:
        notes.append("unfinished work with another source, model or settings was discarded")
    if size[0] % 2 or size[1] % 2:
        notes.append(
            f"{size[0]}x{size[1]} is odd, which video cannot be: the last row or column is repeated"
        )
    whole = (size[0] + size[0] % 2, size[1] + size[1] % 2)
    return coding_of(job.encoder, job.facts, whole, job.output.quality), tuple(notes)


def do_work(
    job: Job,
    coding: Coding,
    frames: Frames,
    watches: Watches,
    progress: Callable[[float], None] | None,
) -> list[Told]:
    """Write the segments that are missing; decoding and network run ahead in their threads."""
    tolds = parts.finished(job.folder)
    if tolds and tolds[-1].is_last:
        return tolds
    after = point_behind(tolds)

    def enlarged() -> Iterator[_Made]:
        decoded = timed(shots(job.source, job.facts, after), watches.decode)
        with closing(read_ahead(decoded, depth=_AHEAD)) as ready:
            for shot in ready:
                with watches.network:
                    larger = even(frames(shot.picture))
                yield _Made(replace(shot, picture=larger), checksum(shot.picture))

    with closing(read_ahead(enlarged(), depth=_AHEAD)) as made:
        following = next(made, None)
        while following is not None:
            segment = _Segment(job, coding, watches.encode, tolds)
            told, following = segment.fill(following, made, progress)
            tolds.append(told)
    if not tolds:
        raise InputError(f"No frame of {job.source} can be decoded. It is damaged or holds none.")
    return tolds


def publish(job: Job, coding: Coding, count: int, *, made_by: str | None) -> tuple[str, ...]:
    """Join the segments into the target, which appears whole; gives what had to be dropped."""
    segments = [parts.segment_path(job.folder, number) for number in range(count)]
    whole = job.folder / f"whole{job.target.suffix.lower()}"
    metadata = job.output.metadata
    notes = join(Joint(job.source, job.facts, coding, segments, metadata, made_by), whole)
    parts.publish(whole, job.target)
    parts.remove(job.folder)
    return notes


class _Segment:
    """The segment that is being worked on."""

    def __init__(self, job: Job, coding: Coding, watch: Watch, before: list[Told]) -> None:
        self._path = parts.segment_path(job.folder, len(before))
        self._length, self._total = job.segment_frames, job.facts.frames
        self._before = sum(told.frames for told in before)
        self._encoder, self._watch = SegmentEncoder(coding), watch

    def fill(
        self,
        first: _Made,
        rest: Generator[_Made, None, None],
        progress: Callable[[float], None] | None,
    ) -> tuple[Told, _Made | None]:
        """Encode from `first` on and write the file; gives the frame that belongs to the next."""
        repeated: list[int] = []
        following: _Made | None = first
        last, count = first, 0
        while following is not None and count < self._length:
            last, count = following, count + 1
            with self._watch:
                self._encoder.add(last.shot)
            if last.shot.repeated:
                repeated.append(last.shot.pts)
            if progress is not None:
                progress(min((self._before + count) / max(self._total, self._before + count), 1.0))
            following = next(rest, None)
        told = Told(
            frames=count,
            pts=last.shot.pts,
            checksum=last.checksum,
            repeated=len(repeated),
            first_repeated=repeated[0] if repeated else 0,
            is_last=following is None,
        )
        with self._watch:
            self._encoder.finish(self._path, told)
        return told, following


def _asked(job: Job, frames: Frames) -> dict[str, str]:
    """All that decides the bytes of the segments, as text."""
    status = job.source.stat()
    upscaler = frames.upscaler
    cards = [engine.card.to_json() for engine in (upscaler.engine, upscaler.base) if engine]
    return {
        "source": f"{job.source.resolve()}, {status.st_size} bytes, {status.st_mtime_ns}",
        "model": " and ".join(cards) or "bicubic",
        "how": repr(replace(frames.how, memory=None)),
        "encoder": f"{job.encoder}, quality {job.output.quality}",
        "segment": f"{job.segment_frames} frames",
    }


def _size_of_first(job: Job, frames: Frames) -> tuple[int, int]:
    for shot in shots(job.source, job.facts):
        larger = frames(shot.picture)
        return larger.width, larger.height
    raise InputError(f"No frame of {job.source} can be decoded. It is damaged or holds none.")
