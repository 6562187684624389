"""Do pieces of array work in a few threads: numpy releases the interpreter while it computes."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

_MOST_THREADS = 4  # the work is bound by memory beyond that


def core_count() -> int:
    """Cores this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_threads(work: Callable[[Job], Result], jobs: Sequence[Job]) -> list[Result]:
    """`work` of each job, in the order of the jobs, whatever thread did it."""
    threads = min(_MOST_THREADS, core_count(), len(jobs))
    if threads < 2:
        return [work(job) for job in jobs]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, jobs))
