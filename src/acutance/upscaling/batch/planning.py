"""Which file is made from which: folders, patterns, lists and single files become jobs."""

import glob
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from acutance.errors import InputError
from acutance.imaging.files import picture_paths
from acutance.imaging.formats import format_of_target
from acutance.upscaling.batch.kinds import PICTURES, VIDEOS, Glance, Kind, glance, is_for
from acutance.upscaling.batch.naming import enlarged_name


@dataclass(frozen=True)
class Job:
    """One file to be made from another.

    `model` is the file of the model that was picked for it, `why` in words; None: the request's.
    """

    source: Path
    target: Path
    kind: Kind = "picture"
    pixels: int | None = None  # of the source, by its header
    size: tuple[int, int] | None = field(default=None, compare=False)  # (H, W), likewise
    is_jpeg: bool = field(default=False, compare=False)
    model: Path | None = None
    why: str = field(default="", compare=False)


@dataclass(frozen=True)
class Plan:
    """All jobs of a command, and where what is finished is written down.

    `folder` is None where the one result was given a name.
    """

    jobs: tuple[Job, ...]
    folder: Path | None


@dataclass(frozen=True)
class Found:
    """A source, and the folder below which its subfolders are kept."""

    path: Path
    root: Path
    named: bool = True  # by its own name, not found in a folder


def plan_jobs(
    inputs: Sequence[str | Path],
    output: Path | None,
    *,
    label: str,
    format: str | None = None,
    made: Collection[Path] = (),
    as_folder: bool = False,
) -> Plan:
    """Plan a file for each picture that `inputs` name; nothing is written.

    One picture with an `output` that has an ending and is no folder gives that file, unless
    `as_folder`. Else `output` is a folder, and NAME.jpg becomes NAME_label.png in it, in the same
    subfolders as in an input folder. What lies in the output folder, and what earlier commands
    `made`, is no input. Without an `output` one picture becomes NAME_label.png beside it. Raises
    InputError where two pictures would become one file, or a result would replace an input.
    """
    found = find_sources(inputs)
    if output is None:
        return _beside(found, label, format)
    may_be_file = output.suffix != "" and not output.is_dir() and not as_folder
    if may_be_file and len(found) == 1 and found[0].named:
        seen = glance(found[0].path)
        _check_format(output, format, seen.kind)
        jobs = [_as_job(found[0].path, output, seen)]
        _check_targets(jobs)
        return Plan(tuple(jobs), None)
    if may_be_file and output.suffix.lower() in PICTURES + VIDEOS:
        raise InputError(
            f"{output} is one file, and the input is several or a folder. Give a folder: "
            f"-o {output.with_suffix('')}"
        )
    inputs_only = _without_results(found, output, made)
    if not inputs_only:
        raise InputError(
            f"All pictures of the input are results in {output}. Name another folder with -o."
        )
    jobs = [job_for(each, output, label, format) for each in inputs_only]
    jobs = list(dict.fromkeys(jobs))  # a file that was named twice
    _check_targets(jobs)
    return Plan(tuple(jobs), output)


def _beside(found: Sequence[Found], label: str, format: str | None) -> Plan:
    """One picture that was named becomes a file in its own folder."""
    if len(found) != 1 or not found[0].named:
        raise InputError(
            "Several pictures, or a folder, need a place for what becomes of them. "
            "Name a folder: -o FOLDER"
        )
    folder = found[0].path.parent
    job = job_for(Found(found[0].path, folder), folder, label, format)
    _check_targets([job])
    return Plan((job,), None)


def find_sources(inputs: Sequence[str | Path]) -> list[Found]:
    """The files that words name: a file, a folder, a pattern ("a/**/*.jpg"), or @list.txt.

    A folder gives the pictures in it and below it, in natural order; what has another ending, is
    hidden, or lies behind a link to a folder is left out. Videos are taken by name only.
    """
    return [each for word in inputs for each in _expand(word)]


