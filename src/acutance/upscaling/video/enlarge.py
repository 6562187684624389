"""Enlarge a video file: its pictures, and nothing else of it changes."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

from acutance.errors import InputError, MissingPackageError
from acutance.storage import check_free
from acutance.upscaling.pipeline import Enlarged
from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.task import Upscaler
from acutance.upscaling.video.encoders import choose_encoder
from acutance.upscaling.video.frames import Frames
from acutance.upscaling.video.segment import Told
from acutance.upscaling.video.shots import read_facts
from acutance.upscaling.video.source import VideoFacts
from acutance.upscaling.video.work import Job, Watches, do_work, open_work, publish

_WHOLE = 0.95  # of the frames that the header tells: many headers only tell a length and a rate


def enlarge_video(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    how: Enlargement,
    output: Output,
    *,
    progress: Callable[[float], None] | None = None,
) -> Enlarged:
    """Enlarge every frame of `source` into `target`, whose ending names the kind of file.

    Sound, subtitles, chapters, timestamps, colour tags and rotation are those of the source;
    `notes` says what could not be kept. Finished segments are kept in the folder .NAME.parts
    beside the target until it is whole: killed, the same call goes on behind the last of them,
    and the result is that of a run that nothing disturbed. `progress` is told the share that is
    done; the seconds are those of this call. Raises InputError for what cannot be enlarged,
    RunError where writing fails.
    """
    start = perf_counter()
    _check(source, target, output)
    facts = read_facts(source)
    encoder, notes = choose_encoder(target, deep=facts.deep)
    facts = replace(facts, deep=encoder.deep, notes=facts.notes + notes)
    frames = Frames(upscaler, replace(how, size=as_stored(how.size, facts)))
    job = Job(source, target, facts, encoder, output)
    coding, said = open_work(job, frames)
    watches = Watches()
    tolds = do_work(job, coding, frames, watches, progress)
    made_by = upscaler.tag(facts.width, coding.width) if output.tag else None
    dropped = publish(job, coding, len(tolds), made_by=made_by)
    return Enlarged(
        width=coding.width,
        height=coding.height,
        seconds={**watches.seconds, "total": perf_counter() - start},
        engine=upscaler.engine_name,
        frames=sum(told.frames for told in tolds),
        notes=(*facts.notes, *said, *_of_damage(tolds, facts), *dropped),
    )


def as_stored(size: Size, facts: VideoFacts) -> Size:
    """A size is asked for as it is seen; the pictures of a turned video lie on their side."""
    if not facts.lies_on_its_side:
        return size
    fit = size.fit[::-1] if size.fit is not None else None
    return replace(size, width=size.height, height=size.width, fit=fit)


def _check(source: Path, target: Path, output: Output) -> None:
    """Refuse before the work what would fail after it."""
    if find_spec("av") is None:
        raise MissingPackageError("PyAV", "video", "Upscaling a video")
    if target.exists() and source.exists() and target.samefile(source):
        raise InputError(f"{target} is the video to be enlarged. Give another name.")
    check_free(target, overwrite=output.overwrite)


def _of_damage(tolds: list[Told], facts: VideoFacts) -> tuple[str, ...]:
    notes: list[str] = []
    frames = sum(told.frames for told in tolds)
    if frames < _WHOLE * facts.frames - 1:
        notes.append(f"only {frames} of about {facts.frames} frames could be read: it breaks off")
    repeated = sum(told.repeated for told in tolds)
    if repeated:
        first = min(told.first_repeated for told in tolds if told.repeated)
        notes.append(
            f"{repeated} frames could not be decoded, the first at "
            f"{float(first * facts.time_base):.2f} s: the one before is shown instead"
        )
    return tuple(notes)
