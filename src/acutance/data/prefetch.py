"""Make the next batches while the network works on this one."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Self, TypeVar

from acutance.errors import InputError, RunError

T = TypeVar("T")

AHEAD = 2
"""Batches made ahead by one thread. One is enough for an even pace; another bridges a slow one."""


class Prefetch(Generic[T]):
    """make(start), make(start + 1), ... one by one from `next()`, made ahead by `threads`.

    What comes is the same as without a thread (`Direct`), since `make` is a function of the step
    alone. A failure in `make` is raised by the `next()` of its step, naming the step. Close it,
    or use `with`.
    """

    def __init__(self, make: Callable[[int], T], start: int, *, threads: int = 1) -> None:
        self._make = make
        self._step = start
        self._jobs: deque[tuple[int, Future[T]]] = deque()
        self._closed = False
        self.waited_s = 0.0
        """Seconds that `next` has waited in all: what the network could have worked."""
        self._thread = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="prefetch")
        for _ in range(threads + AHEAD - 1):
            self._order()

    def next(self) -> T:
        """The next batch; waits until it is made."""
        if self._closed:
            raise RunError("A batch was asked for after the prefetching was closed.")
        step, job = self._jobs[0]
        began = time.perf_counter()
        try:
            made = job.result()
        except Exception as error:  # the job stays first: asking again raises again
            raise _failed(step, error) from error
        self.waited_s += time.perf_counter() - began
        self._jobs.popleft()
        self._order()
        return made

    def close(self) -> None:
        """Stop the thread and wait for it: at most as long as one batch takes."""
        self._closed = True
        self._jobs.clear()
        self._thread.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _order(self) -> None:
        self._jobs.append((self._step, self._thread.submit(self._make, self._step)))
        self._step += 1


class Direct(Generic[T]):
    """The same as `Prefetch` without a thread: each batch is made when it is asked for."""

    def __init__(self, make: Callable[[int], T], start: int) -> None:
        self._make = make
        self._step = start
        self.waited_s = 0.0

    def next(self) -> T:
        """The next batch, made now."""
        began = time.perf_counter()
        try:
            made = self._make(self._step)
        except Exception as error:
            raise _failed(self._step, error) from error
        self.waited_s += time.perf_counter() - began
        self._step += 1
        return made

    def close(self) -> None:
        """Nothing to stop; here so that both are used alike."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _failed(step: int, error: Exception) -> Exception:
    if isinstance(error, InputError):  # of a stage: it says what to change
        return InputError(f"The batch of step {step} could not be made: {error}")
    return RunError(f"The batch of step {step} could not be made: {type(error).__name__}: {error}")
