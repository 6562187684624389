"""The work on one file, by what kind of file it is."""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from acutance.errors import InputError, RunError
from acutance.imaging.files import read_picture, storable, write_picture
from acutance.storage import check_free
from acutance.upscaling.animation import enlarge_animation
from acutance.upscaling.batch.kinds import Kind, is_for
from acutance.upscaling.batch.planning import Job
from acutance.upscaling.batch.request import Request
from acutance.upscaling.pipeline import Enlarged, enlarge_file, metadata_of_result
from acutance.upscaling.settings import Enlargement, Output
from acutance.upscaling.task import Upscaler
from acutance.upscaling.uncertainty import sigma_path, with_sigma, write_sigma

Progress = Callable[[float], None]
"""Called with the done share of a file, 0 to 1."""


def enlarge_one(
    job: Job, upscaler: Upscaler, request: Request, *, progress: Progress | None = None
) -> Enlarged:
    """Make the target of a job; only InputError and RunError are raised.

    With `uncertainty` the picture of sigma is written first: where the result stands, all does.
    """
    output = request.output
    if output.format is not None and not is_for(output.format, job.kind):
        output = replace(output, format=None)  # it speaks of other files of the batch
    try:
        if request.uncertainty:
            return _enlarge_surely(job, upscaler, output)
        return _WAYS[job.kind](job, upscaler, request.how, output, progress or _nothing)
    except (InputError, RunError):
        raise
    except MemoryError as error:
        raise RunError(
            f"{job.source} needs more memory than there is. Give --memory, or cut it into parts."
        ) from error
    except Exception as error:  # one file of many: what is wrong with it stops no other
        raise RunError(
            f"{job.source} could not be enlarged ({type(error).__name__}: {error}). "
            "Try it alone, and report it if it is a good file."
        ) from error


def _enlarge_picture(
    job: Job, upscaler: Upscaler, how: Enlargement, output: Output, progress: Progress
) -> Enlarged:
    return enlarge_file(job.source, job.target, upscaler, how, output, progress=progress)


def _enlarge_animation(
    job: Job, upscaler: Upscaler, how: Enlargement, output: Output, progress: Progress
) -> Enlarged:
    return enlarge_animation(job.source, job.target, upscaler, how, output, progress=progress)


def _enlarge_video(
    job: Job, upscaler: Upscaler, how: Enlargement, output: Output, progress: Progress
) -> Enlarged:
    from acutance.upscaling.video.enlarge import enlarge_video  # its packages are an extra

    return enlarge_video(job.source, job.target, upscaler, how, output, progress=progress)


_WAYS: dict[Kind, Callable[[Job, Upscaler, Enlargement, Output, Progress], Enlarged]] = {
    "picture": _enlarge_picture,
    "animation": _enlarge_animation,
    "video": _enlarge_video,
}


def _enlarge_surely(job: Job, upscaler: Upscaler, output: Output) -> Enlarged:
    if job.kind != "picture":
        raise InputError(f"{job.source} is no still picture, as --uncertainty needs.")
    start = perf_counter()
    picture = read_picture(job.source)
    sigma = sigma_path(job.target)
    for path in (sigma, job.target):
        check_free(path, overwrite=output.overwrite)
    decoded = perf_counter()
    made = with_sigma(upscaler.engine)(picture)
    network = perf_counter()
    size = made.picture.width, made.picture.height
    metadata = metadata_of_result(picture, size, upscaler, output)
    larger = replace(made.picture, metadata=metadata)
    _, lost = storable(job.target, larger.facts, format=output.format)
    write_sigma(sigma, made.sigma, overwrite=output.overwrite)
    try:
        write_picture(
            job.target,
            larger,
            overwrite=output.overwrite,
            format=output.format,
            quality=output.quality,
            compression=output.compression,
        )
    except BaseException:
        sigma.unlink(missing_ok=True)  # it would speak of a picture that is not there
        raise
    end = perf_counter()
    seconds = {
        "decode": decoded - start,
        "network": network - decoded,
        "encode": end - network,
        "total": end - start,
    }
    return Enlarged(larger.width, larger.height, seconds, engine=upscaler.engine_name, notes=lost)


def _nothing(_share: float) -> None:
    """Nobody watches."""
