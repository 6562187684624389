"""Do the jobs of a plan, each once, whatever killed an earlier command; one by one or at once."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from acutance.errors import InputError, RunError
from acutance.upscaling.batch.leftovers import remove_leftovers
from acutance.upscaling.batch.picking import picks_line
from acutance.upscaling.batch.planning import Job, Plan
from acutance.upscaling.batch.processes import in_processes, parts_of
from acutance.upscaling.batch.record import Record, engine_before, file_record, folder_record
from acutance.upscaling.batch.report import Report
from acutance.upscaling.batch.request import (
    Request,
    fingerprint,
    open_for,
    request_for,
    with_engine,
)
from acutance.upscaling.batch.results import Result, beside, sort_out
from acutance.upscaling.batch.work import enlarge_one
from acutance.upscaling.pipeline import Enlarged
from acutance.upscaling.task import Upscaler


class Watcher(Protocol):
    """Who looks on while a batch goes on."""

    def progress(self, done: float, total: float) -> None:
        """So much of the work of all files is done, in source pixels."""
        ...

    def note(self, text: str) -> None:
        """Something worth knowing that is about no single file."""
        ...


class _Nobody:
    def progress(self, done: float, total: float) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


Outcome = tuple[Job, Enlarged | InputError | RunError]


@dataclass(frozen=True)
class Running:
    """How a batch is carried out; no picture depends on it."""

    processes: int = 1
    skip_existing: bool = False
    report: Path | None = None
    shard: tuple[int, int] = (1, 1)  # which part of how many
    alone: bool = False  # what other shards did is of no account: they have other pictures
    opener: Callable[..., Upscaler] | None = None  # (request, pixels=) -> the model; None: anew


ONE_BY_ONE = Running()


def run_batch(
    plan: Plan, request: Request, running: Running = ONE_BY_ONE, watcher: Watcher | None = None
) -> Iterator[Result]:
    """Do the jobs of a plan; each result comes as soon as it is there.

    First come the files that earlier commands finished and those that are left alone. A picture
    that fails gives a Result with its error and stops no other. Raises InputError or RunError
    where nothing can be done at all: no such model, another command at work in the folder.
    """
    began_ns, settings = time.time_ns(), _settings(plan.jobs, request)
    watcher = watcher or _Nobody()
    meter = _Meter(plan.jobs, watcher)
    if picked := picks_line(plan.jobs):
        watcher.note(picked)
    with ExitStack() as stack:
        record = stack.enter_context(closing(_open_record(plan, running)))
        stack.callback(lambda: remove_leftovers(record.begun(), before_ns=time.time_ns()))
        remove_leftovers(record.begun(), before_ns=began_ns)
        known, jobs = sort_out(
            plan.jobs, record, settings, request, skip_existing=running.skip_existing
        )
        report = None
        if running.report is not None:
            report = Report(running.report, [result.row() for result in known])
            stack.callback(report.close)
        for result in known:
            meter.finish(result.job)
            yield result
        if jobs:
            befores = {job.model: engine_before(record.past(), settings(job)) for job in jobs}
            request = _with_engines(request, befores, meter, watcher)

        def begin(job: Job) -> None:
            record.begin(job, settings(job))

        for job, outcome in _outcomes(jobs, request, running, begin=begin, meter=meter):
            result = _result(job, outcome, request)
            _write_down(result, record, report)
            meter.finish(job)
            yield result


class _Meter:
    """How much is done, by pixels: a large picture counts for more than a small one."""

    def __init__(self, jobs: Sequence[Job], watcher: Watcher) -> None:
        known = [job.pixels for job in jobs if job.pixels]
        self.pixels = sum(known) or None  # of all jobs, so that an engine is chosen as at first
        usual = sum(known) / len(known) if known else 1.0
        self._weights = {job: float(job.pixels or usual) for job in jobs}
        self._total = sum(self._weights.values())
        self._shares: dict[Job, float] = {}
        self._finished = 0.0
        self._watcher = watcher

    def pixels_for(self, model: Path | None) -> int | None:
        """Of the jobs for which this model was picked; of all where none was."""
        if model is None:
            return self.pixels
        return sum(job.pixels or 0 for job in self._weights if job.model == model) or None

    def share(self, job: Job, share: float) -> None:
        self._shares[job] = share * self._weights[job]
        self._tell()

    def finish(self, job: Job) -> None:
        self._shares.pop(job, None)
        self._finished += self._weights[job]
        self._tell()

    def _tell(self) -> None:
        self._watcher.progress(self._finished + sum(self._shares.values()), self._total)


def _settings(jobs: Sequence[Job], request: Request) -> Callable[[Job], str]:
    """What is asked of a job, as the record has it: a fingerprint for each model."""
    found = {
        model: fingerprint(request_for(request, model))
        for model in dict.fromkeys(job.model for job in jobs)
    }
    return lambda job: found[job.model]


def _with_engines(
    request: Request,
    befores: Mapping[Path | None, str | None],
    meter: "_Meter",
    watcher: Watcher,
) -> Request:
    """The request with an engine for each of the models; `befores` are those of a stopped command.

    Says which, and why.
    """
    for model, before in befores.items():
        own = request_for(request, model)
        own, why = with_engine(own, before, pixels=meter.pixels_for(model))
        if why:
            of = f" for {model.stem}" if model is not None and len(befores) > 1 else ""
            watcher.note(f"engine {own.engine}{of}: {why}")
        if model is None:
            request = own
        else:
            request = replace(request, engines={**request.engines, model: own.engine})
    return request


def _open_record(plan: Plan, running: Running) -> Record:
    if plan.folder is None:
        return Record(file_record(plan.jobs[0].target), transient=True)
    return Record(folder_record(plan.folder, running.shard), alone=running.alone)


def _outcomes(
    jobs: Sequence[Job],
    request: Request,
    running: Running,
    *,
    begin: Callable[[Job], None],
    meter: _Meter,
) -> Iterator[Outcome]:
    """Do what is left, here or in several processes."""
    processes = running.processes
    if processes > 1 and len(jobs) > 1:
        models = tuple(dict.fromkeys(job.model for job in jobs))
        count = min(processes, len(jobs))
        parts = parts_of(request, count, pixels=meter.pixels, models=models)
        yield from in_processes(jobs, parts, begin=begin, progress=meter.share)
        return
    upscalers: dict[Path | None, Upscaler] = {}
    for job in jobs:
        own = request_for(request, job.model)
        if job.model not in upscalers:
            upscalers[job.model] = (running.opener or open_for)(
                own, pixels=meter.pixels_for(job.model)
            )
        begin(job)
        made = _attempt(job, upscalers[job.model], own, progress=partial(meter.share, job))
        yield job, made


def _attempt(
    job: Job, upscaler: Upscaler, request: Request, *, progress: Callable[[float], None]
) -> Enlarged | InputError | RunError:
    try:
        return enlarge_one(job, upscaler, request, progress=progress)
    except (InputError, RunError) as error:
        return error


def _result(job: Job, outcome: Enlarged | InputError | RunError, request: Request) -> Result:
    if isinstance(outcome, Enlarged):
        return Result(job, outcome, uncertainty=beside(job, request))
    return Result(job, error=outcome)


def _write_down(result: Result, record: Record, report: Report | None) -> None:
    if result.error is None:
        record.done(result.job, result.row())
    else:
        record.failed(result.job)
    if report is not None:
        report.write(result.row())
