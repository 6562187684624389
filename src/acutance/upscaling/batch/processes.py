"""Several processes that share the jobs of a batch, each with its part of cores and memory."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Literal

from acutance.errors import InputError, RunError
from acutance.imaging.parallel import core_count
from acutance.upscaling.batch.planning import Job
from acutance.upscaling.batch.request import Request, open_for, request_for
from acutance.upscaling.batch.work import enlarge_one
from acutance.upscaling.pipeline import Enlarged

SPAWN = get_context("spawn")  # a forked process cannot use the threads of ONNX Runtime and torch
SAID_EVERY_S = 0.2


@dataclass(frozen=True)
class Said:
    """What a worker tells: a share of its file done, the result, or why there is none."""

    what: Literal["ready", "share", "made", "failed", "broken"]
    share: float = 0.0
    made: Enlarged | None = None
    reason: str = ""
    is_input: bool = False  # whose fault: InputError or RunError

    def error(self) -> InputError | RunError:
        """The error, which itself does not always survive the way between processes."""
        return (InputError if self.is_input else RunError)(self.reason)


@dataclass(frozen=True)
class Part:
    """What one process is given."""

    request: Request
    pixels: int | None  # of the whole batch, so that the engine is chosen as by a single process
    threads: int
    cores: tuple[int, ...] = ()  # to stay on; none: any, where the system cannot hold to them
    models: tuple[Path | None, ...] = (None,)  # that were picked for its files; None: the request's


@dataclass
class _Worker:
    part: Part
    process: "SPAWN.Process"  # pyright: ignore[reportInvalidTypeForm]
    pipe: Connection
    job: Job | None = None
    is_ready: bool = False  # its model is open


def in_processes(
    jobs: Sequence[Job],
    parts: Sequence[Part],
    *,
    begin: Callable[[Job], None],
    progress: Callable[[Job, float], None],
) -> Iterator[tuple[Job, Enlarged | InputError | RunError]]:
    """Do the jobs in a process for each of `parts`; results come as they are finished.

    `begin` is called before a job is given away. The processes die with this one, at whatever
    instant. Raises what opening the model raises.
    """
    left = list(reversed(jobs))
    workers: list[_Worker] = []
    try:
        workers.extend(map(_start, parts))
        while left or any(worker.job is not None for worker in workers):
            for place in _speaking(workers):
                worker = workers[place]
                job, said = worker.job, _hear(worker)
                if said.what == "broken":
                    raise said.error()
                if said.what == "share" and job is not None:
                    progress(job, said.share)
                    continue
                if worker.process.exitcode is not None:
                    workers[place] = _start(worker.part)
                else:
                    _give(worker, left, begin)
                if job is not None:
                    yield job, said.made if said.made is not None else said.error()
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()


def _speaking(workers: Sequence[_Worker]) -> list[int]:
    """Places of the workers that have something to tell."""
    pipes = [worker.pipe for worker in workers if worker.job is not None or not worker.is_ready]
    spoken = wait(pipes)
    return [place for place, worker in enumerate(workers) if worker.pipe in spoken]


def _give(worker: _Worker, left: list[Job], begin: Callable[[Job], None]) -> None:
    worker.is_ready = True
    worker.job = left.pop() if left else None
    if worker.job is not None:
        begin(worker.job)
        with suppress(ConnectionError):  # it has died meanwhile, which is heard when it is asked
            worker.pipe.send(worker.job)


def _hear(worker: _Worker) -> Said:
    try:
        return worker.pipe.recv()
    except (EOFError, ConnectionError):
        worker.process.join()
        work = "opened the model" if worker.job is None else f"worked on {worker.job.source}"
        return Said(
            "broken" if worker.job is None else "failed",
            reason=f"The process that {work} was ended (exit code {worker.process.exitcode}), "
            "often for want of memory. Use fewer --jobs.",
        )


def parts_of(
    request: Request,
    count: int,
    *,
    pixels: int | None,
    models: tuple[Path | None, ...] = (None,),
) -> list[Part]:
    """For each process the request with its part of the memory, and its part of the cores."""
    memory = request.how.memory
    each = None if memory is None else memory // count
    mine = replace(request, how=replace(request.how, memory=each))
    if not hasattr(os, "sched_getaffinity"):
        threads = max(1, core_count() // count)
        return [Part(mine, pixels, threads, models=models)] * count
    all_cores = sorted(os.sched_getaffinity(0))
    shares = [
        all_cores[place::count] or [all_cores[place % len(all_cores)]] for place in range(count)
    ]
    return [Part(mine, pixels, len(cores), tuple(cores), models) for cores in shares]


def _start(part: Part) -> _Worker:
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_work, args=(there, part), daemon=True)
    with _unheard():
        process.start()
    there.close()
    return _Worker(part, process, here)


@contextmanager
def _unheard() -> Iterator[None]:
    """What is started meanwhile does not hear Ctrl-C, which it could not ignore yet."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # else it is started now, and lets the signal through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: Connection, part: Part) -> None:
    """Life of a worker: open its models, then job by job until the pipe ends."""
    Thread(target=_die_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends us
    if part.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, part.cores)
    os.environ["OMP_NUM_THREADS"] = str(part.threads)
    try:
        requests = {model: request_for(part.request, model) for model in part.models}
        upscalers = {model: open_for(own, pixels=part.pixels) for model, own in requests.items()}
    except (InputError, RunError) as error:
        pipe.send(Said("broken", reason=str(error), is_input=isinstance(error, InputError)))
        return
    pipe.send(Said("ready"))
    while True:
        try:
            job: Job = pipe.recv()
        except EOFError:
            return
        try:
            own = requests[job.model]
            made = enlarge_one(job, upscalers[job.model], own, progress=_Teller(pipe))
            pipe.send(Said("made", made=made))
        except (InputError, RunError) as error:
            pipe.send(Said("failed", reason=str(error), is_input=isinstance(error, InputError)))


class _Teller:
    """Tells the parent how far a file is, not too often."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._next = monotonic() + SAID_EVERY_S

    def __call__(self, share: float) -> None:
        if (now := monotonic()) >= self._next:
            self._next = now + SAID_EVERY_S
            self._pipe.send(Said("share", share=share))


def _die_with_parent() -> None:
    """At once, in the middle of a file: whoever repeats the command is not to meet us."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
