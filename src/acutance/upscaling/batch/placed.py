"""A batch on a cluster: each shard of its manifest is a task, on a node with its engine ready."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acutance.cluster import Executor, LostError, Task, spread
from acutance.errors import InputError, RunError
from acutance.upscaling.batch.manifest import (
    Item,
    Manifest,
    known_of,
    list_items,
    open_url,
    write_manifest,
)
from acutance.upscaling.batch.naming import size_label
from acutance.upscaling.batch.picking import with_models
from acutance.upscaling.batch.planning import Found, Job, Plan, job_for
from acutance.upscaling.batch.record import (
    Entry,
    HeldError,
    Record,
    State,
    begun_times,
    folder_record,
    read_record,
    state_of,
)
from acutance.upscaling.batch.report import Report
from acutance.upscaling.batch.request import (
    Request,
    fingerprint,
    native_scale,
    open_for,
    with_engine,
)
from acutance.upscaling.batch.results import Result
from acutance.upscaling.batch.running import Running, run_batch
from acutance.upscaling.choice import AUTO
from acutance.upscaling.picking import is_open
from acutance.upscaling.task import Upscaler

TRIES = 3  # of a picture whose worker ends in the middle of it
RETRIES = 20  # of a shard: several of its pictures may end their worker so often
MUCH = 10**9  # pixels: an engine for long work
HELD_S = 60.0  # a node that is only slow may still hold the shard that was taken from it


@dataclass(frozen=True)
class Shard:
    """What a node is told."""

    manifest: Manifest
    number: int
    request: Request
    skip_existing: bool

    @property
    def record(self) -> Path:
        """Where what becomes of its pictures is written down."""
        return folder_record(self.manifest.output, self.part)

    @property
    def part(self) -> tuple[int, int]:
        """Its number, from 1, and how many there are."""
        return self.number + 1, self.manifest.shards


@contextmanager
def listed(words: Sequence[str | Path], output: Path, request: Request) -> Iterator[Manifest]:
    """List what is to be done into the output folder, and settle the engine for all nodes.

    Meanwhile the folder is this command's. Raises InputError where it is another's, where there is
    nothing to do, and for what cannot be done.
    """
    native_scale(request)
    with closing(Record(folder_record(output))):
        engine, asked = _settled(request, output)
        yield write_manifest(list_items(words, output), output, engine=engine, asked=asked)


def run_placed(
    manifest: Manifest, request: Request, running: Running, executor: Executor
) -> Iterator[Result]:
    """Do every shard that has pictures; results come shard by shard, each picture once.

    What fails is listed in `failed.jsonl` beside the manifest. Memory does not grow with the
    number of pictures. To be called while the manifest is held.
    """
    request = _for_nodes(request, manifest.engine)
    tasks = (
        Task(do_shard, (shard,), name=shard, retries=RETRIES)
        for number in manifest.filled()
        for shard in (Shard(manifest, number, request, running.skip_existing),)
    )
    failed = manifest.folder / "failed.jsonl"
    failed.unlink(missing_ok=True)
    with ExitStack() as stack:
        report = None
        if running.report is not None:
            report = stack.enter_context(closing(Report(running.report)))
        for result in _results(stack.enter_context(closing(spread(executor, tasks)))):
            if report is not None:
                report.write(result.row())
            if result.error is not None:
                _list(failed, result)
            yield result


def _results(over: Iterator[tuple[Task, Any]]) -> Iterator[Result]:
    for task, found in over:
        assert isinstance(task.name, Shard)
        if isinstance(found, LostError):
            yield from _given_up(task.name, found)
        elif isinstance(found, InputError | RunError):
            raise found
        else:
            yield from found


def do_shard(shard: Shard) -> list[Result]:
    """On a node: do what is left of a shard; what became of each of its pictures."""
    output = shard.manifest.output
    if not shard.manifest.place(shard.number).exists():
        raise InputError(
            f"{output} is not seen here. Name a folder with -o that all nodes see under its name."
        )
    until = time.monotonic() + HELD_S
    while True:
        try:
            return list(_done(shard))
        except HeldError:
            if time.monotonic() > until:
                raise
            time.sleep(1.0)


def _done(shard: Shard) -> Iterator[Result]:
    items = shard.manifest.read(shard.number)
    jobs, fetched = _jobs(shard, items)
    jobs, doubles = _apart(jobs)
    yield from doubles
    jobs, ended = _without_ended(shard, jobs)
    yield from ended
    finished, jobs = _fetched(shard, jobs, fetched)
    yield from finished
    if not jobs:
        return
    running = Running(
        skip_existing=shard.skip_existing, shard=shard.part, alone=True, opener=_opened
    )
    plan = with_models(Plan(tuple(jobs), shard.manifest.output), shard.request)
    for result in run_batch(plan, shard.request, running):
        if result.job.source in fetched:
            result.job.source.unlink(missing_ok=True)
        yield _plain(_as_listed(result, fetched))


def _jobs(shard: Shard, items: Sequence[Item]) -> tuple[list[Job], dict[Path, Item]]:
    """A job for each picture; and which of them are fetched from a URL, by where they are put."""
    request, output = shard.request, shard.manifest.output
    label = size_label(request.how.size, native_scale(request))
    fetched: dict[Path, Item] = {}
    jobs = []
    for item in items:
        path, root = Path(item.source), Path(item.root)
        if item.state is not None:
            root = shard.manifest.folder / "sources"
            path = root / item.inside
            fetched[path] = item
        found = Found(path, root, named=False)
        jobs.append(job_for(found, output, label, request.output.format))
    return jobs, fetched


def _fetched(
    shard: Shard, jobs: list[Job], fetched: dict[Path, Item]
) -> tuple[list[Result], list[Job]]:
    """Bring what is at a URL, but for what is finished; the results of that, and the jobs left."""
    if not fetched:
        return [], jobs
    known = read_record(shard.record)
    settings = fingerprint(shard.request)
    results: list[Result] = []
    left = []
    for job in jobs:
        item = fetched.get(job.source)
        if item is None:
            left.append(job)
        elif _is_finished(job, known.get(job.target), item.state, settings):
            results.append(_as_listed(Result(job, left="finished before"), fetched))
        elif (error := _fetch(item, job.source)) is not None:
            results.append(Result(job, error=error))
        else:
            again = Found(job.source, shard.manifest.folder / "sources", named=False)
            label = size_label(shard.request.how.size, native_scale(shard.request))
            form = shard.request.output.format
            left.append(job_for(again, shard.manifest.output, label, form))
    return results, left


def _fetch(item: Item, path: Path) -> RunError | None:
    assert item.state is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        system, place = open_url(item.source)
        system.get_file(place, str(path))
        os.utime(path, ns=(item.state[1], item.state[1]))  # by which a changed one is known
    except Exception as error:  # of somebody's file system: anything
        return RunError(f"{item.source} cannot be fetched: {error}")
    return None


def _apart(jobs: Sequence[Job]) -> tuple[list[Job], list[Result]]:
    """Of jobs that would become one file the first; the others have failed."""
    first: dict[Path, Job] = {}
    doubles = []
    for job in jobs:
        other = first.setdefault(job.target, job)
        if other is not job:
            why = f"{other.source} and {job.source} would both become {job.target}. Rename one."
            doubles.append(Result(job, error=InputError(why)))
    return list(first.values()), doubles


def _without_ended(shard: Shard, jobs: Sequence[Job]) -> tuple[list[Job], list[Result]]:
    """Leave out pictures in the middle of which a worker ended too often."""
    times = begun_times(shard.record)
    bad = [job for job in jobs if times.get(job.target, 0) >= TRIES]
    if bad:
        with closing(Record(shard.record)) as record:
            for job in bad:
                record.failed(job)  # the next command may try it again
    why = "The process that worked on {} ended {} times, often for want of memory."
    ended = [Result(job, error=RunError(why.format(job.source, TRIES))) for job in bad]
    return [job for job in jobs if job not in bad], ended


_OPEN: dict[str, Upscaler] = {}  # of this process of a node: an engine takes seconds to open


def _opened(request: Request, *, pixels: int | None) -> Upscaler:
    key = fingerprint(request)
    if key not in _OPEN:
        _OPEN[key] = open_for(request, pixels=pixels)
    return _OPEN[key]


def _plain(result: Result) -> Result:
    """With an error that can be sent: some of ours have more in them than their text."""
    if result.error is None:
        return result
    kind = InputError if isinstance(result.error, InputError) else RunError
    return replace(result, error=kind(str(result.error)))


def _given_up(shard: Shard, error: LostError) -> list[Result]:
    """Of a shard that was lost too often: what is finished, and what failed with it."""
    jobs, fetched = _jobs(shard, shard.manifest.read(shard.number))
    jobs, results = _apart(jobs)
    known = read_record(shard.record)
    # which model is picked for a picture is not known here
    settings = None if is_open(shard.request.model) else fingerprint(shard.request)
    for job in jobs:
        item = fetched.get(job.source)
        state = state_of(job.source) if item is None else item.state
        if _is_finished(job, known.get(job.target), state, settings):
            results.append(Result(job, left="finished before"))
        else:
            results.append(Result(job, error=error))
    return [_as_listed(result, fetched) for result in results]


def _is_finished(job: Job, entry: Entry | None, state: State, settings: str | None) -> bool:
    """Whether a result stands that was made of this version of its source, with `settings`."""
    stands = state_of(job.target)
    return (
        entry is not None
        and entry.report is not None
        and entry.source_state == state
        and settings in (None, entry.settings)
        and stands is not None
        and stands[0] == entry.size
    )


def _as_listed(result: Result, fetched: Mapping[Path, Item]) -> Result:
    """With the URL of its source in place of where that was put."""
    item = fetched.get(result.job.source)
    if item is None:
        return result
    return replace(result, job=replace(result.job, source=Path(item.source)))


def _list(failed: Path, result: Result) -> None:
    row = json.dumps(result.row(), ensure_ascii=False)
    with failed.open("ab") as file:
        file.write(f"{row}\n".encode(errors="surrogateescape"))


def _settled(request: Request, output: Path) -> tuple[str, str]:
    """The engine for all nodes, and what it was chosen for.

    It is that of an earlier command where that was asked for the same: engines round differently.
    """
    if request.engine != AUTO or is_open(request.model):
        return _engine(request), ""
    asked, known = fingerprint(request), known_of(output)
    return (known["engine"] if known.get("asked") == asked else _engine(request)), asked


def _engine(request: Request) -> str:
    """One for all nodes, since engines round differently."""
    if request.engine != AUTO:
        return request.engine
    if is_open(request.model):
        return "onnx_runtime"  # what bundled models have their twin for
    return with_engine(_for_nodes(request, AUTO), None, pixels=MUCH)[0].engine


def _for_nodes(request: Request, engine: str) -> Request:
    """With paths that hold in any folder."""
    return replace(
        request,
        engine=engine,
        model=_absolute(request.model),
        faithful=_absolute(request.faithful),
    )


def _absolute(model: Any) -> Any:
    if isinstance(model, str | Path) and Path(model).exists():
        return str(Path(model).resolve())
    return model