def read_list(path: Path) -> list[str]:
    """The lines of a list of files, without empty ones; "-" is stdin."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"The list {path} cannot be read: {reason}. It must be a UTF-8 text with a path a line."
        ) from error
    return [line for line in text.splitlines() if line.strip()]


def take_shard(jobs: Sequence[Job], number: int, count: int) -> tuple[Job, ...]:
    """Part `number` (from 1) of `count` parts that share no job and together are all."""
    return tuple(sorted(jobs, key=lambda job: job.target)[number - 1 :: count])


def _expand(word: str | Path) -> Iterator[Found]:
    if word == "":  # Path would take it for this folder
        raise InputError(
            "One of the inputs is empty, as of a variable that is not set. "
            "Name a file or folder; . is this one."
        )
    path = Path(word)
    if path.is_dir():
        yield from (Found(inside, path, named=False) for inside in picture_paths([path]))
    elif os.path.lexists(path):
        yield Found(path, path.parent)
    elif str(word).startswith("@"):
        for line in read_list(Path(str(word)[1:])):
            yield from _listed(line)
    elif glob.has_magic(str(word)):
        yield from _matched(str(word))
    else:
        raise InputError(f"{path} does not exist. Check the name.")


def _listed(line: str) -> Iterator[Found]:
    """A line of a list keeps its folders, for lists go over many; a missing file fails alone."""
    path = Path(line)
    if path.is_dir() or (glob.has_magic(line) and not path.exists()):
        yield from _expand(line)
    else:
        keeps = not path.is_absolute() and ".." not in path.parts
        yield Found(path, Path() if keeps else path.parent)


def _matched(pattern: str) -> Iterator[Found]:
    """The files that a pattern matches, those of matched folders with them."""
    fixed = []
    for part in Path(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    root = Path(*fixed)
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  absolute ones, too
    paths = [Path(name) for name in names]
    known = PICTURES + VIDEOS
    files = [path for path in paths if path.is_file() and path.suffix.lower() in known]
    if not files:
        raise InputError(f"No picture matches {pattern}. Check the pattern and the folder.")
    yield from (Found(path, root, named=len(files) == 1) for path in files)


def _without_results(found: Sequence[Found], output: Path, made: Collection[Path]) -> list[Found]:
    """What is not a result: in the output folder, if that lies within the input, or made by us."""
    results = output.resolve()
    kept = []
    for each in found:
        if not each.named:
            real = each.path.resolve()
            if real in made or Path(os.path.abspath(each.path)) in made:  # noqa: PTH100
                continue
            within = results != each.root.resolve() and results.is_relative_to(each.root.resolve())
            if within and real.is_relative_to(results):
                continue
        kept.append(each)
    return kept


def job_for(found: Found, output: Path, label: str, format: str | None) -> Job:
    """What a source becomes in the folder `output`."""
    seen = glance(found.path)
    name = enlarged_name(found.path, label, kind=seen.kind, format=format)
    target = output / found.path.relative_to(found.root).parent / name
    return _as_job(found.path, target, seen)


def _as_job(source: Path, target: Path, seen: Glance) -> Job:
    return Job(source, target, seen.kind, seen.pixels, seen.size, seen.is_jpeg)


def _check_format(output: Path, format: str | None, kind: Kind) -> None:
    """Refuse a file whose name says another format than is asked for."""
    named = output.suffix.lower()
    if format is None or not is_for(format, kind) or not is_for(named[1:], kind):
        return
    same = named == f".{format}"
    if kind != "video":
        same = format_of_target(output) == format_of_target(output, format)
    if not same:
        raise InputError(
            f"{output} and --format {format} say two things. Leave --format out, or name the file "
            f"{output.with_suffix('.' + format)}"
        )


def _check_targets(jobs: Sequence[Job]) -> None:
    makers: dict[str, Job] = {}
    sources = {name for job in jobs for name in _names(job.source)}
    for job in jobs:
        key = _same_file(job.target)
        first = makers.setdefault(key, job)
        if first is not job:
            raise InputError(
                f"{first.source} and {job.source} would both become {job.target}. "
                "Rename one of them, or upscale them into different folders."
            )
        if key in sources:
            raise InputError(
                f"{job.target} is an input, and {job.source} would become it. "
                "Give another name or folder with -o."
            )


def _names(source: Path) -> set[str]:
    """The places that a result must not take: of the source, and of what it is a link to."""
    return {_same_file(source), _same_file(source.resolve())}


def _same_file(path: Path) -> str:
    """Equal for names that are one place here: Windows and macOS do not tell A.png from a.png.

    Links to folders are followed; a file that is a link is itself what a result replaces.
    """
    name = str(path.parent.resolve() / path.name)
    return name.casefold() if sys.platform in ("win32", "darwin") else name
