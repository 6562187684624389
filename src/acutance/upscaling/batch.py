"""Upscale many picture files: names that can be predicted, and one bad file stops no other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from acutance.errors import InputError, RunError
from acutance.imaging.files import picture_paths, read_picture, write_picture
from acutance.imaging.picture import Picture
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.picture import ENDINGS, Upscaler, check_target
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.uncertainty import (
    Sure,
    check_sigma_target,
    sigma_path,
    with_sigma,
    write_sigma,
)


@dataclass(frozen=True)
class Job:
    """One file to be made from another."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Result:
    """What became of a job: the size of the picture that was written, or why there is none."""

    job: Job
    seconds: float
    width: int = 0
    height: int = 0
    uncertainty: Path | None = None
    error: InputError | RunError | None = None


def plan_jobs(inputs: Sequence[Path], output: Path, *, scale: int) -> list[Job]:
    """Which file is made from which.

    One file with an `output` that is not a folder but has an ending gives that file. Else
    `output` is a folder and NAME.jpg becomes NAME_x2.png in it (PNG keeps everything), in the
    same subfolders as in an input folder. What lies in the output folder is no input.
    """
    if len(inputs) == 1 and not inputs[0].is_dir() and output.suffix and not output.is_dir():
        return [Job(path, output) for path in picture_paths(inputs)]
    if output.suffix.lower() in ENDINGS and not output.is_dir():
        raise InputError(
            f"{output} is one file, and the input is several or a folder. Give a folder: "
            f"-o {output.with_suffix('')}"
        )
    jobs = [
        Job(path, output / path.relative_to(root).parent / f"{path.stem}_x{scale}.png")
        for given in inputs
        for root in [given if given.is_dir() else given.parent]
        for path in picture_paths([given])
        if not given.is_dir() or not path.resolve().is_relative_to(output.resolve())
    ]
    _check_distinct(jobs)
    return jobs


def upscale_files(
    jobs: Sequence[Job], upscaler: Upscaler, *, overwrite: bool = False, uncertainty: bool = False
) -> Iterator[Result]:
    """Do the jobs in order; each result comes as soon as it is written or has failed.

    With `uncertainty` a picture of how sure the network is stands beside each result.
    """
    sure = with_sigma(upscaler.engine) if uncertainty else None
    for job in jobs:
        start = perf_counter()
        try:
            if sure is not None:
                larger = _upscale_file_surely(job, sure, overwrite=overwrite)
            else:
                larger = _upscale_file(job, upscaler, overwrite=overwrite)
            beside = sigma_path(job.target) if sure is not None else None
            yield Result(job, perf_counter() - start, larger.width, larger.height, beside)
        except (InputError, RunError) as error:
            yield Result(job, perf_counter() - start, error=error)
        except MemoryError:
            error = RunError(f"{job.source} needs more memory than there is. Cut it into parts.")
            yield Result(job, perf_counter() - start, error=error)


def first_pixels(paths: Sequence[Path]) -> int | None:
    """Pixels of the first picture that can be read, times the number of pictures."""
    for path in paths:
        try:
            picture = read_picture(path)
        except InputError:
            continue
        return picture.height * picture.width * len(paths)
    return None


def _upscale_file(job: Job, upscaler: Upscaler, *, overwrite: bool) -> Picture:
    picture = read_picture(job.source)
    check_target(job.target, picture, overwrite=overwrite)
    larger = enlarge_picture(picture, upscaler, Enlargement())
    write_picture(job.target, larger, overwrite=overwrite)
    return larger


def _upscale_file_surely(
    job: Job, enlarge: Callable[[Picture], Sure], *, overwrite: bool
) -> Picture:
    picture = read_picture(job.source)
    check_target(job.target, picture, overwrite=overwrite)
    check_sigma_target(sigma_path(job.target), overwrite=overwrite)
    made = enlarge(picture)
    write_picture(job.target, made.picture, overwrite=overwrite)
    write_sigma(sigma_path(job.target), made.sigma, overwrite=overwrite)
    return made.picture


def _check_distinct(jobs: Sequence[Job]) -> None:
    makers: dict[Path, Path] = {}
    for job in jobs:
        first = makers.setdefault(job.target, job.source)
        if first != job.source:
            raise InputError(
                f"{first} and {job.source} would both become {job.target}. "
                "Rename one of them, or upscale them into different folders."
            )
